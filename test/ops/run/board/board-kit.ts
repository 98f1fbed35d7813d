import type { BoardAnswer, BoardEntity, BoardIndex, BoardQuery } from '../../../../features/board/index.ts'
import { OwnBoardIndex } from '../../../../features/board/index.ts'
import type { OnlineRow, OnlineStore, StoredRow } from '../../../../features/online/index.ts'
import { onlineValue, tableOf } from '../../../../features/serving/index.ts'
import { news2View, vitalsView } from '../../../../features/views/index.ts'
import type { FeatureView } from '../../../../features/define/index.ts'
import { LatidoError } from '../../../../streams/errors/index.ts'

/** The online store's contract in a few maps; counts what is read. */
export class MemoryOnline implements OnlineStore {
  readonly #rows = new Map<string, OnlineRow>()
  entitiesRead = 0
  failing = false
  scans = 0

  put (rows: readonly OnlineRow[]): Promise<void> {
    for (const row of rows) {
      const key = `${row.table}/${row.entity}`
      if ((this.#rows.get(key)?.version ?? -1) < row.version) this.#rows.set(key, row)
    }
    return Promise.resolve()
  }

  get (tables: readonly string[], entities: readonly string[]): Promise<readonly (readonly (StoredRow | undefined)[])[]> {
    if (this.failing) return Promise.reject(new LatidoError('ONLINE_UNAVAILABLE', 'away', 'wait'))
    this.entitiesRead += entities.length
    return Promise.resolve(entities.map(entity => tables.map(table => stored(this.#rows.get(`${table}/${entity}`)))))
  }

  scan (table: string): Promise<readonly StoredRow[]> {
    this.scans++
    return Promise.resolve([...this.#rows.values()].flatMap(row => row.table === table ? stored(row) ?? [] : []))
  }

  erase (entity: string): Promise<void> {
    for (const [key, row] of this.#rows) if (row.entity === entity) this.#rows.delete(key)
    return Promise.resolve()
  }

  [Symbol.asyncDispose] (): Promise<void> { return Promise.resolve() }
}

function stored (row: OnlineRow | undefined): StoredRow | undefined { return row === undefined || row.value === null ? undefined : { entity: row.entity, version: row.version, value: row.value } }

/** An index that may be away, and that outlives whoever writes it. */
export class TestIndex implements BoardIndex {
  readonly by: BoardIndex['by'] = 'own-index'
  inner: OwnBoardIndex = new OwnBoardIndex()
  away = false
  readonly puts: { readonly patients: readonly string[] }[] = []

  #version = 0
  /** As the time goes on where all else is lost. */
  version (): Promise<number> { return this.#ask(() => Promise.resolve(++this.#version)) }
  put (entities: readonly BoardEntity[], version: number): Promise<void> {
    return this.#ask(() => {
      if (entities.length > 0) this.puts.push({ patients: entities.map(({ patient }) => patient) })
      return this.inner.put(entities, version)
    })
  }

  remove (patients: readonly string[], version: number): Promise<void> { return this.#ask(() => this.inner.remove(patients, version)) }
  patients (): Promise<readonly string[]> { return this.#ask(() => this.inner.patients()) }
  search (query: BoardQuery): Promise<BoardAnswer> { return this.#ask(() => this.inner.search(query)) }
  [Symbol.asyncDispose] (): Promise<void> { return Promise.resolve() }

  #ask<T> (work: () => Promise<T>): Promise<T> { return this.away ? Promise.reject(new LatidoError('ONLINE_UNAVAILABLE', 'away', 'wait')) : work() }
}

export const ALL: BoardQuery = { sort: 'place', descending: false, offset: 0, limit: 1_000 }

export function encounterRow (entity: string, version: number, ward: string, bed: string, action = 'admit'): OnlineRow {
  return { table: 'encounters', entity, version, value: Buffer.from(JSON.stringify({ type: 'encounter', action, eventTime: version, source: 'test', ward, bed, ageYears: 60, sex: 'female', hoursSinceHospitalAdmission: -1 })) }
}

export function alertsRow (entity: string, version: number, state: string | undefined): OnlineRow {
  const alerts = state === undefined ? [] : [{ alertId: `a${version}`, rule: 'news2-emergency', priority: 'high', state, raisedAt: version, changedAt: version, onsetEventTime: version, value: 9, threshold: 7, missing: [], reasons: [], acknowledgedBy: '', basis: 'news2@1' }]
  return { table: 'alerts', entity, version, value: Buffer.from(JSON.stringify(alerts)) }
}

/** A vector of the view in which some features are present. */
export function vectorRow (view: FeatureView, entity: string, version: number, asOf: number, given: Readonly<Record<string, number>>): OnlineRow {
  const at = (name: string): number => given[name] ?? NaN
  const values = Float64Array.from(view.names, at)
  const times = Float64Array.from(view.names, name => Number.isNaN(at(name)) ? NaN : asOf)
  return { table: tableOf(view), entity, version, value: onlineValue({ type: 'vector', view: view.name, version: view.version, asOf, trigger: 'charted', values, times }) }
}

export function news2Row (entity: string, version: number, asOf: number, news2: number): OnlineRow { return vectorRow(news2View, entity, version, asOf, { news2, news2Pulse: news2 }) }
export function vitalsRow (entity: string, version: number, asOf: number, heartRate: number): OnlineRow { return vectorRow(vitalsView, entity, version, asOf, { heartRateLast: heartRate }) }
