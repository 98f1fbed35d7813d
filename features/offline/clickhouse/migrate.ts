import { LatidoError } from '../../../streams/errors/index.ts'
import type { Clock } from '../../../streams/time/index.ts'
import type { ClickHouseConnection } from './connection.ts'
import { MIGRATIONS, SCHEMA_VERSION } from './schema.ts'

/** What was done, in order; the schema's version is the last step's. */
const HISTORY = `CREATE TABLE IF NOT EXISTS latido_migrations (step UInt64, version UInt32, name String, direction LowCardinality(String), schema_version UInt32, applied_at DateTime64(3, 'UTC'))
  ENGINE = ReplacingMergeTree ORDER BY step SETTINGS fsync_after_insert = 1`

interface Standing { readonly version: number, readonly step: number }

async function standing (connection: ClickHouseConnection): Promise<Standing> {
  const rows = await connection.rows('SELECT argMax(schema_version, step) AS found, max(step) AS last FROM latido_migrations', {})
  return { version: Number(rows[0]?.['found'] ?? 0), step: Number(rows[0]?.['last'] ?? 0) }
}

/**
 * Brings the schema to `target` (by default the newest), up or down, one recorded step at a time; answers the version that it found.
 * Throws SCHEMA_INCOMPATIBLE where the store is newer than this code.
 */
export async function migrate (connection: ClickHouseConnection, clock: Clock, target: number = SCHEMA_VERSION): Promise<number> {
  await connection.command(`CREATE DATABASE IF NOT EXISTS \`${connection.database}\``, { outside: true })
  await connection.command(HISTORY)
  const found = await standing(connection)
  if (found.version > SCHEMA_VERSION) throw new LatidoError('SCHEMA_INCOMPATIBLE', `the offline store has schema ${found.version}, and this version knows ${SCHEMA_VERSION}`, 'start a newer version, or another data directory')
  let { step } = found
  const up = MIGRATIONS.filter(({ version }) => version > found.version && version <= target)
  const down = MIGRATIONS.filter(({ version }) => version <= found.version && version > target).toReversed()
  for (const migration of up) {
    for (const statement of migration.up) await connection.command(statement)
    await record(connection, clock, { step: ++step, version: migration.version, name: migration.name, direction: 'up', schemaVersion: migration.version })
  }
  for (const migration of down) {
    for (const statement of migration.down) await connection.command(statement)
    await record(connection, clock, { step: ++step, version: migration.version, name: migration.name, direction: 'down', schemaVersion: migration.version - 1 })
  }
  return found.version
}

interface Step { readonly step: number, readonly version: number, readonly name: string, readonly direction: 'up' | 'down', readonly schemaVersion: number }

async function record (connection: ClickHouseConnection, clock: Clock, step: Step): Promise<void> {
  await connection.command('INSERT INTO latido_migrations SELECT {step:UInt64}, {version:UInt32}, {name:String}, {direction:String}, {schemaVersion:UInt32}, fromUnixTimestamp64Milli({at:Int64}, \'UTC\')', { parameters: { ...step, at: Math.floor(clock.now()) } })
}
