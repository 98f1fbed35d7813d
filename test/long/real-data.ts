/**
 * Recorded data through the stream and through SQL: `node --import tsx test/long/real-data.ts [mimic3|physionet2019] [PATIENTS] [VECTORS]`. Replays patients
 * through the features machine, loads the same records into ClickHouse, and computes the standard views by SQL at emitted vectors (at most VECTORS a
 * view and patient, spread over the stay). Reports per feature what was equal, within tolerance, or different. Names no patient.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { openMimic3, openPhysionet2019, type HistoricalSource } from '../../connectors/files/index.ts'
import { featuresMachine } from '../../features/compute/index.ts'
import type { FeatureView } from '../../features/define/index.ts'
import { compileView, OfflineBatchBuilder, startEngine, type ClickHouseOffline } from '../../features/offline/index.ts'
import type { FeatureVector } from '../../features/vector.ts'
import { ALL_VIEWS } from '../../features/views/index.ts'
import { KeyedMachine } from '../../streams/engine/index.ts'
import type { PatientKey } from '../../streams/events/index.ts'
import { systemClock } from '../../streams/time/index.ts'
import { storeOn } from '../kit/offline-store.ts'

const [kind = 'mimic3', patientsText = '100', vectorsText = '60'] = process.argv.slice(2)
const PATIENTS = Number(patientsText)
const VECTORS = Number(vectorsText)
const ROWS_A_QUERY = 1_500
const BATCH_ROWS = 20_000
const TOLERANCE = 1e-9

interface Emitted { readonly patient: string, readonly through: number, readonly vector: FeatureVector }
interface Tally { compared: number, equal: number, near: number, different: number, examples: string[] }

const data = (name: string): string => fileURLToPath(new URL(`../../../shared/data/${name}`, import.meta.url))

async function open (): Promise<HistoricalSource | undefined> {
  const path = data(kind === 'mimic3' ? 'mimic3demo' : 'physionet2019_A.csv.gz')
  if (!existsSync(path)) { console.log(`SKIPPED: ${path.split('/').at(-1)} is absent`); return undefined }
  let accepted = 0
  const accept = (): boolean => accepted++ < PATIENTS
  return kind === 'mimic3' ? await openMimic3(path, { accept, timeline: 'aligned' }) : await openPhysionet2019(path, { accept })
}

/** The stream's vectors, by view; the records go to the store on the way. */
async function replay (source: HistoricalSource, store: ClickHouseOffline, views: readonly FeatureView[]): Promise<ReadonlyMap<string, readonly Emitted[]>> {
  const machine = new KeyedMachine(featuresMachine(views))
  const said = new Map<string, Emitted[]>(views.map(v => [v.name, []]))
  const names = new Map<string, string>()
  let batch = new OfflineBatchBuilder()
  let offset = 0
  for await (const { patientId, arrival, event } of source) {
    const patient = names.get(patientId) ?? `p${names.size}`
    names.set(patientId, patient)
    const at = { patient: patient as PatientKey, arrival, partition: 0, offset }
    if (event.type === 'observations') batch.observations.push({ ...at, kind: event.kind, source: event.source, observations: event.observations })
    if (event.type === 'encounter') batch.encounters.push({ ...at, event })
    machine.record(offset++, arrival, patient, event, ({ key, out, through }) => { if (out.type === 'vector') said.get(out.view)!.push({ patient: key, through, vector: out }) })
    if (batch.rows >= BATCH_ROWS) { await store.write(batch); batch = new OfflineBatchBuilder() }
  }
  await store.write(batch)
  return said
}

/** At most VECTORS of each patient, spread evenly; each patient's stand together. */
function sampled (vectors: readonly Emitted[]): readonly Emitted[] {
  const by = new Map<string, Emitted[]>()
  for (const v of vectors) { const list = by.get(v.patient) ?? []; by.set(v.patient, list); list.push(v) }
  return [...by.values()].flatMap(list => list.length <= VECTORS ? list : Array.from({ length: VECTORS }, (_, i) => list[Math.floor(i * list.length / VECTORS)]!))
}

