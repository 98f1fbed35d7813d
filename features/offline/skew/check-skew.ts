import { LatidoError } from '../../../streams/errors/index.ts'
import type { ArrivalTimeMs } from '../../../streams/time/index.ts'
import type { FeatureView } from '../../define/index.ts'
import type { OfflineSql } from '../clickhouse/index.ts'
import { momentOf, msOf, quoted } from '../sql-text.ts'
import { anyMerged, compileView } from '../sql/index.ts'
import { causeOf, type SkewCause } from './causes.ts'
import { compareValues, isSkewed, skewIn, type Outcome } from './compare.ts'

export interface SkewRequest {
  readonly view: FeatureView
  /** Vectors that arrived in [from, to). */
  readonly from: ArrivalTimeMs
  readonly to: ArrivalTimeMs
  /** Of the patients, so large a part (0 to 1): whole patients, always the same ones. */
  readonly share: number
  /** The newest so many vectors of those patients. */
  readonly vectorsMax: number
  /** Differences that are explained, the largest first of each feature. Default 3 a feature. */
  readonly examplesMax?: number
}

/** One difference. The patient is a pseudonym. */
export interface SkewExample { readonly feature: string, readonly patient: string, readonly asOf: ArrivalTimeMs, readonly served: number, readonly stored: number, readonly cause: SkewCause }

export interface FeatureSkew {
  readonly feature: string
  readonly unit: string
  readonly outcomes: Readonly<Record<Outcome, number>>
  /** The largest relative difference where both have a value. */
  readonly worst: number
  /** Symmetric mean absolute percentage error over the values that both have, as a share (0 to 2). */
  readonly smape: number
  readonly examples: readonly SkewExample[]
}

export interface SkewReport {
  readonly view: string
  readonly version: number
  readonly vectors: number
  readonly patients: number
  readonly values: number
  readonly different: number
  readonly features: readonly FeatureSkew[]
}

interface Served { readonly patient: string, readonly asOf: number, readonly through: number, readonly values: readonly number[], readonly stored: readonly number[] }

/** What is sought in a sample, in millionths of the patients. */
const MILLION = 1_000_000
const EXAMPLES_DEFAULT = 3

/**
 * Compares vectors as they were served with the same features computed anew from the observations, feature by feature, and says of examples why
 * they differ. Reads only. Throws VIEW_INVALID (not of patients), CONFIG_INVALID (from after to), and what the store throws.
 */
export async function checkSkew (sql: OfflineSql, request: SkewRequest): Promise<SkewReport> {
  const { view, from, to, share } = request
  if (to <= from) throw new LatidoError('CONFIG_INVALID', 'the interval ends before it begins', 'give --from before --to')
  if (!(share > 0 && share <= 1)) throw new LatidoError('CONFIG_INVALID', `a share of ${share} of the patients`, 'give a share above 0, at most 1')
  const spine = spineOf(request)
  const merged = await anyMerged(sql)
  const served = await pairs(sql, view, spine, merged)
  const tallies = view.names.map((feature, i) => new Tally(feature, view.units[i]!, i))
  for (const row of served) view.names.forEach((_, i) => { tallies[i]!.add(row) })
  const examples = tallies.map(t => t.examples(request.examplesMax ?? EXAMPLES_DEFAULT))
  const explained = await explain(sql, view, examples, merged)
  const features = tallies.map((t, i) => t.result(explained[i]!))
  return {
    view: view.name, version: view.version, vectors: served.length, patients: new Set(served.map(s => s.patient)).size, values: served.length * view.names.length,
    different: features.flatMap(f => skewIn(f.outcomes)).reduce((sum, [, n]) => sum + n, 0), features,
  }
}

/** The vectors of the sample. Backfilled ones were never served. */
function spineOf ({ view, from, to, share, vectorsMax }: SkewRequest): string {
  return `(SELECT rowNumberInAllBlocks() AS row, * FROM (
    SELECT patient, as_of, through, values FROM features
    WHERE view = ${quoted(view.name)} AND version = ${view.version} AND entity = 'patient' AND offset >= 0 AND arrival_time >= ${momentOf(from)} AND arrival_time < ${momentOf(to)}
      AND cityHash64(patient) % ${MILLION} < ${Math.ceil(share * MILLION)}
    ORDER BY as_of DESC, patient, offset DESC LIMIT ${Math.trunc(vectorsMax)}))`
}

