import type { ConceptNeeds } from './needs.ts'
import { FOREVER, placed } from './readings.ts'
import { concepts, ofConcept, type Part } from './text.ts'
import { named, quoted } from '../sql-text.ts'

/** A window is sought in so many pieces of its length: a reading meets the rows of its own piece alone. */
const PIECES = 2

/** Among the readings in arrays; `recent`: what windows of at most 24 h see, `long`: what longer ones see. */
export const READING = { time: 1, kept: 2, level: 3, order: 4, value: 5, recent: 6, long: 7 } as const
const RECENT = 'r.gen = s.gen AND r.sees != 2'
const LONG = '(r.kept = 1 OR r.gen = s.gen) AND r.sees != 1'

/** A position in the log comes before what a row of the spine may see. */
function seen (ka: string, ko: string): string { return `(${ka} < s.as_of OR (${ka} = s.as_of AND ${ko} < s.through))` }

/**
 * `asked`: the rows of the spine, as numbers. `through` is the first offset that a row does not see among those of its own millisecond; without
 * one it sees all of them. `gen`: how often its patient had been forgotten.
 */
export function askedParts (spine: string): readonly Part[] {
  return [
    { name: 'spine_rows', sql: `SELECT row, patient, toUnixTimestamp64Milli(as_of) AS as_of, if(through < 0, toInt64(${FOREVER}), toInt64(through)) AS through FROM ${spine}` },
    { name: 'asked_patients', sql: 'SELECT DISTINCT patient FROM spine_rows' },
  ]
}

export const ASKED: Part = {
  name: 'asked',
  sql: 'SELECT s.row AS row, s.patient AS patient, s.as_of AS as_of, s.through AS through, toInt64(arrayCount(x -> x <= s.as_of, f.at)) AS gen FROM spine_rows AS s LEFT JOIN forgotten_patients AS f ON f.patient = s.patient',
}

export const arrayOf = (concept: string): string => named(`readings ${concept}`)
export const newestOf = (concept: string): string => named(`newest ${concept}`)
export const countOf = (concept: string): string => named(`count ${concept}`)

/** The arrays and numbers that features are computed from, one row a row of the spine, in parts that are joined by `row`. */
export function gatherParts (needs: readonly ConceptNeeds[], facts: boolean): { readonly parts: readonly Part[], readonly joined: readonly string[] } {
  const windowed = needs.filter(n => n.allMs > 0 || n.keptMs > 0)
  const newest = needs.filter(n => n.newest)
  const counted = needs.filter(n => n.count)
  const groups = [
    windowed.length === 0 ? undefined : { parts: windowParts(windowed), last: 'windows' },
    newest.length === 0 ? undefined : { parts: newestParts(newest), last: 'newest' },
    counted.length === 0 && !facts ? undefined : { parts: stayParts(), last: 'stay' },
    counted.length === 0 ? undefined : { parts: countParts(counted), last: 'counts' },
  ].filter(group => group !== undefined)
  return { parts: groups.flatMap(group => group.parts), joined: groups.map(group => group.last) }
}

/** One row a row of the spine, a column a concept. */
function pivot (of: readonly ConceptNeeds[], from: string, column: string, named: (concept: string) => string): string {
  return `SELECT row, ${of.map(n => `anyIf(${column}, concept = ${quoted(n.concept)}) AS ${named(n.concept)}`).join(', ')}\nFROM ${from} GROUP BY row`
}

/** The readings in each row's longest window of a concept, by time; at the same time dense ones first, then by order. */
function windowParts (needs: readonly ConceptNeeds[]): readonly Part[] {
  const reach = new Map(needs.map(n => [n.concept, Math.max(n.allMs, n.keptMs)]))
  const pieces = new Map([...reach].map(([concept, reachMs]) => [concept, Math.ceil(reachMs / PIECES)]))
  const all = new Map(needs.map(n => [n.concept, n.allMs]))
  const long = needs.filter(n => n.long).map(n => n.concept)
  const longSeen = long.length === 0 ? '0' : `r.concept IN ${concepts(long)} AND ${LONG}`
  const list = (of: ReadonlyMap<string, number>): string => `[${[...of.values()].map(n => `toInt64(${n})`).join(', ')}]`
  return [
    {
      name: 'sought',
      sql: `SELECT row, patient, as_of, through, gen, concept, reach, piece FROM asked
ARRAY JOIN [${[...reach.keys()].map(quoted).join(', ')}] AS concept, ${list(reach)} AS reach, ${list(pieces)} AS width
ARRAY JOIN range(toUInt32(intDiv(as_of, width) - intDiv(as_of - reach, width) + 1)) AS back
ARRAY JOIN [intDiv(as_of, width) - toInt64(back)] AS piece`,
    },
    {
      name: 'gathered',
      sql: `SELECT s.row AS row, r.concept AS concept, arraySort(groupArray((r.t, r.kept, r.lv, r.o, r.v, ${RECENT}, ${longSeen}))) AS found
FROM readings AS r INNER JOIN sought AS s ON r.patient = s.patient AND r.concept = s.concept AND intDiv(r.t, ${ofConcept('r.concept', pieces)}) = s.piece
WHERE r.t >= s.as_of - s.reach AND ${seen('r.ka', 'r.ko')} AND NOT ${seen('r.ta', 'r.tko')}
  AND ((${RECENT}) OR (${longSeen})) AND (r.kept = 1 OR r.t >= s.as_of - ${ofConcept('r.concept', all)})
GROUP BY row, concept`,
    },
    { name: 'windows', sql: pivot(needs, 'gathered', 'found', arrayOf) },
  ]
}

