import { connect } from 'node:net'
import type { FeatureView } from '../../features/define/index.ts'
import { FeatureReader, ServingCatalogue, type FeatureService } from '../../features/serving/index.ts'
import { LatidoError } from '../../streams/errors/index.ts'
import { ManualClock } from '../../streams/time/index.ts'
import type { OnlineRow, OnlineStore, StoredRow } from '../../features/online/index.ts'
import { latestView, rowOf } from '../features/serving/kit.ts'

export const NOW: number = Date.UTC(2026, 0, 31, 12)
export const NUMERICS: FeatureView = latestView('numerics')
export const BLOOD: FeatureView = latestView('blood', { version: 2, count: 10, ttl: '1 h' })
export const SERVICES: readonly FeatureService[] = [{ name: 'both', description: 'Numerics and lactate', features: ['blood:lactateLast', 'numerics'] }]
export const CATALOGUE: ServingCatalogue = new ServingCatalogue([NUMERICS, BLOOD], SERVICES)

/** Rows in memory; `away` refuses as a store does that is down. */
export class FakeStore implements Pick<OnlineStore, 'get'> {
  readonly rows: Map<string, StoredRow> = new Map()
  away = false
  put ({ table, entity, version, value }: OnlineRow): void { this.rows.set(`${table}/${entity}`, { entity, version, value: value! }) }
  get (tables: readonly string[], entities: readonly string[]): Promise<readonly (readonly (StoredRow | undefined)[])[]> {
    if (this.away) return Promise.reject(new LatidoError('ONLINE_UNAVAILABLE', 'the online store does not answer', 'look at it'))
    return Promise.resolve(entities.map(entity => tables.map(table => this.rows.get(`${table}/${entity}`))))
  }
}

/** Anna has everything but a saturation, Ben numerics that have expired. */
export function fakeFeatures (): { readonly store: FakeStore, readonly features: FeatureReader } {
  const store = new FakeStore()
  store.put(rowOf(NUMERICS, 'anna', NOW - 1_000, [80, NaN, 120.5], [NOW - 6_000, NaN, NOW - 2_000]))
  store.put(rowOf(BLOOD, 'anna', NOW - 11_000, [1, 2, 3, 4, 5, 6.5, 1 / 3, 8, 9, 10], Array.from({ length: 10 }, () => NOW - 20_000)))
  store.put(rowOf(NUMERICS, 'ben', NOW - 60_001, [60, 97, 110], [NOW - 61_000, NOW - 61_000, NOW - 61_000]))
  return { store, features: new FeatureReader({ store, catalogue: CATALOGUE, clock: new ManualClock(NOW) }) }
}

/** Writes to a socket and answers what comes until `complete` says that it is all. */
export function exchange (port: number, request: string, complete: (received: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => { socket.write(request) })
    let received = ''
    socket.setEncoding('latin1')
    socket.setTimeout(60_000, () => { socket.destroy(new Error(`nothing more came after ${JSON.stringify(received.slice(0, 500))}`)) })
    socket.on('data', (chunk: string) => { received += chunk; if (complete(received)) { socket.destroy(); resolve(received) } })
    socket.on('error', reject)
    socket.on('close', () => { resolve(received) })
  })
}
