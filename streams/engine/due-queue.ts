import type { ArrivalTimeMs } from '../time/index.ts'

interface Due { readonly at: ArrivalTimeMs, readonly key: string }

/** Keys by due time, ties by key: a binary heap in which stale entries stay until they surface. O(log n) each way. */
export class DueQueue {
  readonly #heap: Due[] = []
  readonly #current = new Map<string, ArrivalTimeMs>()

  set (key: string, at: ArrivalTimeMs | undefined): void {
    if (this.#current.get(key) === at) return
    if (at === undefined) { this.#current.delete(key); return }
    this.#current.set(key, at)
    this.#heap.push({ at, key })
    this.#up(this.#heap.length - 1)
  }

  /** Takes the earliest key that is due at or before `clock`. */
  take (clock: ArrivalTimeMs): Due | undefined {
    const first = this.#first()
    if (first === undefined || first.at > clock) return undefined
    this.#pop()
    this.#current.delete(first.key)
    return first
  }

  earliest (): ArrivalTimeMs | undefined { return this.#first()?.at }

  #first (): Due | undefined {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined || this.#current.get(first.key) === first.at) return first
      this.#pop()
    }
  }

  #pop (): void {
    const last = this.#heap.pop()!
    if (this.#heap.length === 0) return
    this.#heap[0] = last
    this.#down()
  }

  #up (from: number): void {
    const heap = this.#heap
    for (let i = from; i > 0;) {
      const parent = (i - 1) >> 1
      if (!before(heap[i]!, heap[parent]!)) return
      ;[heap[i], heap[parent]] = [heap[parent]!, heap[i]!]
      i = parent
    }
  }

  #down (): void {
    const heap = this.#heap
    for (let i = 0; ;) {
      const left = 2 * i + 1
      if (left >= heap.length) return
      const child = left + 1 < heap.length && before(heap[left + 1]!, heap[left]!) ? left + 1 : left
      if (!before(heap[child]!, heap[i]!)) return
      ;[heap[i], heap[child]] = [heap[child]!, heap[i]!]
      i = child
    }
  }
}

function before (a: Due, b: Due): boolean { return a.at < b.at || (a.at === b.at && a.key < b.key) }
