const FREE = -1
const FIRST_SLOTS = 64
const SHORT_BYTES = 48

/**
 * Byte ranges to dense numbers: the same bytes have the same slot until it is released, and slots are used again. Open addressing with linear
 * probing at most half full, deletion by moving back (Knuth 6.4, algorithm R); the bytes stand in one arena, which is packed when half of it
 * is garbage. About 30 ns for a key of 32 bytes, no allocation but by doubling.
 */
export class KeyInterner {
  #table = new Int32Array(FIRST_SLOTS * 2).fill(FREE)
  #hashes = new Int32Array(FIRST_SLOTS)
  #starts = new Int32Array(FIRST_SLOTS)
  /** FREE: the slot is not in use. */
  #lengths = new Int32Array(FIRST_SLOTS).fill(FREE)
  #arena = Buffer.allocUnsafeSlow(FIRST_SLOTS * 16)
  #arenaEnd = 0
  #garbage = 0
  #slots = 0
  #released: number[] = []

  /** Keys that have a slot. */
  get size (): number { return this.#slots - this.#released.length }
  /** Slots that were ever given: columns by slot need so much room. */
  get slots (): number { return this.#slots }
  /** Bytes that it holds on to. */
  get bytes (): number { return this.#arena.length + 4 * (this.#table.length + 3 * this.#hashes.length + this.#released.length) }

  /** The slot of these bytes, a new one if they have none. */
  intern (buffer: Buffer, start: number, end: number): number {
    const hash = hashOf(buffer, start, end)
    const at = this.#find(hash, buffer, start, end)
    const slot = this.#table[at]!
    return slot === FREE ? this.#add(at, hash, buffer, start, end) : slot
  }

  /** The slot of these bytes; -1 if they have none. */
  slotOf (buffer: Buffer, start: number, end: number): number { return this.#table[this.#find(hashOf(buffer, start, end), buffer, start, end)]! }

  /** A copy of a slot's bytes. */
  bytesOf (slot: number): Buffer { return Buffer.from(this.#arena.subarray(this.startOf(slot), this.endOf(slot))) }

  /** Where a slot's bytes stand in `arena`, until the next `intern` or `release`. */
  get arena (): Buffer { return this.#arena }
  startOf (slot: number): number { return this.#starts[slot]! }
  endOf (slot: number): number { return this.#starts[slot]! + this.#lengths[slot]! }

  /** Gives a slot up; the next new key gets it. */
  release (slot: number): void {
    if (!(slot >= 0 && slot < this.#slots) || this.#lengths[slot] === FREE) return
    this.#unlink(slot)
    this.#garbage += this.#lengths[slot]!
    this.#lengths[slot] = FREE
    this.#released.push(slot)
    if (this.#garbage > 1024 && this.#garbage * 2 > this.#arenaEnd) this.#pack(this.#arena.length)
  }

  #find (hash: number, buffer: Buffer, start: number, end: number): number {
    const table = this.#table
    const mask = table.length - 1
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = table[at]!
      if (slot === FREE || (this.#hashes[slot] === hash && this.#same(slot, buffer, start, end))) return at
    }
  }

  #same (slot: number, buffer: Buffer, start: number, end: number): boolean {
    const from = this.#starts[slot]!
    const length = this.#lengths[slot]!
    if (length !== end - start) return false
    const arena = this.#arena
    if (length > SHORT_BYTES) return buffer.compare(arena, from, from + length, start, end) === 0
    for (let i = 0; i < length; i++) if (arena[from + i] !== buffer[start + i]) return false
    return true
  }

  #add (at: number, hash: number, buffer: Buffer, start: number, end: number): number {
    const reused = this.#released.pop()
    const slot = reused ?? this.#slots++
    if (slot >= this.#hashes.length) this.#growSlots()
    const length = end - start
    if (this.#arenaEnd + length > this.#arena.length) this.#pack(Math.max(this.#arena.length * 2, this.#arenaEnd + length))
    buffer.copy(this.#arena, this.#arenaEnd, start, end)
    this.#hashes[slot] = hash
    this.#starts[slot] = this.#arenaEnd
    this.#lengths[slot] = length
    this.#arenaEnd += length
    if (this.size * 2 > this.#table.length) this.#growTable()
    else this.#table[at] = slot
    return slot
  }

  #growSlots (): void {
    const slots = this.#hashes.length * 2
    this.#hashes = larger(this.#hashes, slots, 0)
    this.#starts = larger(this.#starts, slots, 0)
    this.#lengths = larger(this.#lengths, slots, FREE)
  }

  #growTable (): void {
    const table = this.#table = new Int32Array(this.#table.length * 2).fill(FREE)
    const mask = table.length - 1
    for (let slot = 0; slot < this.#slots; slot++) {
      if (this.#lengths[slot] === FREE) continue
      let at = this.#hashes[slot]! & mask
      while (table[at] !== FREE) at = (at + 1) & mask
      table[at] = slot
    }
  }

  /** Keys that stand behind the gap and may not: moved into it, one after the other. */
  #unlink (slot: number): void {
    const table = this.#table
    const mask = table.length - 1
    let gap = this.#hashes[slot]! & mask
    while (table[gap] !== slot) gap = (gap + 1) & mask
    for (let at = (gap + 1) & mask; table[at] !== FREE; at = (at + 1) & mask) {
      const home = this.#hashes[table[at]!]! & mask
      if (((at - home) & mask) < ((at - gap) & mask)) continue // it would stand before its home
      table[gap] = table[at]!
      gap = at
    }
    table[gap] = FREE
  }

  #pack (bytes: number): void {
    const arena = Buffer.allocUnsafeSlow(bytes)
    let end = 0
    for (let slot = 0; slot < this.#slots; slot++) {
      const length = this.#lengths[slot]!
      if (length === FREE) continue
      this.#arena.copy(arena, end, this.#starts[slot]!, this.#starts[slot]! + length)
      this.#starts[slot] = end
      end += length
    }
    this.#arena = arena
    this.#arenaEnd = end
    this.#garbage = 0
  }
}

function larger (from: Int32Array, length: number, rest: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(length).fill(rest, from.length)
  to.set(from)
  return to
}

/** Four bytes at a time, mixed as murmur3's words and finished as it is (Appleby). */
function hashOf (buffer: Buffer, start: number, end: number): number {
  let h = end - start
  let i = start
  for (; i + 3 < end; i += 4) {
    let k = buffer[i]! | buffer[i + 1]! << 8 | buffer[i + 2]! << 16 | buffer[i + 3]! << 24
    k = Math.imul(k, 0xcc9e2d51)
    h ^= Math.imul(k << 15 | k >>> 17, 0x1b873593)
    h = Math.imul(h << 13 | h >>> 19, 5) + 0xe6546b64 | 0
  }
  for (; i < end; i++) h = Math.imul(h ^ buffer[i]!, 0x01000193)
  h = Math.imul(h ^ h >>> 16, 0x85ebca6b)
  h = Math.imul(h ^ h >>> 13, 0xc2b2ae35)
  return h ^ h >>> 16
}
