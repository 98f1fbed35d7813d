import { viewKey, type FeatureView } from '../define/index.ts'
import type { ArrivalTimeMs } from '../../streams/time/index.ts'
import type { ViewRecord } from './record.ts'

export interface PublishedView {
  readonly definition: FeatureView
  readonly fingerprint: string
  readonly generation: number
  /** It speaks of records that arrived from here on. */
  readonly since: ArrivalTimeMs
  readonly publishedAt: ArrivalTimeMs
  readonly state: 'building' | 'live' | 'retired'
}

/** The fold of `latido.views`. */
export class PublishedViews {
  readonly #views = new Map<string, PublishedView>()

  /** `at`: when the log had the record. */
  apply (record: ViewRecord, at: ArrivalTimeMs): void {
    if (record.kind === 'published') {
      const { definition, fingerprint, generation, silent } = record
      const key = viewKey(definition)
      if (!this.#views.has(key)) this.#views.set(key, { definition, fingerprint, generation, since: silent ? at : 0, publishedAt: at, state: silent ? 'building' : 'live' })
      return
    }
    const key = viewKey(record)
    const view = this.#views.get(key)
    if (view !== undefined && view.state !== 'retired') this.#views.set(key, { ...view, state: record.kind })
  }

  get size (): number { return this.#views.size }
  all (): readonly PublishedView[] { return [...this.#views.values()] }
  get (view: Pick<FeatureView, 'name' | 'version'>): PublishedView | undefined { return this.#views.get(viewKey(view)) }
  /** The number of the next generation. */
  nextGeneration (): number { return this.all().reduce((most, { generation }) => Math.max(most, generation + 1), 0) }
  /** All views of a generation, in the order of their publication: what its plan is made of, for ever. */
  ofGeneration (generation: number): readonly PublishedView[] { return this.all().filter(view => view.generation === generation) }
}
