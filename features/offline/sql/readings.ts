import type { ConceptNeeds } from './needs.ts'
import { msOf } from '../sql-text.ts'
import { concepts, type Part } from './text.ts'

/** No word takes the reading out. */
export const FOREVER = '4611686018427387904'
const DAY_MS = 86_400_000
const HORIZON_MS = 3_600_000
const QUARTER_MS = 250
/** Merges that are followed one after the other. */
const HOPS_MAX = 4
/** More indexes than a message has values. */
const INDEXES = 65_536

/** The order in which words become known. */
const KNOWN = 'ka, ko, lv, o'
/** All that was known before the row at hand. */
const BEFORE = 'ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING'
const SO_FAR = 'ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW'
const ALL = 'ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING'


/**
 * The log of the patients in `asked_patients` as readings, each with the positions between which it counts.
 *
 * - `t`, `v`: event time (never after arrival) and value; `kept`: 0 dense, 1 kept.
 * - `(lv, o)`: order. What a merge brought ranks below all of the survivor's (`lv` negative), the rest by arrival, offset and index.
 * - `(ka, ko)` to `(ta, tko)`: it counts from the record at arrival `ka`, offset `ko`, until the record at `ta`, `tko`. Records of another key have no offset
 *   of this partition: -1.
 * - `gen`: how often the patient had been forgotten, -1 for what was forgotten before a merge; `(blv, bo)`: order of the reading's first word.
 * - `sees`: who sees it. 1: what forgets; 2: windows of more than 24 h alone; 3: both. They part where a word comes after a forgetting about what
 *   was said before it: a first word for the one, another word for the other.
 *
 * `merged: false` leaves the merges out, where there are none.
 */
export function readingParts (needs: readonly ConceptNeeds[], merged: boolean): readonly Part[] {
  return [...keyParts(merged), { name: 'told', often: true, sql: told(needs) }, ...denseParts(merged), ...wordParts(needs, merged), { name: 'readings', often: true, sql: READINGS }]
}

/** Each key with the keys that it went to, one merge after the other, and the arrival from which it is known there; a circle ends where it comes round. */
const CHAINS = `SELECT patient, patient AS key, toInt64(-1) AS joined FROM asked_patients
UNION ALL
SELECT tupleElement(hop, 1) AS patient, key, tupleElement(hop, 2) AS joined FROM (
  SELECT m1.key AS key, arrayJoin(arrayFilter(h -> tupleElement(h, 1) != '' AND tupleElement(h, 1) != key, [(m1.survivor, m1.at), ${Array.from({ length: HOPS_MAX - 1 }, (_, i) => `(m${i + 2}.survivor, greatest(${Array.from({ length: i + 2 }, (_, j) => `m${j + 1}.at`).join(', ')}))`).join(', ')}])) AS hop
  FROM merged_keys AS m1 ${Array.from({ length: HOPS_MAX - 1 }, (_, i) => `LEFT JOIN merged_keys AS m${i + 2} ON m${i + 2}.key = m${i + 1}.survivor`).join(' ')}
) WHERE patient IN (SELECT patient FROM asked_patients)`

const OWN_STAYS = `SELECT patient, action, ${msOf('arrival_time')} AS a, toInt64(offset) AS o FROM encounters FINAL WHERE action IN ('admit', 'discharge')`

/** A discharge after which, for 24 hours, there was no other and no admission. */
function forgotten (key: string, rows: string, order: string): string {
  return `SELECT ${key}, arraySort(groupArrayIf(a + ${DAY_MS}, action = 'discharge' AND next >= a + ${DAY_MS})) AS at
FROM (SELECT ${key}, action, a, leadInFrame(a, 1, toInt64(${FOREVER})) OVER (PARTITION BY ${key} ORDER BY ${order} ${ALL}) AS next FROM (${rows}))
GROUP BY ${key}`
}

