/** A stretch of event numbers, both ends included. */
export interface Missing { readonly from: number, readonly to: number }

const AHEAD_MAX = 10_000

/**
 * Which events of one topic subscription have been taken: all up to `contiguous`, and some beyond it. Servers number events from 1 without gaps
 * (backport IG, "Event numbers"), so a number that is left out was not delivered, or not yet.
 */
export class EventNumbers {
  #contiguous: number | undefined
  #highest: number
  readonly #ahead = new Set<number>()

  /** undefined: nothing is known; the first number that is heard of is where it begins. */
  constructor (contiguous: number | undefined) {
    this.#contiguous = contiguous
    this.#highest = contiguous ?? 0
  }

  get contiguous (): number | undefined { return this.#contiguous }

  /** The server has counted so far. False: it counts anew, and all that was known is void. */
  heard (count: number): boolean {
    this.#contiguous ??= count
    if (count < this.#contiguous) { this.reset(count); return false }
    this.#highest = Math.max(this.#highest, count)
    return true
  }

  taken (numbers: Iterable<number>): void {
    for (const number of numbers) {
      this.#contiguous ??= number - 1
      this.#highest = Math.max(this.#highest, number)
      if (number > this.#contiguous) this.#ahead.add(number)
    }
    this.#close()
    if (this.#ahead.size > AHEAD_MAX) this.#ahead.delete(Math.max(...this.#ahead)) // taken again, which is harmless
  }

  get missing (): Missing | undefined {
    if (this.#contiguous === undefined || this.#contiguous >= this.#highest) return undefined
    let to = this.#highest
    while (this.#ahead.has(to)) to--
    return { from: this.#contiguous + 1, to }
  }

  /** Everything up to a number was read in another way. */
  filled (to: number): void {
    this.#contiguous = Math.max(this.#contiguous ?? 0, to)
    this.#highest = Math.max(this.#highest, to)
    this.#close()
  }

  reset (contiguous: number): void {
    this.#contiguous = contiguous
    this.#highest = contiguous
    this.#ahead.clear()
  }

  get highest (): number { return this.#highest }

  #close (): void {
    let contiguous = this.#contiguous ?? 0
    while (this.#ahead.delete(contiguous + 1)) contiguous++
    for (const number of this.#ahead) if (number <= contiguous) this.#ahead.delete(number)
    this.#contiguous = contiguous
  }
}
