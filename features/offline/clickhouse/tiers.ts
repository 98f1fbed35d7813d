import { LatidoError } from '../../../streams/errors/index.ts'
import type { DurationMs } from '../../../streams/time/index.ts'
import type { ClickHouseConnection } from './connection.ts'

/** How long rows are kept, and where. What is not said is kept for ever, where it is. */
export interface Tiers {
  /** Raw readings of devices, by arrival; their one-minute rollups stay. */
  readonly deviceMs?: DurationMs
  /** Older observations and vectors move to a volume of the table's storage policy. */
  readonly cold?: { readonly afterMs: DurationMs, readonly volume: string }
}

const TABLES = ['observations', 'features'] as const
const MARK = 'tiers '

/** Sets the tables' TTL where it is another one. Throws CONFIG_INVALID where the storage policy has no such volume. */
export async function applyTiers (connection: ClickHouseConnection, tiers: Tiers): Promise<void> {
  for (const table of TABLES) {
    const [found] = await connection.rows('SELECT comment, storage_policy AS policy FROM system.tables WHERE database = currentDatabase() AND name = {table:String}', { table })
    const clauses = clausesOf(table, tiers)
    const mark = clauses.length === 0 ? '' : MARK + clauses.join(', ')
    if (String(found?.['comment'] ?? '') === mark) continue
    if (tiers.cold !== undefined) await refuseVolume(connection, String(found?.['policy']), tiers.cold.volume)
    await connection.command(clauses.length === 0 ? `ALTER TABLE ${table} REMOVE TTL` : `ALTER TABLE ${table} MODIFY TTL ${clauses.join(', ')}`)
    await connection.command(`ALTER TABLE ${table} MODIFY COMMENT '${mark.replace(/'/g, "\\'")}'`)
  }
}

function clausesOf (table: (typeof TABLES)[number], { deviceMs, cold }: Tiers): readonly string[] {
  const after = (ms: DurationMs): string => `toDateTime(arrival_time) + INTERVAL ${Math.ceil(ms / 1_000)} SECOND`
  return [
    ...(cold === undefined ? [] : [`${after(cold.afterMs)} TO VOLUME '${cold.volume.replace(/[\\']/g, '')}'`]),
    ...(deviceMs === undefined || table !== 'observations' ? [] : [`${after(deviceMs)} DELETE WHERE kind = 'device' AND result_id = ''`]),
  ]
}

async function refuseVolume (connection: ClickHouseConnection, policy: string, volume: string): Promise<void> {
  const [found] = await connection.rows('SELECT count() AS n FROM system.storage_policies WHERE policy_name = {policy:String} AND volume_name = {volume:String}', { policy, volume })
  if (Number(found?.['n'] ?? 0) === 0) throw new LatidoError('CONFIG_INVALID', `the offline store's storage policy "${policy}" has no volume "${volume}"`, 'name one that it has with --cold-volume, or leave --cold-after out: the embedded engine has one volume alone')
}