/** `lines`: whose records (`key`) are known of whom (`patient`), since when (`joined`, -1: ever), and when each was forgotten. */
function keyParts (merged: boolean): readonly Part[] {
  const own: Part = { name: 'forgotten_keys', sql: forgotten('patient', OWN_STAYS, 'o') }
  if (!merged) {
    return [
      { name: 'forgotten_patients', sql: forgotten('patient', `${OWN_STAYS} AND patient IN (SELECT patient FROM asked_patients)`, 'o') },
      { name: 'lines', sql: 'SELECT p.patient AS patient, p.patient AS key, toInt64(-1) AS joined, f.at AS forgotten, f.at AS key_forgotten FROM asked_patients AS p LEFT JOIN forgotten_patients AS f ON f.patient = p.patient' },
    ]
  }
  return [own, { name: 'merged_keys', sql: `SELECT patient AS key, argMin(survivor, (arrival_time, offset)) AS survivor, ${msOf('min(arrival_time)')} AS at FROM merges FINAL GROUP BY patient` },
    { name: 'chains', sql: CHAINS },
    {
      name: 'stays',
      sql: `SELECT c.patient AS patient, e.action AS action, e.a AS a, e.o AS o, if(c.joined < 0 OR e.a > c.joined, e.a, -c.joined) AS lv
FROM (${OWN_STAYS}) AS e INNER JOIN chains AS c ON c.key = e.patient
LEFT JOIN (SELECT patient, min(a) AS a FROM (${OWN_STAYS}) GROUP BY patient) AS f ON f.patient = c.patient
LEFT JOIN forgotten_keys AS k ON k.patient = c.key
WHERE lv >= 0 OR ((f.a = 0 OR f.a > c.joined) AND arrayCount(x -> x <= c.joined, k.at) = arrayCount(x -> x <= e.a, k.at))`,
    },
    { name: 'forgotten_patients', sql: forgotten('patient', 'SELECT * FROM stays', 'lv, o') },
    {
      name: 'lines',
      sql: `SELECT c.patient AS patient, c.key AS key, c.joined AS joined, f.at AS forgotten, k.at AS key_forgotten
FROM chains AS c LEFT JOIN forgotten_patients AS f ON f.patient = c.patient LEFT JOIN forgotten_keys AS k ON k.patient = c.key`,
    }]
}

/** Places of a record of `key` in the log of `patient`. `block`: it was the loser's before the merge. `held`: the loser had not been forgotten since. */
export function placed (arrival: string, offset: string, index: string): string {
  return `l.joined >= 0 AND ${arrival} <= l.joined AS block, greatest(${arrival}, l.joined) AS ka, if(l.joined >= 0, toInt64(-1), toInt64(${offset})) AS ko,
  if(block, -l.joined, ${arrival}) AS lv, toInt64(${offset}) * ${INDEXES} + toInt64(${index}) AS o, toInt64(arrayCount(x -> x <= ka, l.forgotten)) AS gen,
  NOT block OR arrayCount(x -> x <= l.joined, l.key_forgotten) = arrayCount(x -> x <= ${arrival}, l.key_forgotten) AS held`
}

function told (needs: readonly ConceptNeeds[]): string {
  return `SELECT l.patient AS patient, toString(r.concept) AS concept, least(${msOf('r.event_time')}, ${msOf('r.arrival_time')}) AS t, r.value AS v, r.status != 'withdrawn' AND r.quality = 'valid' AS good,
  r.kind = 'device' AND r.result_id = '' AS dense, r.result_id AS id, l.forgotten AS forgotten, ${placed(msOf('r.arrival_time'), 'r.offset', 'r.index')}
FROM observations AS r FINAL INNER JOIN lines AS l ON l.key = r.patient
WHERE r.concept IN ${concepts(needs.map(n => n.concept))} AND r.patient IN (SELECT key FROM lines)`
}

