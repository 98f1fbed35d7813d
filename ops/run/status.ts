import type { ConnectorStatus, DeadLetterInfo, LogStatus, PipelineStatus, ProcessorStatus, TopicStatus } from '../../dashboards/server/index.ts'
import type { Connector } from '../../connectors/kit/index.ts'
import type { RunningProcessor } from '../../streams/engine/index.ts'
import { isLatidoError } from '../../streams/errors/index.ts'
import { TOPICS, type DeadLetter, type EventCodecs, type RefusalCause } from '../../streams/events/index.ts'
import type { Log, RecordCursor, TopicPartition } from '../../streams/log/index.ts'
import type { Clock } from '../../streams/time/index.ts'
import type { Metrics } from '../telemetry/index.ts'

const RATE_WINDOW_MS = 10_000
const NEWEST_DEAD_LETTERS = 50

/** Records of each topic, and the lag of each processor. */
interface Measured { readonly ends: ReadonlyMap<string, number>, readonly lags: ReadonlyMap<string, number> }

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
  readonly #driver: LogStatus['driver']
  readonly #why: string
  #deadLettersRead: number | undefined
  #measured: Measured = { ends: new Map(), lags: new Map() }
  #away = ''
  #sampling: Promise<void> | undefined
  #late = 0

  constructor (parts: { readonly log: Log, readonly driver: LogStatus['driver'], readonly why: string, readonly clock: Clock, readonly codecs: EventCodecs, readonly metrics: Metrics, readonly processors: readonly RunningProcessor[] }) {
    this.#log = parts.log
    this.#driver = parts.driver
    this.#why = parts.why
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

  /**
   * Takes a sample of totals; rates are differences over the last ten seconds. A cluster that does not answer is a state to show: what reads and
   * writes there knows itself when it cannot go on. The embedded log's failures are passed on.
   */
  sample (): Promise<void> {
    this.#sampling ??= this.#sample().finally(() => { this.#sampling = undefined })
    return this.#sampling
  }

  async #sample (): Promise<void> {
    try {
      this.#measured = await this.#measure()
      await this.#readDeadLetters()
      this.#away = ''
    } catch (e) {
      if (this.#driver === 'embedded' || !isLatidoError(e)) throw e
      this.#away = `${e.message} [${e.code}]`
    }
    this.#metrics.logUp.set({ driver: this.#driver }, this.#away === '' ? 1 : 0)
    if (this.#away !== '') return
    const { ends, lags } = this.#measured
    for (const [topic, records] of ends) this.#metrics.records.set({ topic }, records)
    for (const [processor, lag] of lags) this.#metrics.lag.set({ processor }, lag)
    const now = this.#clock.monotonicMs()
    this.#samples.push({ at: now, totals: new Map([...ends, ...this.#processors.map(p => [p.name, p.statistics.records] as const)]) })
    while (this.#samples.length > 2 && this.#samples[0]!.at < now - RATE_WINDOW_MS) this.#samples.shift()
  }

  /** The embedded log is asked anew, which costs nothing; a cluster is not asked for each page that looks. */
  async status (connectors: readonly Connector[], offline: PipelineStatus['offline']): Promise<PipelineStatus> {
    const { ends, lags } = this.#driver === 'embedded' ? await this.#measure() : this.#measured
    const topics: TopicStatus[] = this.#log.topics().map(({ name, partitions }) => ({ topic: name, partitions, records: ends.get(name) ?? 0, perSecond: this.#rate(name) }))
    const processors: ProcessorStatus[] = this.#processors.map(p => ({ name: p.name, lag: lags.get(p.name) ?? 0, perSecond: this.#rate(p.name), state: 'running' }))
    return {
      log: { driver: this.#driver, state: this.#away === '' ? 'on' : 'away', why: this.#away === '' ? this.#why : this.#away },
      topics, processors, connectors: this.#connectors(connectors),
      deadLetters: { total: [...this.#byCause.values()].reduce((a, b) => a + b, 0), byCause: Object.fromEntries(this.#byCause), newest: this.#newest },
      late: this.#late, offline, uptimeMs: this.#clock.monotonicMs() - this.#startedMs,
    }
  }

  #connectors (connectors: readonly Connector[]): readonly ConnectorStatus[] {
    return connectors.map(({ name, endpoint }) => ({ name, endpoint, counters: [...this.#counters.get(name) ?? []].map(([what, count]) => ({ what, count })) }))
  }

  async #measure (): Promise<Measured> {
    const ends = await Promise.all(this.#log.topics().map(async ({ name }) => [name, await this.#recordsOf(name)] as const))
    const lags = await Promise.all(this.#processors.map(async p => [p.name, await this.#lagOf(p)] as const))
    return { ends: new Map(ends), lags: new Map(lags) }
  }

  async #recordsOf (topic: string): Promise<number> {
    const ends = await Promise.all(this.#partitions(topic, async of => (await this.#log.range(of)).end))
    return ends.reduce((a, b) => a + b, 0)
  }

  /** Records between the committed offset and the end of the processor's input, over all partitions, whoever has them. */
  async #lagOf (p: RunningProcessor): Promise<number> {
    const lags = await Promise.all(this.#partitions(p.input, async of => {
      const [{ start, end }, committed] = await Promise.all([this.#log.range(of), this.#log.committedOffset(p.name, of)])
      return end - (committed ?? start)
    }))
    return lags.reduce((a, b) => a + b, 0)
  }

  #partitions<T> (topic: string, of: (partition: TopicPartition) => Promise<T>): readonly Promise<T>[] {
    return Array.from({ length: this.#log.partitionsOf(topic) }, (_, partition) => of({ topic, partition }))
  }

  #rate (name: string): number {
    const first = this.#samples[0]
    const last = this.#samples.at(-1)
    if (first === undefined || last === undefined || last.at <= first.at) return 0
    return ((last.totals.get(name) ?? 0) - (first.totals.get(name) ?? 0)) / (last.at - first.at) * 1_000
  }

  async #readDeadLetters (): Promise<void> {
    const of = { topic: TOPICS.deadLetters, partition: 0 }
    const reader = this.#log.reader(of, this.#deadLettersRead ?? (await this.#log.range(of)).start)
    for (let run = await reader.next(); run !== undefined; run = await reader.next()) {
      const { records } = run
      while (records.next()) this.#addDeadLetter(records)
      this.#deadLettersRead = run.nextOffset
    }
  }

  /** On a cluster anybody may write to the topic: what is no dead letter is passed over. */
  #addDeadLetter (record: RecordCursor): void {
    const letter = this.#letterOf(record)
    if (letter === undefined) return
    this.#byCause.set(letter.cause, (this.#byCause.get(letter.cause) ?? 0) + 1)
    this.#metrics.deadLetters.set({ cause: letter.cause }, this.#byCause.get(letter.cause)!)
    this.#newest.unshift({ offset: record.offset, cause: letter.cause, detail: letter.detail, source: letter.source, refusedAt: letter.refusedAt, bytes: letter.raw.length })
    if (this.#newest.length > NEWEST_DEAD_LETTERS) this.#newest.pop()
  }

  #letterOf (record: RecordCursor): DeadLetter | undefined {
    try {
      return this.#codecs.decodeDeadLetter(record)
    } catch (e) {
      if (this.#driver === 'embedded' || !isLatidoError(e)) throw e
      return undefined
    }
  }
}
