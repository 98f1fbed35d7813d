import { type ClickHouseOffline, type EngineState, lateOffline, openClickHouseOffline, startEngine } from '../../../features/offline/index.ts'
import type { FeatureView } from '../../../features/define/index.ts'
import { isLatidoError, messageOf } from '../../../streams/errors/index.ts'
import type { Clock } from '../../../streams/time/index.ts'
import { type ClickHouseConfig, type Config, isLoopback } from '../../config/index.ts'
import { fileOf } from '../../security/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { Closers } from '../closers.ts'
import type { DataDir } from '../data-dir.ts'

const ROLLUP_MS = 60_000

/** `off`: this platform has no engine, or it is switched off. */
export type OfflineStart =
  | { readonly kind: 'on', readonly store: ClickHouseOffline, state (): EngineState }
  | { readonly kind: 'off', readonly why: string }

export interface OfflineStartOptions {
  readonly clock: Clock
  readonly logger?: Logger
  /** Their names and units are kept beside the vectors. */
  readonly views: readonly FeatureView[]
  /** The store may be away at the start; what writes to it waits. */
  readonly mayBeAway?: boolean
}

/**
 * The ClickHouse server of the configuration, or the embedded engine on the data directory.
 * Throws OFFLINE_UNAVAILABLE (unless it may be away), SCHEMA_INCOMPATIBLE, CONFIG_INVALID, FILE_UNREADABLE, DATA_DIR_IN_USE.
 */
export async function openOfflineStore (config: Pick<Config, 'offline' | 'clickhouse' | 'tiers'>, dir: DataDir, options: OfflineStartOptions, closers: Closers): Promise<OfflineStart> {
  if (config.offline === 'off') return { kind: 'off', why: 'switched off' }
  if (config.clickhouse !== undefined) return { kind: 'on', store: closers.use(await openServer(config.clickhouse, config.tiers, options)), state: () => 'on' }
  const { clock, logger, views } = options
  const started = await startEngine({ directory: dir.path('offline'), clock, ...(logger === undefined ? {} : { logger }) })
  if (started.kind === 'off') return { kind: 'off', why: started.why }
  const engine = closers.use(started.engine)
  const store = closers.use(await openClickHouseOffline({ url: () => engine.url, username: 'latido', password: engine.token, clock, tiers: config.tiers }))
  await register(store, views)
  return { kind: 'on', store, state: () => engine.state }
}

async function openServer (server: ClickHouseConfig, tiers: Config['tiers'], { clock, logger, views, mayBeAway }: OfflineStartOptions): Promise<ClickHouseOffline> {
  const { url, user, database } = server
  const secrets = { password: server.passwordFile === '' ? '' : fileOf('--clickhouse-password-file', server.passwordFile).toString('utf8').trim(), ...(server.caFile === '' ? {} : { caCertificate: fileOf('--clickhouse-ca-file', server.caFile) }) }
  const open = async (): Promise<ClickHouseOffline> => {
    const store = await openClickHouseOffline({ url, username: user, ...secrets, database, clock, compress: !isLoopback(new URL(url).hostname), tiers })
    await register(store, views)
    return store
  }
  const store = lateOffline(open)
  try {
    await store.query('SELECT 1')
  } catch (e) {
    if (mayBeAway !== true || !isLatidoError(e) || e.code !== 'OFFLINE_UNAVAILABLE') { await store[Symbol.asyncDispose](); throw e }
    logger?.warn({ cause: messageOf(e) }, 'the offline store is away at the start; the log keeps what it misses')
  }
  return store
}

async function register (store: ClickHouseOffline, views: readonly FeatureView[]): Promise<void> {
  for (const view of views) await store.registerView(view.name, view.version, view.names, view.units)
}

/** Rolls up each minute, one run at a time; a store that is away is tried again at the next. */
export function startRollups (store: ClickHouseOffline, clock: Clock, logger: Logger): Disposable {
  let running = false
  const stop = clock.every(ROLLUP_MS, () => {
    if (running) return
    running = true
    store.rollUp().catch((e: unknown) => { logger.warn({ cause: messageOf(e) }, 'rollups could not be computed; tried again in a minute') }).finally(() => { running = false })
  })
  return { [Symbol.dispose]: stop }
}
