/** Grows as it is written to, up to a limit: inflating is refused where it would pass it, not after. */
export class Output {
  readonly #limit: number
  #buffer: Buffer
  /** How much was written. */
  length: number

  /** `reserved`: bytes at the start that the caller fills. `limit`: of all, with them. */
  constructor (initial: number, limit: number, reserved: number = 0) {
    this.#limit = limit
    this.#buffer = Buffer.allocUnsafe(Math.min(limit, Math.max(initial, reserved)))
    this.length = reserved
  }

  get bytes (): Buffer { return this.#buffer.subarray(0, this.length) }

  /** The buffer, with room for as many bytes more; fewer, where the limit is nearer. */
  room (bytes: number): Buffer {
    const needed = Math.min(this.length + bytes, this.#limit)
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.min(this.#limit, Math.max(this.#buffer.length * 2, needed)))
      this.#buffer.copy(larger, 0, 0, this.length)
      this.#buffer = larger
    }
    return this.#buffer
  }

  append (from: Buffer, start: number, end: number): void {
    if (this.length + end - start > this.#limit) throw new RangeError(`more than ${this.#limit} bytes come out`)
    this.length += from.copy(this.room(end - start), this.length, start, end)
  }
}
