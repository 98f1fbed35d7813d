import type { RecordCursor, RecordHeader } from '../log/index.ts'

/** A cursor in portions: gives up to `records` records below `below`, then pauses until it is allowed more. */
export class SliceCursor implements RecordCursor {
  readonly #inner: RecordCursor
  #left = 0
  #below = 0
  /** The inner cursor stands on a record that has not been given yet. */
  #holds = false
  #ended = false

  constructor (inner: RecordCursor) { this.#inner = inner }

  /** Of the record given last; -1 before the first. */
  lastOffset = -1

  /** False: there is nothing left behind this portion. */
  get more (): boolean { return !this.#ended }
  /** All below the limit has been given, and a record beyond it is held back. */
  get holding (): boolean { return this.#holds }
  get offset (): number { return this.#inner.offset }
  get timestamp (): number { return this.#inner.timestamp }
  get keyBuffer (): Buffer { return this.#inner.keyBuffer }
  get keyStart (): number { return this.#inner.keyStart }
  get keyEnd (): number { return this.#inner.keyEnd }
  get valueBuffer (): Buffer { return this.#inner.valueBuffer }
  get valueStart (): number { return this.#inner.valueStart }
  get valueEnd (): number { return this.#inner.valueEnd }
  headers (): readonly RecordHeader[] { return this.#inner.headers() }

  allow (records: number, below: number): void {
    this.#left = records
    this.#below = below
  }

  next (): boolean {
    if (this.#left === 0 || this.#ended) return false
    if (!this.#holds && !this.#inner.next()) { this.#ended = true; return false }
    this.#holds = this.#inner.offset >= this.#below
    if (this.#holds) return false
    this.#left--
    this.lastOffset = this.#inner.offset
    return true
  }
}
