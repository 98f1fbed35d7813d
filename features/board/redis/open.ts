import { OwnBoardIndex } from '../own-index.ts'
import type { BoardIndex } from '../port.ts'
import { BoardConnection, isReply, refused, type RedisBoardOptions } from './connection.ts'
import { RedisBoardIndex } from './redis-index.ts'

/** What a Redis needs to search documents. */
const MODULES: Readonly<Record<string, string>> = { search: 'this Redis has no search module', ReJSON: 'this Redis has no JSON module' }

const CLUSTER = 'a Redis Cluster is not searched as a whole'
const DENIED = 'this Redis does not let its user search'
/** All that `why` may say; the pages have a translation of each. */
export const OWN_INDEX_REASONS: readonly string[] = [...Object.values(MODULES), CLUSTER, DENIED]

/**
 * Redis with search where the server has both modules; else the index in memory, whose `why` says what was missing.
 * Throws ONLINE_UNAVAILABLE where Redis does not answer.
 */
export async function openRedisBoardIndex (options: RedisBoardOptions): Promise<BoardIndex> {
  if (options.nodes.length > 1) return new OwnBoardIndex(CLUSTER)
  const connection = await BoardConnection.open(options)
  try {
    const why = await whyNot(connection)
    if (why === undefined) return await RedisBoardIndex.open(connection, options.prefix, options.clock)
    await connection[Symbol.asyncDispose]()
    return new OwnBoardIndex(why)
  } catch (error) {
    await connection[Symbol.asyncDispose]()
    if (!isReply(error)) throw error
    if (error.message.startsWith('NOPERM')) return new OwnBoardIndex(DENIED)
    throw refused(error)
  }
}

async function whyNot (connection: BoardConnection): Promise<string | undefined> {
  try {
    const modules = (await connection.command('MODULE', 'LIST') as unknown[][]).map(module => String(module[module.indexOf('name') + 1]))
    const missing = Object.keys(MODULES).find(name => !modules.includes(name))
    if (missing !== undefined) return MODULES[missing]
    const cluster = String(await connection.command('INFO', 'cluster'))
    return /cluster_enabled:1/.test(cluster) ? CLUSTER : undefined
  } catch (error) {
    if (isReply(error) && /NOPERM/.test(error.message)) return await mayList(connection) ? undefined : DENIED
    throw error
  }
}

/** A user that may not list the modules may still search. */
async function mayList (connection: BoardConnection): Promise<boolean> {
  try {
    await connection.command('FT._LIST')
    return true
  } catch (error) {
    if (isReply(error)) return false
    throw error
  }
}
