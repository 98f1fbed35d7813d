import { type BoardIndex, openRedisBoardIndex, OwnBoardIndex } from '../../../features/board/index.ts'
import type { Clock, DurationMs } from '../../../streams/time/index.ts'
import type { Config } from '../../config/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { redisOptionsOf } from '../online/index.ts'

/** With the embedded online store the index in memory; with Redis its search, or the index in memory where it has none. Throws ONLINE_UNAVAILABLE. */
export async function openBoardIndex ({ redis }: Pick<Config, 'redis'>, clock: Clock, logger: Pick<Logger, 'info' | 'warn'>): Promise<BoardIndex> {
  if (redis === undefined) return new OwnBoardIndex()
  const index = await openRedisBoardIndex(redisOptionsOf(redis, '', clock))
  if (index.why === undefined) logger.info({ by: index.by }, 'the board is searched in Redis'); else logger.warn({ by: index.by, why: index.why }, 'the board is searched in memory')
  return index
}

/** What may change in Redis without our doing: other instances that share the log write there, and patients expire. */
export function boardRescanMs ({ redis, kafka }: Pick<Config, 'redis' | 'kafka'>): { readonly rescanMs?: DurationMs } {
  if (redis === undefined) return {}
  return kafka !== undefined ? { rescanMs: 5_000 } : redis.expireAfterMs > 0 ? { rescanMs: 60_000 } : {}
}
