import type { ClickHouseConnection } from './connection.ts'
import { MINUTE_OF_EVENT } from './schema.ts'

/**
 * One-minute rollups of dense series, exact: each minute that an insert touched is noted by a materialized view, and computed anew here from
 * the newest word of each of its readings. A view that summed up while inserting could not be exact: a batch that comes again cut in another
 * way has another deduplication token, and its readings would count twice (docs/decisions/0017).
 *
 * Notes are taken in order of their time, from MARGIN before where the last run ended: an insert shows its note some time after it was
 * stamped, and computing a minute twice changes nothing.
 */
const MARGIN_MS = 300_000
/** Minutes that one statement computes. */
const MINUTES_MAX = 20_000

const STANDING = 'SELECT toUnixTimestamp64Milli(max(through)) AS through FROM observation_minutes_through'
const DUE = `SELECT toUnixTimestamp64Milli(max(noted_at)) AS through, toUnixTimestamp64Milli(min(minute)) AS first, toUnixTimestamp64Milli(max(minute)) AS last, count() AS minutes
  FROM (SELECT minute, noted_at FROM observation_minutes_due WHERE noted_at > fromUnixTimestamp64Milli({after:Int64}, 'UTC') AND minute >= fromUnixTimestamp64Milli({keptFrom:Int64}, 'UTC') ORDER BY noted_at LIMIT {minutesMax:UInt32} WITH TIES)`

const CHOSEN = `SELECT patient, concept, minute FROM observation_minutes_due
  WHERE noted_at > fromUnixTimestamp64Milli({after:Int64}, 'UTC') AND noted_at <= fromUnixTimestamp64Milli({through:Int64}, 'UTC') AND minute >= fromUnixTimestamp64Milli({keptFrom:Int64}, 'UTC')`

/** A minute whose readings were all withdrawn gets a row that counts none. */
const ROLL = `INSERT INTO observation_minutes
  SELECT patient, concept, minute, countIf(counts), sumIf(value, counts), minIf(value, counts), maxIf(value, counts),
    argMaxIf(value, (at, arrival), counts), maxIf(at, counts), argMaxIf(arrival, (at, arrival), counts), argMaxIf(kind, (at, arrival), counts), fromUnixTimestamp64Milli({through:Int64}, 'UTC')
  FROM (
    SELECT patient, concept, minute, at, newest.1 AS arrival, newest.2 AS value, newest.3 AS kind, newest.4 != 'withdrawn' AND newest.5 != 'artefact' AND isFinite(newest.2) AS counts
    FROM (
      SELECT patient, concept, ${MINUTE_OF_EVENT} AS minute, event_time AS at, argMax((arrival_time, value, kind, status, quality), (arrival_time, \`partition\`, \`offset\`, \`index\`)) AS newest
      FROM observations
      WHERE result_id = '' AND event_time >= fromUnixTimestamp64Milli({first:Int64}, 'UTC') AND event_time < fromUnixTimestamp64Milli({last:Int64} + 60000, 'UTC')
        AND (patient, concept, ${MINUTE_OF_EVENT}) IN (${CHOSEN}) AND patient IN (SELECT patient FROM (${CHOSEN}))
      GROUP BY patient, concept, event_time
    )
  )
  GROUP BY patient, concept, minute`

/** `keptFrom`: minutes before it have lost raw readings to their TTL, and keep the rollup that they have. Answers how many minutes it computed. */
export async function rollUp (connection: ClickHouseConnection, keptFrom: number): Promise<number> {
  let after = Math.max(0, Number((await connection.rows(STANDING, {}))[0]?.['through'] ?? 0) - MARGIN_MS)
  let computed = 0
  for (;;) {
    const [due] = await connection.rows(DUE, { after, keptFrom, minutesMax: MINUTES_MAX }, { final: 0 })
    const minutes = Number(due?.['minutes'] ?? 0)
    if (minutes === 0) break
    const through = Number(due?.['through'])
    await connection.command(ROLL, { parameters: { after, through, keptFrom, first: Number(due?.['first']), last: Number(due?.['last']) } })
    await connection.command('INSERT INTO observation_minutes_through SELECT 1, fromUnixTimestamp64Milli({through:Int64}, \'UTC\')', { parameters: { through } })
    computed += minutes
    after = through
    if (minutes < MINUTES_MAX) break
  }
  await forget(connection, after - MARGIN_MS)
  return computed
}

/** Notes of whole days before go. */
async function forget (connection: ClickHouseConnection, before: number): Promise<void> {
  const days = await connection.rows(`SELECT DISTINCT partition AS day FROM system.parts WHERE database = currentDatabase() AND table = 'observation_minutes_due' AND active AND toUInt32(partition) < toYYYYMMDD(fromUnixTimestamp64Milli({before:Int64}, 'UTC'))`, { before: Math.max(0, before) })
  for (const { day } of days) await connection.command(`ALTER TABLE observation_minutes_due DROP PARTITION ${Number(day)}`)
}
