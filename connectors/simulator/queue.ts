/** What is due when: a binary heap, ties in order of insertion. */
export class DueQueue<T> {
  readonly #heap: { readonly dueMs: number, readonly order: number, readonly item: T }[] = []
  #order = 0

  get nextDueMs (): number | undefined { return this.#heap[0]?.dueMs }

  add (dueMs: number, item: T): void {
    const heap = this.#heap
    const entry = { dueMs, order: this.#order++, item }
    let at = heap.push(entry) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#before(at, parent)) break
      this.#swap(at, parent)
      at = parent
    }
  }

  take (): T | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined) return undefined
    if (heap.length > 0) {
      heap[0] = last
      this.#sink()
    }
    return first.item
  }

  #sink (): void {
    let at = 0
    for (;;) {
      let least = at
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < this.#heap.length && this.#before(child, least)) least = child
      if (least === at) return
      this.#swap(at, least)
      at = least
    }
  }

  #before (i: number, j: number): boolean {
    const a = this.#heap[i], b = this.#heap[j]
    if (a === undefined || b === undefined) return false
    return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order)
  }

  #swap (i: number, j: number): void {
    const heap = this.#heap
    const a = heap[i], b = heap[j]
    if (a === undefined || b === undefined) return
    heap[i] = b
    heap[j] = a
  }
}
