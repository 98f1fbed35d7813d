import type { ConnectorStatus, LogStatus, PipelineStatus, ProcessorStatus, TopicStatus } from '../../dashboards/server/index.ts'
import type { Connector } from '../../connectors/kit/index.ts'
import type { RunningProcessor } from '../../streams/engine/index.ts'
import { isLatidoError } from '../../streams/errors/index.ts'
import type { Log, TopicPartition } from '../../streams/log/index.ts'
import type { Clock } from '../../streams/time/index.ts'
import type { Metrics } from '../telemetry/index.ts'
import type { DeadLetterReader } from './dead-letters/index.ts'
import { RunningFeed } from './feeds/index.ts'

const RATE_WINDOW_MS = 10_000
const NEWEST_DEAD_LETTERS = 50

/** Records of each topic, and the lag of each processor. */
interface Measured { readonly ends: ReadonlyMap<string, number>, readonly lags: ReadonlyMap<string, number> }

/** Rates, lags, dead letters and counters of the running pipeline, for the page and for Prometheus. */
export class PipelineMonitor {
  readonly #log: Log
  readonly #clock: Clock
  readonly #metrics: Metrics
  readonly #processors: readonly RunningProcessor[]
  readonly #startedMs: number
  readonly #samples: { readonly at: number, readonly totals: ReadonlyMap<string, number> }[] = []
  readonly #counters = new Map<string, Map<string, number>>()
  readonly #letters: DeadLetterReader
  readonly #driver: LogStatus['driver']
  readonly #why: string
  #measured: Measured = { ends: new Map(), lags: new Map() }
  #away = ''
  #sampling: Promise<void> | undefined
  #late = 0
  #leftBehind = 0

  constructor (parts: { readonly log: Log, readonly driver: LogStatus['driver'], readonly why: string, readonly clock: Clock, readonly letters: DeadLetterReader, readonly metrics: Metrics, readonly processors: readonly RunningProcessor[] }) {
    this.#log = parts.log
    this.#driver = parts.driver
    this.#why = parts.why
    this.#clock = parts.clock
    this.#letters = parts.letters
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
    if (became === 'left-behind') this.#leftBehind++
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
      await this.#letters.catchUp()
      this.#away = ''
    } catch (e) {
      if (this.#driver === 'embedded' || !isLatidoError(e)) throw e
      this.#away = `${e.message} [${e.code}]`
    }
    this.#metrics.logUp.set({ driver: this.#driver }, this.#away === '' ? 1 : 0)
    if (this.#away !== '') return
    const { ends, lags } = this.#measured
    for (const [cause, n] of this.#letters.book.byCause) this.#metrics.deadLetters.set({ cause }, n)
    this.#metrics.deadLettersOpen.set(this.#letters.book.open)
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
      deadLetters: this.#deadLetters(),
      late: this.#late, leftBehind: this.#leftBehind, offline, uptimeMs: this.#clock.monotonicMs() - this.#startedMs,
    }
  }

  #connectors (connectors: readonly Connector[]): readonly ConnectorStatus[] {
    return connectors.map(connector => {
      const { name, endpoint } = connector
      const counters = connector instanceof RunningFeed ? connector.counters : this.#counters.get(name) ?? []
      return { name, endpoint, health: connector.health(), counters: [...counters].map(([what, count]) => ({ what, count })) }
    })
  }

  #deadLetters (): PipelineStatus['deadLetters'] {
    const { book } = this.#letters
    const { total, open, byCause } = book
    return { total, open, byCause: Object.fromEntries(byCause), newest: book.newest(NEWEST_DEAD_LETTERS).map(({ at, cause, detail, source, refusedAt, bytes }) => ({ offset: at, cause, detail, source, refusedAt, bytes })) }
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
}
