import type { Outputs } from '../engine/index.ts'
import type { ArrivalTimeMs } from '../time/index.ts'

const FIRST_BYTES = 1 << 16
/** Numbers of one record: topic, time, where key and value begin and end. */
const STRIDE = 6

/**
 * The outputs of a batch as bytes, until the loop writes them: a step that throws has then written nothing. One buffer for all records, used
 * again by each batch. Whoever writes asks for room by `need`, writes at `at`, and moves it on.
 */
export class OutputBuffer {
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)
  at = 0
  #records = new Float64Array(STRIDE * 256)
  #count = 0
  readonly #topics: readonly string[]

  /** Outputs name their topic by its place here. */
  constructor (topics: readonly string[]) { this.#topics = topics }

  get count (): number { return this.#count }

  clear (): void {
    this.at = 0
    this.#count = 0
  }

  need (bytes: number): void {
    if (this.at + bytes <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.at + bytes))
    this.bytes.copy(larger, 0, 0, this.at)
    this.bytes = larger
  }

  /** Copies bytes to `at`. */
  put (from: Buffer, start: number, end: number): void {
    this.need(end - start)
    const to = this.bytes
    let at = this.at
    if (end - start <= 32) for (let i = start; i < end; i++) to[at++] = from[i]!
    else at += from.copy(to, at, start, end)
    this.at = at
  }

  /** A record whose key and value stand in `bytes`; a key start of -1 is none. */
  add (topic: number, timestamp: ArrivalTimeMs, keyStart: number, keyEnd: number, valueStart: number, valueEnd: number): void {
    const at = this.#count++ * STRIDE
    if (at + STRIDE > this.#records.length) {
      const larger = new Float64Array(this.#records.length * 2)
      larger.set(this.#records)
      this.#records = larger
    }
    const r = this.#records
    r[at] = topic
    r[at + 1] = timestamp
    r[at + 2] = keyStart
    r[at + 3] = keyEnd
    r[at + 4] = valueStart
    r[at + 5] = valueEnd
  }

  write (out: Outputs): void {
    const r = this.#records
    for (let topic = 0; topic < this.#topics.length; topic++) {
      let sink
      for (let at = 0; at < this.#count * STRIDE; at += STRIDE) {
        if (r[at] !== topic) continue
        sink ??= out(this.#topics[topic]!)
        sink.add(r[at + 1]!, this.bytes, r[at + 2]!, r[at + 3]!, this.bytes, r[at + 4]!, r[at + 5]!)
      }
    }
  }
}
