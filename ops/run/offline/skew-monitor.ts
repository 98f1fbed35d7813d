import { type FeatureView, viewKey } from '../../../features/define/index.ts'
import { checkSkew, type OfflineSql, skewIn, type SkewReport } from '../../../features/offline/index.ts'
import { isLatidoError, messageOf } from '../../../streams/errors/index.ts'
import type { ArrivalTimeMs, Clock, DurationMs } from '../../../streams/time/index.ts'
import type { Logger, Metrics } from '../../telemetry/index.ts'

/** Vectors younger than this may wait for the offline writer still. */
const SETTLED_MS: DurationMs = 30_000
/** So many vectors of a view are compared each time: a part of a second of the store's work. */
const VECTORS_MAX = 100

export interface SkewMonitorParts {
  readonly sql: OfflineSql
  readonly views: readonly FeatureView[]
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'skewCompared' | 'skewDifferent'>
  readonly logger: Pick<Logger, 'warn' | 'info'>
  readonly everyMs: DurationMs
  /** False while the store is behind or away: nothing is compared then. */
  readonly caughtUp: () => boolean
}

/** Compares a sample of what was served with what the observations say, one view at a time, all of them once in `everyMs`. A log line for each change for the worse or the better. */
export class SkewMonitor implements AsyncDisposable {
  readonly #parts: SkewMonitorParts
  readonly #stop: () => void
  readonly #skewed = new Set<string>()
  #next = 0
  #since: ArrivalTimeMs
  #working: Promise<void> | undefined

  constructor (parts: SkewMonitorParts) {
    this.#parts = parts
    this.#since = parts.clock.now()
    this.#stop = parts.clock.every(Math.max(1_000, Math.floor(parts.everyMs / Math.max(1, parts.views.length))), () => { this.#working ??= this.look().finally(() => { this.#working = undefined }) })
  }

  /** The next view's turn. */
  async look (): Promise<void> {
    const { views, clock, sql, caughtUp, everyMs, logger } = this.#parts
    const view = views[this.#next++ % Math.max(1, views.length)]
    const to = clock.now() - SETTLED_MS
    const from = Math.max(this.#since, to - 2 * everyMs)
    if (view === undefined || to <= from || !caughtUp()) return
    try {
      this.#tell(await checkSkew(sql, { view, from, to, share: 1, vectorsMax: VECTORS_MAX, examplesMax: 1 }))
    } catch (e) {
      if (!isLatidoError(e)) throw e
      logger.warn({ view: view.name, cause: messageOf(e) }, 'skew could not be measured; tried again later')
    }
  }

  #tell (report: SkewReport): void {
    const { values, different, features } = report
    const name = viewKey(report)
    this.#parts.metrics.skewCompared.inc({ view: name }, values)
    for (const { outcomes } of features) for (const [outcome, n] of skewIn(outcomes)) this.#parts.metrics.skewDifferent.inc({ view: name, outcome }, n)
    if ((different > 0) === this.#skewed.has(name)) return
    const odd = features.filter(f => f.examples.length > 0).map(f => ({ feature: f.feature, cause: f.examples[0]!.cause }))
    if (different > 0) { this.#skewed.add(name); this.#parts.logger.warn({ view: name, values, different, features: odd.slice(0, 10) }, 'served features differ from the observations: run "latido skew"') }
    else { this.#skewed.delete(name); this.#parts.logger.info({ view: name, values }, 'served features agree with the observations again') }
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#stop()
    await this.#working
  }
}