async function compareView (store: ClickHouseOffline, view: FeatureView, vectors: readonly Emitted[], tallies: Map<string, Tally>): Promise<void> {
  for (let at = 0; at < vectors.length; at += ROWS_A_QUERY) {
    const part = vectors.slice(at, at + ROWS_A_QUERY)
    await store.sql.command('DROP TABLE IF EXISTS real_spine SYNC')
    await store.sql.command("CREATE TABLE real_spine (row UInt64, patient String, as_of DateTime64(3, 'UTC'), through Int64) ENGINE = MergeTree ORDER BY row")
    await store.sql.load('real_spine', 'JSONEachRow', Readable.from([part.map((v, row) => JSON.stringify({ row, patient: v.patient, as_of: v.vector.asOf, through: v.through })).join('\n')], { objectMode: false }))
    const rows = await store.sql.rows(compileView(view, { spine: 'real_spine', shape: 'arrays', merged: false }), {}, { max_execution_time: 600 })
    for (const row of rows) compare(view, part[Number(row['row'])]!, row['values'] as readonly (number | null)[], row['times'] as readonly (number | null)[], tallies)
  }
}

function compare (view: FeatureView, { vector, through }: Emitted, values: readonly (number | null)[], times: readonly (number | null)[], tallies: Map<string, Tally>): void {
  view.names.forEach((name, i) => {
    const tally = tallies.get(`${view.name}.${name}`) ?? { compared: 0, equal: 0, near: 0, different: 0, examples: [] }
    tallies.set(`${view.name}.${name}`, tally)
    const [is, ought] = [values[i] ?? NaN, vector.values[i]!]
    const sameTime = Object.is(times[i] ?? NaN, vector.times[i]!)
    tally.compared++
    if (sameTime && (Object.is(is, ought) || is === ought)) tally.equal++
    else if (sameTime && Math.abs(is - ought) <= TOLERANCE * Math.max(1, Math.abs(is), Math.abs(ought), ...largest(view, i, vector))) tally.near++
    else {
      tally.different++
      if (tally.examples.length < 3) tally.examples.push(`through ${through}: SQL ${is} at ${times[i] === null ? 'none' : vector.asOf - times[i]!} ms before, stream ${ought} at ${vector.asOf - vector.times[i]!} ms before`)
    }
  })
}

/** Where values cancel (a slope, a deviation) the tolerance is of the values themselves: 300 is above every vital sign's. */
function largest (view: FeatureView, i: number, _vector: FeatureVector): readonly number[] {
  const e = view.expressions[i]!
  return (e.op === 'window' || e.op === 'sampled') && (e.aggregate === 'slope' || e.aggregate === 'deviation' || e.aggregate === 'variance') ? [300] : []
}

async function main (): Promise<number> {
  const source = await open()
  if (source === undefined) return 0
  const directory = await mkdtemp(join(tmpdir(), 'latido-real-'))
  try {
    const started = await startEngine({ directory, clock: systemClock })
    if (started.kind === 'off') { console.log(`SKIPPED: ${started.why}`); return 0 }
    await using engine = started.engine
    await using store = await storeOn(engine, { requestTimeoutMs: 600_000 })
    const said = await replay(source, store, ALL_VIEWS)
    console.log(`${kind}: ${Math.min(PATIENTS, source.patients)} patients, ${source.messages} messages`)
    const tallies = new Map<string, Tally>()
    for (const view of ALL_VIEWS) {
      const vectors = said.get(view.name)!
      const part = sampled(vectors)
      const startedMs = systemClock.monotonicMs()
      await compareView(store, view, part, tallies)
      const mine = [...tallies].filter(([name]) => name.startsWith(`${view.name}.`)).map(([, t]) => t)
      const total = (of: (t: Tally) => number): number => mine.reduce((n, t) => n + of(t), 0)
      console.log(`${view.name}: ${vectors.length} vectors, ${part.length} compared, ${total(t => t.compared)} values: ${total(t => t.equal)} equal, ${total(t => t.near)} within 1e-9, ${total(t => t.different)} different (${((systemClock.monotonicMs() - startedMs) / 1_000).toFixed(0)} s)`)
    }
    for (const [name, t] of tallies) if (t.different > 0) console.log(`  ${name}: ${t.different} of ${t.compared} different; ${t.examples.join('; ')}`)
    return [...tallies.values()].some(t => t.different > 0) ? 4 : 0
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

process.exitCode = await main()
