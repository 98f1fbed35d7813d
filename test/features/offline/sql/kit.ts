import { Readable } from 'node:stream'
import type { Expression, FeatureView } from '../../../../features/define/index.ts'
import { OfflineBatchBuilder, type ClickHouseOffline } from '../../../../features/offline/index.ts'
import { compileView, type CompileOptions } from '../../../../features/offline/sql/index.ts'
import type { BedsideEvent, PatientKey } from '../../../../streams/events/index.ts'
import { startTestEngine, type TestEngine } from '../clickhouse/kit.ts'
import { Law } from './law.ts'
import { storeOn } from '../../../kit/offline-store.ts'

/** A record of the log of one patient; a merge is a record of the loser. */
export interface Told { readonly patient: string, readonly arrival: number, readonly event: BedsideEvent }
/** A row of a spine, and what somebody says of it. */
export interface Known { readonly patient: string, readonly asOf: number, readonly through: number, readonly values: ArrayLike<number>, readonly times: ArrayLike<number> }
export type Asked = Pick<Known, 'patient' | 'asOf' | 'through'>

/** A log of many patients, each in a partition of its own, in order of arrival; what a transfer brings takes an offset of the survivor's partition at once. */
export interface Step extends Told { readonly offset: number }

/** The log's records as rows of the offline store, and in the order in which machines see them. */
export class Ledger {
  readonly #offsets = new Map<string, number>()
  readonly #partitions = new Map<string, number>()
  readonly batch: OfflineBatchBuilder = new OfflineBatchBuilder()
  readonly steps: Step[] = []