/** A reading as it is ranked: the newest is the greatest. */
const RANKED = '(r.t, r.lv, r.o, r.v)'
const NONE = '(toInt64(0), toInt64(0), toInt64(0), toFloat64(0))'

/**
 * The two newest readings of a series. Of those that stay for ever, running maxima in the order of the log, in which the rows of the spine stand as
 * well: the second newest is the greatest of what came when something newer was there, and of what was overtaken. Of those that are replaced some
 * time, which are few, all that count.
 */
function newestParts (needs: readonly ConceptNeeds[]): readonly Part[] {
  const list = `[${needs.map(n => quoted(n.concept)).join(', ')}]`
  const series = (frame: string): string => `(PARTITION BY patient, concept, gen ORDER BY ka, ko, is_reading, lv, o ROWS BETWEEN UNBOUNDED PRECEDING AND ${frame})`
  return [
    {
      name: 'lasting',
      sql: `SELECT row, concept, [first, second] AS two FROM (
  SELECT row, concept, is_reading, max(x) OVER ${series('CURRENT ROW')} AS first, max(if(x < before, x, before)) OVER ${series('CURRENT ROW')} AS second
  FROM (
    SELECT *, max(x) OVER ${series('1 PRECEDING')} AS before FROM (
      SELECT toUInt64(0) AS row, r.patient AS patient, r.concept AS concept, r.gen AS gen, r.ka AS ka, r.ko AS ko, r.lv AS lv, r.o AS o, toUInt8(1) AS is_reading, ${RANKED} AS x FROM readings AS r
      WHERE r.ta = ${FOREVER} AND r.sees != 2 AND r.concept IN ${list}
      UNION ALL
      SELECT toUInt64(row) AS row, patient, arrayJoin(${list}) AS concept, gen, as_of AS ka, through AS ko, toInt64(0) AS lv, toInt64(0) AS o, toUInt8(0) AS is_reading, ${NONE} AS x FROM asked
    )
  )
) WHERE NOT is_reading`,
    },
    {
      name: 'passing',
      sql: `SELECT s.row AS row, r.concept AS concept, groupArray(${RANKED}) AS two
FROM readings AS r INNER JOIN asked AS s ON r.patient = s.patient AND r.gen = s.gen
WHERE r.sees != 2 AND r.ta < ${FOREVER} AND r.concept IN ${list} AND ${seen('r.ka', 'r.ko')} AND NOT ${seen('r.ta', 'r.tko')}
GROUP BY row, concept`,
    },
    { name: 'newest_two', sql: 'SELECT row, concept, arrayReverseSort(arrayFilter(x -> tupleElement(x, 1) > 0, groupArrayArray(two))) AS found FROM (SELECT row, concept, two FROM lasting UNION ALL SELECT row, concept, two FROM passing) GROUP BY row, concept' },
    { name: 'newest', sql: pivot(needs, 'newest_two', 'found', newestOf) },
  ]
}

/** What encounter messages have said of each row's patient, the newest that said it; `admitted`: order of the last admission. */
function stayParts (): readonly Part[] {
  const last = (value: string, said: string, none: string): string => `if(countIf(${said}) = 0, ${none}, argMaxIf(${value}, (e.lv, e.o), ${said}))`
  return [
    {
      name: 'encounters_told',
      sql: `SELECT l.patient AS patient, toString(r.action) AS action, toUnixTimestamp64Milli(r.event_time) AS t, r.age_years AS age_years, toString(r.sex) AS sex, r.hours_since_hospital_admission AS hours,
  ${placed('toUnixTimestamp64Milli(r.arrival_time)', 'r.offset', '0')}
FROM encounters AS r FINAL INNER JOIN lines AS l ON l.key = r.patient WHERE r.patient IN (SELECT key FROM lines)`,
    },
    {
      name: 'stay', often: true,
      sql: `SELECT s.row AS row, ${last('e.age_years', 'e.age_years >= 0', 'nan')} AS age_years, ${last('e.sex', "e.sex != 'unknown'", "'unknown'")} AS sex,
  ${last('e.hours', 'e.hours >= 0', 'nan')} AS hours_before, ${last('toFloat64(e.t)', "e.action = 'admit'", 'nan')} AS admitted_at, maxIf((e.lv, e.o), e.action = 'admit') AS admitted, countIf(e.action = 'admit') AS admissions, count() AS encounters
FROM encounters_told AS e INNER JOIN asked AS s ON e.patient = s.patient
WHERE e.held AND e.gen = s.gen AND ${seen('e.ka', 'e.ko')}
GROUP BY row`,
    },
  ]
}

/** Readings whose first word came after the last admission. */
function countParts (needs: readonly ConceptNeeds[]): readonly Part[] {
  return [
    {
      name: 'counted',
      sql: `SELECT s.row AS row, r.concept AS concept, countIf(s.admissions = 0 OR (r.blv, r.bo) > s.admitted) AS found
FROM readings AS r INNER JOIN (SELECT a.row AS row, a.patient AS patient, a.as_of AS as_of, a.through AS through, a.gen AS gen, y.admitted AS admitted, y.admissions AS admissions FROM asked AS a LEFT JOIN stay AS y ON y.row = a.row) AS s
  ON r.patient = s.patient AND r.gen = s.gen
WHERE r.sees != 2 AND r.concept IN (${needs.map(n => quoted(n.concept)).join(', ')}) AND ${seen('r.ka', 'r.ko')} AND NOT ${seen('r.ta', 'r.tko')}
GROUP BY row, concept`,
    },
    { name: 'counts', sql: pivot(needs, 'counted', 'found', countOf) },
  ]
}
