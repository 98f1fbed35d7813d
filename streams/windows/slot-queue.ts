import type { ArrivalTimeMs } from '../time/index.ts'

/** Slots by due time, ties in the order of their keys: a binary heap in which stale entries stay until they surface. O(log n) each way. */
export class SlotQueue {
  readonly #compare: (a: number, b: number) => number
  readonly #heap: { readonly at: ArrivalTimeMs, readonly slot: number }[] = []
  /** The due time of each slot; Infinity: none. */
  readonly #current: number[] = []

  constructor (compare: (a: number, b: number) => number) { this.#compare = compare }

  set (slot: number, at: ArrivalTimeMs): void {
    while (this.#current.length <= slot) this.#current.push(Infinity)
    if (this.#current[slot] === at) return
    this.#current[slot] = at
    if (at === Infinity) return
    const heap = this.#heap
    let i = heap.push({ at, slot }) - 1
    for (let parent = (i - 1) >> 1; i > 0 && this.#before(i, parent); parent = (i - 1) >> 1) { this.#swap(i, parent); i = parent }
  }

  /** The earliest due time; Infinity: none. */
  earliest (): ArrivalTimeMs {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined) return Infinity
      if (this.#current[first.slot] === first.at) return first.at
      this.#pop()
    }
  }

  /** Takes the earliest slot that is due at or before `clock`; -1: none. */
  take (clock: ArrivalTimeMs): number {
    if (this.earliest() > clock) return -1
    const { slot } = this.#heap[0]!
    this.#pop()
    this.#current[slot] = Infinity
    return slot
  }

  #pop (): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    heap[0] = last
    for (let i = 0, child = 1; child < heap.length; child = 2 * i + 1) {
      if (child + 1 < heap.length && this.#before(child + 1, child)) child++
      if (!this.#before(child, i)) return
      this.#swap(i, child)
      i = child
    }
  }

  #before (i: number, j: number): boolean {
    const a = this.#heap[i]!
    const b = this.#heap[j]!
    return a.at < b.at || (a.at === b.at && this.#compare(a.slot, b.slot) < 0)
  }

  #swap (i: number, j: number): void {
    const held = this.#heap[i]!
    this.#heap[i] = this.#heap[j]!
    this.#heap[j] = held
  }
}
