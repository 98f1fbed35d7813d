import { KeyInterner, type StringInterner } from '../codec/index.ts'

const BAR = 124
const ESCAPE = 92
/** A longer key is refused: it is also the name of a row in the snapshots. */
const KEY_BYTES_MAX = 512

/**
 * The keys of one partition as dense slots. A key is the bytes of its fields with a bar between them; a bar or backslash within one of several
 * fields has a backslash before it. So it can be read, and no two keys look alike.
 */
export class KeyColumns {
  readonly #fields: number
  readonly #interner = new KeyInterner()
  readonly #scratch = Buffer.allocUnsafeSlow(KEY_BYTES_MAX * 2 + 64)
  #end = 0
  #field = 0
  /** Where each field of a slot begins and ends, counted from the key's start. */
  #starts = new Int32Array(0)
  #ends = new Int32Array(0)
  /** Fields of the few keys that hold a bar or a backslash. */
  readonly #escaped = new Map<number, readonly Buffer[]>()
  #sorted = new Int32Array(0)

  constructor (fields: number) { this.#fields = fields }

  get count (): number { return this.#interner.slots }

  /** A key is put together by `begin`, `add` for each field, and `slot`. */
  begin (): void {
    this.#end = 0
    this.#field = 0
  }

  /** false: the key is too long. */
  add (buffer: Buffer, start: number, end: number): boolean {
    const to = this.#scratch
    let at = this.#end
    if (at + end - start > KEY_BYTES_MAX) return false
    if (this.#field++ > 0) to[at++] = BAR
    for (let i = start; i < end; i++) {
      const byte = buffer[i]!
      if ((byte === BAR || byte === ESCAPE) && this.#fields > 1) to[at++] = ESCAPE
      to[at++] = byte
    }
    this.#end = at
    return true
  }

  slot (): number { return this.#slotOf(this.#scratch, this.#end) }

  /** The key that was put together, as text and without a slot. */
  scratchText (names: StringInterner): string { return names.of(this.#scratch, 0, this.#end) }

  /** The slot of a key as `text` gives it. */
  slotOfText (text: string): number {
    const bytes = Buffer.from(text, 'latin1')
    return this.#slotOf(bytes, bytes.length)
  }

  /** The key, a character a byte. */
  text (slot: number): string { return this.#interner.arena.toString('latin1', this.#interner.startOf(slot), this.#interner.endOf(slot)) }

  /** A field's bytes are `fieldBuffer` from `fieldStart` to `fieldEnd`, until another key comes. */
  fieldBuffer (slot: number, field: number): Buffer { return this.#escaped.size === 0 ? this.#interner.arena : this.#escaped.get(slot)?.[field] ?? this.#interner.arena }
  fieldStart (slot: number, field: number): number { return this.#escaped.size > 0 && this.#escaped.has(slot) ? 0 : this.#interner.startOf(slot) + this.#starts[slot * this.#fields + field]! }
  fieldEnd (slot: number, field: number): number { return this.#escaped.size > 0 && this.#escaped.has(slot) ? this.#escaped.get(slot)![field]!.length : this.#interner.startOf(slot) + this.#ends[slot * this.#fields + field]! }

  compare (a: number, b: number): number {
    const { arena } = this.#interner
    const endA = this.#interner.endOf(a)
    const endB = this.#interner.endOf(b)
    let i = this.#interner.startOf(a)
    let j = this.#interner.startOf(b)
    for (; i < endA && j < endB; i++, j++) if (arena[i] !== arena[j]) return arena[i]! - arena[j]!
    return endA - i - (endB - j)
  }

  /** All slots in the order of their keys' bytes. */
  sorted (): Int32Array {
    const known = this.#sorted
    if (known.length === this.count) return known
    const fresh = Int32Array.from({ length: this.count - known.length }, (_, i) => known.length + i).sort((a, b) => this.compare(a, b))
    const all = new Int32Array(this.count)
    for (let i = 0, k = 0, f = 0; i < all.length; i++) all[i] = f >= fresh.length || (k < known.length && this.compare(known[k]!, fresh[f]!) < 0) ? known[k++]! : fresh[f++]!
    this.#sorted = all
    return all
  }

  #slotOf (buffer: Buffer, end: number): number {
    const before = this.#interner.slots
    const slot = this.#interner.intern(buffer, 0, end)
    if (slot === before) this.#learn(slot, buffer, end)
    return slot
  }

  #learn (slot: number, key: Buffer, end: number): void {
    const places = (slot + 1) * this.#fields
    if (places > this.#ends.length) {
      this.#starts = larger(this.#starts, places)
      this.#ends = larger(this.#ends, places)
    }
    let place = slot * this.#fields
    let escapes = false
    this.#starts[place] = 0
    for (let i = 0; i < end && this.#fields > 1; i++) {
      if (key[i] === ESCAPE) { escapes = true; i++ } else if (key[i] === BAR) { this.#ends[place++] = i; this.#starts[place] = i + 1 }
    }
    this.#ends[place] = end
    if (escapes) this.#escaped.set(slot, Array.from({ length: this.#fields }, (_, f) => unescaped(key.subarray(this.#starts[slot * this.#fields + f]!, this.#ends[slot * this.#fields + f]!))))
  }
}

function unescaped (bytes: Buffer): Buffer {
  const plain: number[] = []
  for (let i = 0; i < bytes.length; i++) plain.push(bytes[i] === ESCAPE ? bytes[++i]! : bytes[i]!)
  return Buffer.from(plain)
}

function larger (from: Int32Array, least: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(Math.max(128, from.length * 2, least))
  to.set(from)
  return to
}