async function pairs (sql: OfflineSql, view: FeatureView, spine: string, merged: boolean): Promise<readonly Served[]> {
  const rows = await sql.rows(`
    SELECT s.patient AS patient, ${msOf('s.as_of')} AS asOf, s.through AS through, s.values AS values, c.values AS stored
    FROM ${spine} AS s INNER JOIN (${compileView(view, { spine, shape: 'arrays', merged })}) AS c ON c.row = s.row`, {})
  return rows.map(row => ({ patient: String(row['patient']), asOf: Number(row['asOf']), through: Number(row['through']), values: numbers(row['values']), stored: numbers(row['stored']) }))
}

/** JSON has no NaN: the client reads null. */
function numbers (values: unknown): readonly number[] { return (values as readonly (number | null)[]).map(v => v ?? NaN) }

interface Difference { readonly relative: number, readonly row: Served, readonly served: number, readonly stored: number }

async function explain (sql: OfflineSql, view: FeatureView, examples: readonly (readonly Difference[])[], merged: boolean): Promise<readonly (readonly SkewExample[])[]> {
  const rows = [...new Set(examples.flat().map(e => e.row))]
  if (rows.length === 0) return examples.map(() => [])
  const sameDefinition = await isSameDefinition(sql, view)
  const [newest] = await sql.rows(`SELECT ${msOf('max(arrival_time)')} AS at FROM observations`, {})
  const storeArrival = Number(newest?.['at'] ?? 0)
  const wholeMilliseconds = await atWholeMilliseconds(sql, view, rows, merged)
  return examples.map((of, i) => of.map(({ row, served, stored }): SkewExample => {
    const evidence = { served, stored, wholeMillisecond: wholeMilliseconds[rows.indexOf(row)]![i] ?? NaN, storeArrival, asOf: row.asOf, sameDefinition }
    return { feature: view.names[i]!, patient: row.patient, asOf: row.asOf, served, stored, cause: causeOf(evidence) }
  }))
}

async function isSameDefinition (sql: OfflineSql, view: FeatureView): Promise<boolean> {
  const [known] = await sql.rows('SELECT names, units FROM feature_names FINAL WHERE view = {view:String} AND version = {version:UInt32}', { view: view.name, version: view.version })
  return known === undefined || (JSON.stringify(known['names']) === JSON.stringify(view.names) && JSON.stringify(known['units']) === JSON.stringify(view.units))
}

/** The features of each row with everything of its millisecond. */
async function atWholeMilliseconds (sql: OfflineSql, view: FeatureView, rows: readonly Served[], merged: boolean): Promise<readonly (readonly number[])[]> {
  const spine = `(${rows.map((row, i) => `SELECT toUInt64(${i}) AS row, ${quoted(row.patient)} AS patient, ${momentOf(row.asOf)} AS as_of, toInt64(-1) AS through`).join(' UNION ALL ')})`
  const found = new Map((await sql.rows(`SELECT * FROM (${compileView(view, { spine, shape: 'arrays', merged })})`, {})).map(row => [Number(row['row']), numbers(row['values'])]))
  return rows.map((_, i) => found.get(i) ?? [])
}

/** What became of one feature. */
class Tally {
  readonly #feature: string
  readonly #unit: string
  readonly #outcomes: Record<Outcome, number> = { equal: 0, within: 0, different: 0, 'served-absent': 0, 'stored-absent': 0 }
  readonly #place: number
  readonly #differences: Difference[] = []
  #worst = 0
  #both = 0
  #smape = 0

  constructor (feature: string, unit: string, place: number) { this.#feature = feature; this.#unit = unit; this.#place = place }

  add (row: Served): void {
    const served = row.values[this.#place] ?? NaN
    const stored = row.stored[this.#place] ?? NaN
    const { outcome, relative } = compareValues(served, stored)
    this.#outcomes[outcome]++
    if (Number.isFinite(relative)) this.#worst = Math.max(this.#worst, relative)
    if (!Number.isNaN(served) && !Number.isNaN(stored)) {
      this.#both++
      if (served !== stored) this.#smape += 2 * Math.abs(served - stored) / (Math.abs(served) + Math.abs(stored))
    }
    if (isSkewed(outcome)) this.#differences.push({ relative, row, served, stored })
  }

  examples (max: number): readonly Difference[] {
    return this.#differences.toSorted((a, b) => a.relative === b.relative ? a.row.asOf - b.row.asOf : b.relative - a.relative).slice(0, max)
  }

  result (examples: readonly SkewExample[]): FeatureSkew {
    return { feature: this.#feature, unit: this.#unit, outcomes: this.#outcomes, worst: this.#worst, smape: this.#both === 0 ? 0 : this.#smape / this.#both, examples }
  }
}
