import { randomUUID } from 'node:crypto'
import { TOPICS, type EventCodecs } from '../../../streams/events/index.ts'
import type { Log } from '../../../streams/log/index.ts'
import { systemClock } from '../../../streams/time/index.ts'

const POLL_MS = 200
const SPEAKING_MS = 1_000
const TICK = 'latido.Tick'

/** An output as a read_committed reader sees it: when it was seen, and how long after the append that caused it. */
export interface Seen { readonly partition: number, readonly atMs: number, readonly latencyMs: number }

/** Reads the features topic as it grows. Ticks are no outputs. */
export class Watch implements AsyncDisposable {
  counting = false
  vectors = 0
  readonly latenciesMs: number[] = []
  /** The largest silence of each partition since `mark`, and when each was last heard. */
  readonly #lastMs: number[]
  #gapsMs: number[]
  #stopping = false
  readonly #running: Promise<void>

  constructor (log: Log, codecs: EventCodecs) {
    const partitions = log.partitionsOf(TOPICS.features)
    this.#lastMs = Array.from({ length: partitions }, () => NaN)
    this.#gapsMs = Array.from({ length: partitions }, () => 0)
    this.#running = this.#run(log, codecs)
  }

  /** Begins to look for the largest silence anew. */
  mark (): void { this.#gapsMs = this.#gapsMs.map(() => 0) }
  /** The largest silence of each partition since `mark`, the present one included. */
  gapsMs (): readonly number[] { return this.#gapsMs.map((gap, p) => Math.max(gap, systemClock.monotonicMs() - this.#lastMs[p]!)) }
  /** Each partition was heard within the last second. */
  speaking (): boolean { return this.#lastMs.every(at => systemClock.monotonicMs() - at < SPEAKING_MS) }
  heardAll (): boolean { return this.#lastMs.every(Number.isFinite) }

  async [Symbol.asyncDispose] (): Promise<void> { this.#stopping = true; await this.#running }

  async #run (log: Log, codecs: EventCodecs): Promise<void> {
    await using consumer = log.consumer({ group: `watch-${randomUUID()}`, instance: randomUUID(), topics: [TOPICS.features], from: 'earliest' })
    while (!this.#stopping) {
      for (const { partition, records: r } of await consumer.poll(POLL_MS)) {
        const wallMs = systemClock.now()
        const atMs = systemClock.monotonicMs()
        while (r.next()) {
          if (codecs.book.nameOf(r.valueBuffer, r.valueStart, r.valueEnd) === TICK) continue
          this.vectors++
          if (this.counting) this.latenciesMs.push(wallMs - r.timestamp)
          this.#gapsMs[partition] = Math.max(this.#gapsMs[partition]!, atMs - (this.#lastMs[partition]! || atMs))
          this.#lastMs[partition] = atMs
        }
      }
    }
  }
}