/**
 * Dense readings by the law's rule. M is the running maximum of the event times before: a reading that is not taken is never newer than M, so
 * it does not matter to it. What a merge brought was weighed among its own.
 */
function denseParts (merged: boolean): readonly Part[] {
  const over = (partition: string, frame: string): string => `OVER (PARTITION BY patient, concept, gen${partition} ORDER BY ${KNOWN} ${frame})`
  const either = (of: (partition: string) => string): string => merged ? `if(block, ${of(', block, lv')}, ${of('')})` : of('')
  return [
    { name: 'dense_told', sql: `SELECT * EXCEPT (forgotten), ${either(p => `max(t) ${over(p, BEFORE)}`)} AS newest FROM told WHERE dense AND good AND held` },
    { name: 'dense_near', sql: `SELECT *, ${either(p => `row_number() ${over(`${p}, intDiv(t, ${QUARTER_MS})`, SO_FAR)}`)} AS nth FROM dense_told WHERE t >= newest - ${HORIZON_MS}` },
  ]
}

/** Words about identities: those that change nothing are left out, each of the rest counts until the next one. */
function wordParts (needs: readonly ConceptNeeds[], merged: boolean): readonly Part[] {
  const long = needs.filter(n => n.long).map(n => n.concept)
  const apart = merged ? '1' : 'notEmpty(forgotten)'
  const lives = long.length === 0 ? '[(1, gen)]' : `if(concept IN ${concepts(long)} AND ${apart}, [(1, gen), (2, toInt64(-1))], [(3, gen)])`
  const windowed = (frame: string): string => `(PARTITION BY patient, concept, id, life ORDER BY ${KNOWN} ${frame})`
  const words = `SELECT * EXCEPT (forgotten), arrayJoin(${lives}) AS life FROM told WHERE NOT dense AND id != '' AND (held OR tupleElement(life, 1) = 2)`
  // Of two readings with one identity the survivor's stands.
  const standing = merged ? `SELECT * FROM (SELECT *, anyLastIf(good, NOT block) OVER ${windowed(SO_FAR)} AS standing FROM (${words})) WHERE NOT block OR NOT standing` : words
  return [
    {
      name: 'words',
      sql: `SELECT * FROM (
  SELECT *, lagInFrame(good, 1, toUInt8(0)) OVER w AS was, lagInFrame(t, 1, toInt64(0)) OVER w AS was_t, lagInFrame(v, 1, toFloat64(0)) OVER w AS was_v
  FROM (${standing}) WINDOW w AS ${windowed(ALL)}
) WHERE good != was OR (good AND (t != was_t OR v != was_v))`,
    },
    {
      name: 'kept_words',
      sql: `SELECT *, leadInFrame(ka, 1, toInt64(${FOREVER})) OVER w AS ta, leadInFrame(ko, 1, toInt64(0)) OVER w AS tko, anyLastIf((lv, o), NOT was) OVER ${windowed(SO_FAR)} AS born
FROM words WINDOW w AS ${windowed(ALL)}`,
    },
  ]
}

const READINGS = `SELECT patient, concept, t, 0 AS kept, 3 AS sees, lv, o, v, ka, ko, toInt64(${FOREVER}) AS ta, toInt64(0) AS tko, gen, lv AS blv, o AS bo FROM dense_near WHERE t > newest OR nth = 1
UNION ALL
SELECT patient, concept, t, 1 AS kept, 3 AS sees, lv, o, v, ka, ko, toInt64(${FOREVER}) AS ta, toInt64(0) AS tko, if(held, gen, toInt64(-1)) AS gen, lv AS blv, o AS bo FROM told WHERE NOT dense AND id = '' AND good
UNION ALL
SELECT patient, concept, t, 1 AS kept, tupleElement(life, 1) AS sees, lv, o, v, ka, ko, ta, tko, if(held, gen, toInt64(-1)) AS gen, tupleElement(born, 1) AS blv, tupleElement(born, 2) AS bo FROM kept_words WHERE good`