  tell (told: Told): void {
    const { patient, arrival, event } = told
    const offset = this.#next(patient)
    const at = { patient: patient as PatientKey, arrival, partition: this.#partition(patient), offset }
    if (event.type === 'observations') this.batch.observations.push({ ...at, kind: event.kind, source: event.source, observations: event.observations })
    if (event.type === 'encounter') this.batch.encounters.push({ ...at, event })
    if (event.type === 'merge') this.batch.merges.push({ ...at, event })
    this.steps.push({ ...told, offset })
  }

  #next (patient: string): number { const offset = this.#offsets.get(patient) ?? 0; this.#offsets.set(patient, offset + 1); return offset }
  #partition (patient: string): number { const partition = this.#partitions.get(patient) ?? this.#partitions.size; this.#partitions.set(patient, partition); return partition }
}

/** What the naive law says at positions of the log. */
export function byLaw (view: FeatureView, steps: readonly Step[], spine: readonly Asked[]): readonly Known[] {
  const laws = new Map<string, Law>()
  const into = new Map<string, string>()
  const rows = new Map<string, (Asked & { readonly row: number })[]>()
  spine.forEach((asked, row) => { rows.set(asked.patient, [...rows.get(asked.patient) ?? [], { ...asked, row }]) })
  for (const of of rows.values()) of.sort((a, b) => a.asOf - b.asOf || (a.through < 0 ? Infinity : a.through) - (b.through < 0 ? Infinity : b.through))
  const answers: Known[] = []
  const lawOf = (patient: string): Law => { const law = laws.get(patient) ?? new Law(); laws.set(patient, law); return law }
  const settle = (patient: string, arrival: number, offset: number): void => {
    const waiting = rows.get(patient) ?? []
    while (waiting[0] !== undefined && !(arrival < waiting[0].asOf || (arrival === waiting[0].asOf && (waiting[0].through < 0 || offset < waiting[0].through)))) {
      const { row, ...asked } = waiting.shift()!
      const said = view.expressions.map(e => lawOf(patient).answer(e, asked.asOf))
      answers[row] = { ...asked, values: said.map(a => a.value), times: said.map(a => Number.isNaN(a.value) ? NaN : a.time) }
    }
  }
  const goesTo = (patient: string): string => { const next = into.get(patient); return next === undefined ? patient : goesTo(next) }
  for (const { patient, arrival, offset, event } of steps) {
    settle(patient, arrival, offset)
    const to = goesTo(patient)
    if (to !== patient) settle(to, arrival, -1)
    if (event.type === 'merge') {
      const survivor = goesTo(event.survivor)
      settle(survivor, arrival, -1)
      lawOf(survivor).join(lawOf(to), arrival)
      laws.delete(to)
      into.set(to, survivor)
    } else lawOf(to).tell(event, arrival)
  }
  for (const patient of rows.keys()) settle(patient, Infinity, Infinity)
  return answers
}

export interface TestStore extends AsyncDisposable { readonly store: ClickHouseOffline, readonly engine: TestEngine['engine'] }

export async function openTestStore (): Promise<TestStore> {
  const { engine, ...rest } = await startTestEngine()
  const dispose = (rest as TestEngine)[Symbol.asyncDispose]
  const store = await storeOn(engine, { requestTimeoutMs: 600_000 })
  return { store, engine, [Symbol.asyncDispose]: async () => { await store[Symbol.asyncDispose](); await dispose() } }
}

/** Writes the spine as a table, asks the view at each row, and answers what SQL says, row by row. */
export async function asked (store: ClickHouseOffline, view: FeatureView, spine: readonly { readonly patient: string, readonly asOf: number, readonly through: number }[], options: Omit<CompileOptions, 'spine' | 'shape'> = {}): Promise<readonly Answer[]> {
  const { sql } = store
  await sql.command('DROP TABLE IF EXISTS test_spine')
  await sql.command("CREATE TABLE test_spine (row UInt64, patient String, as_of DateTime64(3, 'UTC'), through Int64) ENGINE = MergeTree ORDER BY row")
  await sql.load('test_spine', 'JSONEachRow', Readable.from([spine.map((s, row) => JSON.stringify({ row, patient: s.patient, as_of: s.asOf, through: s.through })).join('\n')], { objectMode: false }))
  const rows = await sql.rows(`SELECT row, values, times FROM (${compileView(view, { ...options, spine: 'test_spine', shape: 'arrays' })}) ORDER BY row`, {}, { max_execution_time: 600, output_format_json_quote_denormals: 1 })
  return rows.map(r => ({ row: Number(r['row']), values: (r['values'] as readonly unknown[]).map(Number), times: (r['times'] as readonly unknown[]).map(Number) }))
}

export interface Answer { readonly row: number, readonly values: readonly number[], readonly times: readonly number[] }

const MOMENTS: ReadonlySet<string> = new Set(['sum', 'mean', 'variance', 'deviation', 'slope', 'timeWeightedMean', 'timeAbove', 'timeBelow', 'quantile'])

/** True if values that this expression gives may differ by rounding. */
export function mayRound (e: Expression): boolean { return e.op === 'sampled' || (e.op === 'window' && MOMENTS.has(e.aggregate)) || !('concept' in e) }

/** What differs, feature by feature; `scale` is the largest absolute value that a window may hold. */
export function differences (view: FeatureView, known: readonly Known[], answers: readonly Answer[], scale: number = 10): ReadonlyMap<string, string[]> {
  const found = new Map<string, string[]>()
  known.forEach(({ patient, asOf, through, ...said }, row) => {
    const answer = answers[row]
    view.names.forEach((name, i) => {
      const [is, ought] = [answer?.values[i] ?? NaN, said.values[i]!]
      const near = Object.is(is, ought) || is === ought || (mayRound(view.expressions[i]!) && Math.abs(is - ought) <= 1e-9 * Math.max(scale, Math.abs(is), Math.abs(ought)))
      if (near && Object.is(answer?.times[i], said.times[i])) return
      const list = found.get(name) ?? []
      found.set(name, list)
      list.push(`${patient} as of ${asOf} through ${through}: SQL ${is} at ${answer?.times[i]}, expected ${ought} at ${said.times[i]}`)
    })
  })
  return found
}
