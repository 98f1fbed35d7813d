import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { type OnlineStore, openRedisOnlineStore, REDIS_DEFAULTS, type RedisOnlineOptions, type RedisTls, waitingOnlineStore, type WaitingStore } from '../../../features/online/index.ts'
import { isLatidoError } from '../../../streams/errors/index.ts'
import { replaceFile } from '../../../streams/files/index.ts'
import type { Clock, DurationMs } from '../../../streams/time/index.ts'
import type { RedisConfig } from '../../config/index.ts'
import { pemOf, secretOf } from '../../security/index.ts'
import type { Logger, Metrics } from '../../telemetry/index.ts'
import type { DataDir } from '../data-dir.ts'

/** As a schema registry that is away: a start tries for so long. */
const START_MS: DurationMs = 30_000
const RETRY_MS: DurationMs = 500

interface Parts { readonly clock: Clock, readonly logger: Pick<Logger, 'info' | 'warn'>, readonly metrics?: Pick<Metrics, 'onlineUp' | 'onlineRetries'> }

/** The online store on Redis, whose writes wait while it is away. Throws what openRedisOnlineStore does, ONLINE_UNAVAILABLE after 30 s; FILE_UNREADABLE, FILE_INVALID. */
export async function openRedisOnline (config: RedisConfig, owner: string, { clock, logger, metrics }: Parts): Promise<WaitingStore> {
  const store = await opened(redisOptionsOf(config, owner, clock), clock)
  metrics?.onlineUp.set(1)
  return waitingOnlineStore(store, {
    clock,
    onChange: (state, failure) => {
      metrics?.onlineUp.set(state === 'on' ? 1 : 0)
      if (state === 'away') logger.warn({ code: failure?.code, cause: failure?.message }, 'the online store is away; processors wait for it'); else logger.info({}, 'the online store is back')
    },
    onRetry: () => { metrics?.onlineRetries.inc() },
  })
}

async function opened (options: RedisOnlineOptions, clock: Clock): Promise<OnlineStore> {
  const sinceMs = clock.monotonicMs()
  for (;;) {
    try {
      return await openRedisOnlineStore(options)
    } catch (e) {
      if (!isLatidoError(e) || e.code !== 'ONLINE_UNAVAILABLE' || clock.monotonicMs() - sinceMs > START_MS) throw e
      await clock.sleep(RETRY_MS)
    }
  }
}

/** `owner` says which log's rows the online store has. Throws FILE_UNREADABLE, FILE_INVALID. */
export function redisOptionsOf (config: RedisConfig, owner: string, clock: Clock): RedisOnlineOptions {
  const { nodes, tls, user, passwordFile, prefix, expireAfterMs } = config
  const password = (): string => secretOf('--redis-password-file', passwordFile)
  if (passwordFile !== '') password() // what is wrong with the file is told now
  return {
    ...REDIS_DEFAULTS, nodes, prefix, expireAfterMs, owner, clock,
    ...(tls ? { tls: tlsOf(config) } : {}),
    ...(user === '' ? {} : { username: user }), ...(passwordFile === '' ? {} : { password }),
  }
}

function tlsOf ({ caFile, certFile, keyFile }: RedisConfig): RedisTls {
  return {
    ...(caFile === '' ? {} : { ca: pemOf('--redis-ca-file', caFile) }),
    ...(certFile === '' ? {} : { cert: pemOf('--redis-cert-file', certFile), key: pemOf('--redis-key-file', keyFile) }),
  }
}

/** An embedded log has no name of its own: it gets one, which says in Redis whose rows those are. */
export function embeddedOwner (dir: DataDir): string {
  const file = dir.path('owner-in-redis')
  if (!existsSync(file)) replaceFile(file, `embedded ${randomUUID()}\n`, 0o600)
  return readFileSync(file, 'utf8').trim()
}
