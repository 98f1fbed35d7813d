/** The offline store in ClickHouse: a server's, or the embedded engine's, by the same client and the same SQL. */
export { openClickHouseOffline } from './store.ts'
export type { ClickHouseOffline, ClickHouseOfflineOptions, OfflineSql } from './store.ts'
export { lateOffline } from './late.ts'
export type { Tiers } from './tiers.ts'
export { SCHEMA_VERSION } from './schema.ts'
export { startEngine } from './engine/index.ts'
export type { Engine, EngineLogger, EngineOptions, EngineStart, EngineState } from './engine/index.ts'
