import type { ConnectorStatus, DeadLetterInfo, PipelineStatus, ProcessorStatus, TopicStatus } from '../../dashboards/server/index.ts'
import type { Connector } from '../../connectors/kit/index.ts'
import type { RunningProcessor } from '../../streams/engine/index.ts'
import { TOPICS, type EventCodecs, type RefusalCause } from '../../streams/events/index.ts'
import type { Log } from '../../streams/log/index.ts'
import type { Clock } from '../../streams/time/index.ts'
import type { Metrics } from '../telemetry/index.ts'

const RATE_WINDOW_MS = 10_000
const NEWEST_DEAD_LETTERS = 50

/** Rates, lags, dead letters and counters of the running pipeline, for the page and for Prometheus. */
export class PipelineMonitor {
  readonly #log: Log
  readonly #clock: Clock
  readonly #codecs: EventCodecs
  readonly #metrics: Metrics
  readonly #processors: readonly RunningProcessor[]
  readonly #startedMs: number
  readonly #samples: { readonly at: number, readonly totals: ReadonlyMap<string, number> }[] = []
  readonly #counters = new Map<string, Map<string, number>>()
  readonly #byCause = new Map<RefusalCause, number>()
  readonly #newest: DeadLetterInfo[] = []
  #deadLettersRead = 0
  #late = 0

  constructor (parts: { readonly log: Log, readonly clock: Clock, readonly codecs: EventCodecs, readonly metrics: Metrics, readonly processors: readonly RunningProcessor[] }) {
    this.#log = parts.log
    this.#clock = parts.clock
    this.#codecs = parts.codecs
    this.#metrics = parts.metrics
    this.#processors = parts.processors
    this.#startedMs = parts.clock.monotonicMs()
  }

  count (source: string, what: string, n: number): void {
    const connector = source.split(':')[0]!
    const counters = this.#counters.get(connector) ?? new Map<string, number>()
    this.#counters.set(connector, counters)
    counters.set(what, (counters.get(what) ?? 0) + n)
    this.#metrics.intake.inc({ source: connector, what }, n)
  }

  applied (became: string): void {
    if (became === 'late') this.#late++
    this.#metrics.readings.inc({ became })
  }

  /** Takes a sample of totals; rates are differences over the last ten seconds. */
  async sample (): Promise<void> {
    const totals = new Map<string, number>()
    for (const { name } of this.#log.topics()) {
      const records = await this.#recordsOf(name)
      totals.set(name, records)
      this.#metrics.records.set({ topic: name }, records)
    }
    for (const p of this.#processors) {
      totals.set(p.name, p.statistics.records)
      this.#metrics.lag.set({ processor: p.name }, await this.#lagOf(p))
    }
    const now = this.#clock.monotonicMs()
    this.#samples.push({ at: now, totals })
    while (this.#samples.length > 2 && this.#samples[0]!.at < now - RATE_WINDOW_MS) this.#samples.shift()
    await this.#readDeadLetters()
  }

  async status (connectors: readonly Connector[], offline: PipelineStatus['offline']): Promise<PipelineStatus> {
    const topics: TopicStatus[] = []
    for (const { name, partitions } of this.#log.topics()) topics.push({ topic: name, partitions, records: await this.#recordsOf(name), perSecond: this.#rate(name) })
    const processors: ProcessorStatus[] = []
    for (const p of this.#processors) processors.push({ name: p.name, lag: await this.#lagOf(p), perSecond: this.#rate(p.name), state: 'running' })
    return {
      topics, processors, connectors: this.#connectors(connectors),
      deadLetters: { total: [...this.#byCause.values()].reduce((a, b) => a + b, 0), byCause: Object.fromEntries(this.#byCause), newest: this.#newest },
      late: this.#late, offline, uptimeMs: this.#clock.monotonicMs() - this.#startedMs,
    }
  }

  #connectors (connectors: readonly Connector[]): readonly ConnectorStatus[] {
    return connectors.map(({ name, endpoint }) => ({ name, endpoint, counters: [...this.#counters.get(name) ?? []].map(([what, count]) => ({ what, count })) }))
  }

  async #recordsOf (topic: string): Promise<number> {
    let records = 0
    for (let partition = 0; partition < this.#log.partitionsOf(topic); partition++) records += (await this.#log.range({ topic, partition })).end
    return records
  }

  /** Records between the committed offset and the end of the processor's input. */
  async #lagOf (p: RunningProcessor): Promise<number> {
    let lag = 0
    for (let partition = 0; partition < this.#log.partitionsOf(p.input); partition++) {
      const { start, end } = await this.#log.range({ topic: p.input, partition })
      lag += end - (await this.#log.committedOffset(p.name, { topic: p.input, partition }) ?? start)
    }
    return lag
  }

  #rate (name: string): number {
    const first = this.#samples[0]
    const last = this.#samples.at(-1)
    if (first === undefined || last === undefined || last.at <= first.at) return 0
    return ((last.totals.get(name) ?? 0) - (first.totals.get(name) ?? 0)) / (last.at - first.at) * 1_000
  }

  async #readDeadLetters (): Promise<void> {
    const reader = this.#log.reader({ topic: TOPICS.deadLetters, partition: 0 }, this.#deadLettersRead)
    for (let run = await reader.next(); run !== undefined; run = await reader.next()) {
      const { records } = run
      while (records.next()) {
        const letter = this.#codecs.decodeDeadLetter(records)
        this.#byCause.set(letter.cause, (this.#byCause.get(letter.cause) ?? 0) + 1)
        this.#metrics.deadLetters.set({ cause: letter.cause }, this.#byCause.get(letter.cause)!)
        this.#newest.unshift({ offset: records.offset, cause: letter.cause, detail: letter.detail, source: letter.source, refusedAt: letter.refusedAt, bytes: letter.raw.length })
        if (this.#newest.length > NEWEST_DEAD_LETTERS) this.#newest.pop()
      }
      this.#deadLettersRead = run.nextOffset
    }
  }
}
