import { join } from 'node:path'
import { type ClickHouseOffline, type Lake, localLake, s3Lake } from '../../../features/offline/index.ts'
import type { FeatureView } from '../../../features/define/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import type { Clock } from '../../../streams/time/index.ts'
import type { Config } from '../../config/index.ts'
import { Closers } from '../closers.ts'
import { openDataDir } from '../data-dir.ts'
import { openOfflineStore } from './offline-store.ts'
import { s3Credentials } from './s3-credentials.ts'

/** The offline store and a lake, for as long as `work` takes. The embedded engine belongs to one process: stop the instance that has it, or use a ClickHouse server. */
export async function withOfflineStore<T> (config: Config, views: readonly FeatureView[], clock: Clock, work: (store: ClickHouseOffline) => Promise<T>): Promise<T> {
  await using closers = new Closers()
  const dir = config.clickhouse === undefined ? closers.use(openDataDir(config.dataDir)) : { path: (...parts: readonly string[]) => join(config.dataDir, ...parts), [Symbol.dispose]: () => {} }
  const started = await openOfflineStore(config, dir, { clock, views }, closers)
  if (started.kind === 'off') throw new LatidoError('OFFLINE_UNAVAILABLE', `there is no offline store: ${started.why}`, 'use a machine that has the engine, or a ClickHouse server with --clickhouse')
  return await work(started.store)
}

/** A folder, or a URL of an S3 store, which the offline store's ClickHouse reads and writes. */
export function openLake (config: Pick<Config, 'dataDir'>, place: string | undefined, store: ClickHouseOffline | undefined): Lake {
  const at = place ?? join(config.dataDir, 'lake')
  if (!/^(s3|https?):\/\//.test(at)) return localLake(at)
  if (store === undefined) throw new LatidoError('CONFIG_INVALID', 'a lake in an S3 store needs the offline store', 'do not say --offline off')
  return s3Lake(store.sql, at, s3Credentials(process.env))
}

export function isRemote (place: string | undefined): boolean { return place !== undefined && /^(s3|https?):\/\//.test(place) }
