import { LatidoError } from '../../streams/errors/index.ts'
import type { Clock } from '../../streams/time/index.ts'
import type { OnlineStore } from '../online/index.ts'
import { doubleAt, readColumns } from '../packed-columns.ts'
import type { Selection, ServingCatalogue } from './catalogue.ts'
import { FeatureTable } from './feature-table.ts'
import { ServingTally } from './tally.ts'

/** What is to be read: features by name, or a feature service by its. */
export type FeatureQuery = { readonly features: readonly string[] } | { readonly service: string }

export const SERVING_LIMITS = { entitiesMax: 1_000, cellsMax: 1_000_000 } as const

export interface FeatureReaderParts {
  readonly store: Pick<OnlineStore, 'get'>
  readonly catalogue: ServingCatalogue
  readonly clock: Clock
  readonly tally?: ServingTally
  readonly limits?: { readonly entitiesMax: number, readonly cellsMax: number }
}

const AS_OF_BYTES = 8

/**
 * Reads features for entities as of now, in the process itself. One read of the store, in which the rows of one entity are of one moment: no
 * half of an update is seen. A row that is older than its view's time to live is not served.
 */
export class FeatureReader {
  readonly catalogue: ServingCatalogue
  readonly tally: ServingTally
  readonly limits: { readonly entitiesMax: number, readonly cellsMax: number }
  readonly #store: Pick<OnlineStore, 'get'>
  readonly #clock: Clock

  constructor ({ store, catalogue, clock, tally = new ServingTally(catalogue.views), limits = SERVING_LIMITS }: FeatureReaderParts) {
    this.catalogue = catalogue
    this.tally = tally
    this.limits = limits
    this.#store = store
    this.#clock = clock
  }

  /** What the query means; the same object each time, so that a caller may keep it. Throws VIEW_UNKNOWN, FEATURE_UNKNOWN, SERVICE_UNKNOWN, SELECTION_INVALID. */
  select (query: FeatureQuery): Selection { return 'service' in query ? this.catalogue.service(query.service) : this.catalogue.select(query.features) }

  /** Entities are answered in the order asked. Throws what `select` throws, TOO_MANY_ENTITIES, PAYLOAD_INVALID, and what the store throws. */
  async read (query: FeatureQuery | Selection, entities: readonly string[]): Promise<FeatureTable> {
    const selection = 'tables' in query ? query : this.select(query)
    this.#refuseTooMany(selection, entities)
    const started = this.#clock.monotonicMs()
    const rows = await this.#store.get(selection.tables, entities)
    const table = new FeatureTable(selection, entities, this.#clock.now())
    const present = fill(table, rows)
    this.tally.read(table, present, this.#clock.monotonicMs() - started)
    return table
  }

  #refuseTooMany ({ names }: Selection, entities: readonly string[]): void {
    const { entitiesMax, cellsMax } = this.limits
    if (entities.length > entitiesMax) throw new LatidoError('TOO_MANY_ENTITIES', `${entities.length} entities are asked for`, `ask for at most ${entitiesMax} at once`)
    if (entities.length * names.length > cellsMax) throw new LatidoError('TOO_MANY_ENTITIES', `${entities.length} entities with ${names.length} features each are asked for`, `ask for at most ${cellsMax} values at once`)
  }
}

/** Unpacks the rows into the table's columns. Answers how many values are present in each view. */
function fill (table: FeatureTable, rows: Awaited<ReturnType<OnlineStore['get']>>): Float64Array {
  const { data, now, columns, selection: { views } } = table
  const presentOf = new Float64Array(views.length)
  for (let v = 0; v < views.length; v++) {
    const { view, places } = views[v]!
    const { width, asOfAt, valuesAt, timesAt } = columns[v]!
    const count = view.names.length
    const ttlMs = view.ttlMs
    let present = 0
    for (let e = 0; e < rows.length; e++) {
      const stored = rows[e]![v]
      const at = e * width
      if (stored !== undefined) {
        const { value } = stored
        if (value.length < AS_OF_BYTES) throw new LatidoError('PAYLOAD_INVALID', `a stored row of view ${view.name} is cut short`, 'find the producer that writes it')
        const asOf = data[asOfAt + e] = doubleAt(value, 0)
        if (now - asOf <= ttlMs) {
          present += readColumns(value, AS_OF_BYTES, count, places, data, valuesAt + at, timesAt + at)
          continue
        }
      } else data[asOfAt + e] = NaN
      data.fill(NaN, valuesAt + at, valuesAt + at + width)
      data.fill(NaN, timesAt + at, timesAt + at + width)
    }
    presentOf[v] = present
  }
  return presentOf
}
