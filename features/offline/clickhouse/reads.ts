import { ALERT_SHAPE, DRIFT_SHAPE, columnOf } from './tables.ts'
import type { RecordShape } from './tables.ts'
import { msOf } from '../sql-text.ts'

/** The SQL of the port's reads. Values are bound; nothing is spliced but names from our own tables. */

const BETWEEN = (column: string): string => `${column} >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND ${column} < fromUnixTimestamp64Milli({to:Int64}, 'UTC')`

/**
 * Points of concepts over event time. Of each result (a laboratory's by its identity, a device's by its event time) the newest word counts:
 * corrected ones replace, withdrawn ones and artefacts go; then the newest point of each bucket. Half-open interval.
 */
export const TRENDS: string = `
  SELECT concept, ${msOf('point.1')} AS eventTime, ${msOf('point.2')} AS arrival, point.3 AS value, point.4 AS kind
  FROM (
    SELECT concept, argMax((at, arrival, value, kind), (at, arrival)) AS point
    FROM (
      SELECT concept, newest.1 AS at, newest.2 AS arrival, newest.3 AS value, newest.4 AS kind, newest.5 AS status, newest.6 AS quality
      FROM (
        SELECT concept, argMax((event_time, arrival_time, value, kind, status, quality), (arrival_time, \`partition\`, \`offset\`, \`index\`)) AS newest
        FROM observations
        WHERE patient = {patient:String} AND concept IN {concepts:Array(String)} AND ${BETWEEN('event_time')}
        GROUP BY concept, result_id, if(result_id = '', ${msOf('event_time')}, 0)
      )
    )
    WHERE status != 'withdrawn' AND quality != 'artefact' AND isFinite(value)
    GROUP BY concept, intDiv(${msOf('at')} - {from:Int64}, {bucketMs:Int64})
  )
  ORDER BY concept, eventTime`

/**
 * The same for long spans: dense series from their one-minute rollup (each row keeps the newest reading of its minute), sparse ones from the
 * observations. `from` and `bucketMs` are whole minutes, so a minute lies in one bucket and the answer is that of `TRENDS`.
 */
export const TRENDS_BY_MINUTE: string = `
  SELECT concept, ${msOf('point.1')} AS eventTime, ${msOf('point.2')} AS arrival, point.3 AS value, point.4 AS kind
  FROM (
    SELECT concept, argMax((at, arrival, value, kind), (at, arrival)) AS point
    FROM (
      SELECT concept, last_event_time AS at, last_arrival_time AS arrival, last AS value, last_kind AS kind
      FROM observation_minutes
      WHERE patient = {patient:String} AND concept IN {concepts:Array(String)} AND count > 0 AND ${BETWEEN('minute')}
      UNION ALL
      SELECT concept, newest.1 AS at, newest.2 AS arrival, newest.3 AS value, newest.4 AS kind
      FROM (
        SELECT concept, argMax((event_time, arrival_time, value, kind, status, quality), (arrival_time, \`partition\`, \`offset\`, \`index\`)) AS newest
        FROM observations
        WHERE patient = {patient:String} AND concept IN {concepts:Array(String)} AND result_id != '' AND ${BETWEEN('event_time')}
        GROUP BY concept, result_id
      )
      WHERE newest.5 != 'withdrawn' AND newest.6 != 'artefact' AND isFinite(newest.3)
    )
    GROUP BY concept, intDiv(${msOf('at')} - {from:Int64}, {bucketMs:Int64})
  )
  ORDER BY concept, eventTime`

/** Scores of all models over arrival time, the newest of each bucket. */
export const SCORES: string = `
  SELECT model, ${msOf('point.1')} AS asOf, point.2 AS probability
  FROM (
    SELECT model, argMax((as_of, probability), (as_of, \`partition\`, \`offset\`)) AS point
    FROM scores
    WHERE patient = {patient:String} AND ${BETWEEN('as_of')}
    GROUP BY model, intDiv(${msOf('as_of')} - {from:Int64}, {bucketMs:Int64})
  )
  ORDER BY model, asOf`

/** A record's columns under the names and in the types that its writer gave. */
function properties (shape: RecordShape): string {
  return Object.entries(shape).map(([name, kind]) => `${kind === 'time' ? msOf(columnOf(name)) : columnOf(name)} AS ${name}`).join(', ')
}

/** Newest first. `{patient:String}` empty: everybody's. Aliases would hide the columns, so the order is taken inside. */
export const ALERT_HISTORY: string = `
  SELECT patient, ${properties(ALERT_SHAPE)}, ${msOf('arrival_time')} AS arrival
  FROM (SELECT * FROM alerts WHERE {patient:String} = '' OR patient = {patient:String} ORDER BY changed_at DESC, \`offset\` DESC LIMIT {limit:UInt32})`

export const DRIFT_HISTORY: string = `
  SELECT ${properties(DRIFT_SHAPE)}, ${msOf('arrival_time')} AS arrival
  FROM (SELECT * FROM drift ORDER BY window_end DESC, view, view_version, feature LIMIT {limit:UInt32})`

/** Width of a bucket so that an interval has at most `pointsMax`. */
export function bucketMsOf (from: number, to: number, pointsMax: number): number { return Math.max(1, Math.ceil((to - from) / Math.max(1, pointsMax))) }
