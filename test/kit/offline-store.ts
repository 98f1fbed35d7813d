import { openClickHouseOffline, type ClickHouseOffline, type ClickHouseOfflineOptions, type Engine } from '../../features/offline/index.ts'
import { systemClock } from '../../streams/time/index.ts'

/** The store on an embedded engine, found again after a restart of it; `more` may name a database of a test's own. */
export function storeOn (engine: Engine, more: Partial<ClickHouseOfflineOptions> = {}): Promise<ClickHouseOffline> {
  return openClickHouseOffline({ url: () => engine.url, username: 'latido', password: engine.token, clock: systemClock, ...more })
}
