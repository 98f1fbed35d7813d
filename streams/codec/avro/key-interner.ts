const FREE = -1
const FIRST_SLOTS = 64
const FIRST_WORDS = 16

/**
 * Byte ranges to dense numbers: the same bytes have the same slot until it is released, and slots are used again. Open addressing with linear
 * probing at most half full, deletion by moving back (Knuth 6.4, algorithm R). Keys are hashed and compared four bytes at a time, as words of one
 * arena (little-endian, as every platform of ours is), which is packed when half of it is garbage. No allocation but by doubling.
 */
export class KeyInterner {
  #table = new Int32Array(FIRST_SLOTS * 2).fill(FREE)
  #hashes = new Int32Array(FIRST_SLOTS)
  /** Where a slot's words begin. */
  #starts = new Int32Array(FIRST_SLOTS)
  /** Its bytes; FREE: the slot is not in use. */
  #lengths = new Int32Array(FIRST_SLOTS).fill(FREE)
  #words = new Int32Array(FIRST_SLOTS * 4)
  #arena = Buffer.from(this.#words.buffer)
  #wordsEnd = 0
  #garbage = 0
  #slots = 0
  readonly #released: number[] = []
  /** The words of the key that is looked for, the last one filled up with zeros. */
  #key = new Int32Array(FIRST_WORDS)

  /** Keys that have a slot. */
  get size (): number { return this.#slots - this.#released.length }
  /** Slots that were ever given: columns by slot need so much room. */
  get slots (): number { return this.#slots }
  /** Bytes that it holds on to. */
  get bytes (): number { return 4 * (this.#words.length + this.#table.length + 3 * this.#hashes.length + this.#released.length) }

  /** The slot of these bytes, a new one if they have none. */
  intern (buffer: Buffer, start: number, end: number): number {
    const hash = this.#read(buffer, start, end)
    const at = this.#find(hash, end - start)
    const slot = this.#table[at]!
    return slot === FREE ? this.#add(at, hash, end - start) : slot
  }

  /** The slot of these bytes; -1 if they have none. */
  slotOf (buffer: Buffer, start: number, end: number): number { return this.#table[this.#find(this.#read(buffer, start, end), end - start)]! }

  /** A copy of a slot's bytes. */
  bytesOf (slot: number): Buffer { return Buffer.from(this.#arena.subarray(this.startOf(slot), this.endOf(slot))) }

  /** Where a slot's bytes stand in `arena`, until the next `intern` or `release`. */
  get arena (): Buffer { return this.#arena }
  startOf (slot: number): number { return this.#starts[slot]! * 4 }
  endOf (slot: number): number { return this.#starts[slot]! * 4 + this.#lengths[slot]! }

  /** Gives a slot up; the next new key gets it. */
  release (slot: number): void {
    if (!(slot >= 0 && slot < this.#slots) || this.#lengths[slot] === FREE) return
    this.#unlink(slot)
    this.#garbage += wordsOf(this.#lengths[slot]!)
    this.#lengths[slot] = FREE
    this.#released.push(slot)
    if (this.#garbage > 256 && this.#garbage * 2 > this.#wordsEnd) this.#pack(this.#words.length)
  }

  /** The key's words and their hash, mixed and finished as murmur3's (Appleby). */
  #read (buffer: Buffer, start: number, end: number): number {
    if (wordsOf(end - start) > this.#key.length) this.#key = new Int32Array(wordsOf(end - start) * 2)
    const words = this.#key
    let n = 0
    let h = end - start
    let i = start
    for (; i + 3 < end; i += 4) {
      const word = buffer[i]! | buffer[i + 1]! << 8 | buffer[i + 2]! << 16 | buffer[i + 3]! << 24
      words[n++] = word
      const k = Math.imul(word, 0xcc9e2d51)
      h ^= Math.imul(k << 15 | k >>> 17, 0x1b873593)
      h = Math.imul(h << 13 | h >>> 19, 5) + 0xe6546b64 | 0
    }
    if (i < end) {
      const word = buffer[i]! | (i + 1 < end ? buffer[i + 1]! << 8 : 0) | (i + 2 < end ? buffer[i + 2]! << 16 : 0)
      words[n] = word
      h = Math.imul(h ^ word, 0x01000193)
    }
    h = Math.imul(h ^ h >>> 16, 0x85ebca6b)
    h = Math.imul(h ^ h >>> 13, 0xc2b2ae35)
    return h ^ h >>> 16
  }

  /** The place of the key that was read, or the free one where it belongs. */
  #find (hash: number, length: number): number {
    const table = this.#table
    const mask = table.length - 1
    const hashes = this.#hashes
    const words = this.#words
    const key = this.#key
    const count = wordsOf(length)
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = table[at]!
      if (slot === FREE) return at
      if (hashes[slot] !== hash || this.#lengths[slot] !== length) continue
      const from = this.#starts[slot]!
      let i = 0
      while (i < count && words[from + i] === key[i]) i++
      if (i === count) return at
    }
  }

  #add (at: number, hash: number, length: number): number {
    const slot = this.#released.pop() ?? this.#slots++
    if (slot >= this.#hashes.length) this.#growSlots()
    const count = wordsOf(length)
    if (this.#wordsEnd + count > this.#words.length) this.#pack(Math.max(this.#words.length * 2, this.#wordsEnd + count))
    for (let i = 0; i < count; i++) this.#words[this.#wordsEnd + i] = this.#key[i]!
    this.#hashes[slot] = hash
    this.#starts[slot] = this.#wordsEnd
    this.#lengths[slot] = length
    this.#wordsEnd += count
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

  #pack (words: number): void {
    const packed = new Int32Array(words)
    let end = 0
    for (let slot = 0; slot < this.#slots; slot++) {
      if (this.#lengths[slot] === FREE) continue
      const from = this.#starts[slot]!
      const count = wordsOf(this.#lengths[slot]!)
      packed.set(this.#words.subarray(from, from + count), end)
      this.#starts[slot] = end
      end += count
    }
    this.#words = packed
    this.#arena = Buffer.from(packed.buffer)
    this.#wordsEnd = end
    this.#garbage = 0
  }
}

function wordsOf (bytes: number): number { return (bytes + 3) >> 2 }

function larger (from: Int32Array, length: number, rest: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(length).fill(rest, from.length)
  to.set(from)
  return to
}
