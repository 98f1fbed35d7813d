/** Our side, a process of its own: `node --import tsx test/bench/pit/ours.ts DATA load|join STORE`. Prints one line of JSON. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constant, featureView, type FeatureView } from '../../../features/define/index.ts'
import { buildDataset, localLake } from '../../../features/offline/dataset/index.ts'
import { startEngine } from '../../../features/offline/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { storeOn } from '../../kit/offline-store.ts'

const VIEWS = 5
const FEATURES = 10
const [data = '', what = '', directory = ''] = process.argv.slice(2)
const features = (view: number): readonly string[] => Array.from({ length: FEATURES }, (_, i) => `v${view}F${i}`)
/** What the features are does not matter: their vectors are there. */
const views: readonly FeatureView[] = Array.from({ length: VIEWS }, (_, v) => featureView({ name: `v${v}`, version: 1, owner: 'bench', description: 'as the peer has it', ttl: '3650 d', emit: { every: '10 s' }, features: Object.fromEntries(features(v).map(name => [name, { expression: constant(0).expression, unit: '1' }])) }))

const started = await startEngine({ directory, clock: systemClock })
if (started.kind === 'off') throw new Error(started.why)
const { engine } = started
const store = await storeOn(engine)

async function load (): Promise<void> {
  for (let v = 0; v < VIEWS; v++) {
    const values = Array.from({ length: FEATURES }, (_, i) => `v${v}_f${i}`).join(', ')
    await store.sql.command(`INSERT INTO features (patient, view, version, as_of, arrival_time, trigger, values, times, partition, offset)
      SELECT toString(user_id), 'v${v}', 1, toDateTime64(ts, 3, 'UTC'), toDateTime64(ts, 3, 'UTC'), 'device', [${values}], [], 0, rowNumberInAllBlocks() FROM file('${join(data, `v${v}.parquet`)}')`)
  }
  await store.sql.command('OPTIMIZE TABLE features FINAL')
}

async function join_ (): Promise<Readonly<Record<string, unknown>>> {
  const lake = mkdtempSync(join(tmpdir(), 'latido-bench-pit-'))
  try {
    const startedMs = systemClock.monotonicMs()
    const manifest = await buildDataset(store.sql, localLake(lake), systemClock, { name: 'pit', labels: { path: join(data, 'labels.parquet'), patientColumn: 'user_id', timeColumn: 'event_timestamp' }, views, arrivedBy: Date.UTC(2100, 0, 1) })
    const seconds = (systemClock.monotonicMs() - startedMs) / 1_000
    const files = join(lake, 'datasets/pit/1/part-*.parquet')
    const chunks: Buffer[] = []
    for await (const chunk of await store.sql.bytes(`SELECT count() AS rows, sum(v0__v0F0) AS first, sum(v4__v4F9) AS last, countIf(v0__v0F0 IS NULL) AS nulls FROM file('${files}', Parquet)`, 'JSONEachRow') as AsyncIterable<Buffer>) chunks.push(chunk)
    return { seconds, columns: manifest.columns.length, ...JSON.parse(Buffer.concat(chunks).toString()) as object }
  } finally {
    rmSync(lake, { recursive: true, force: true })
  }
}

const answer = what === 'load' ? await load().then(() => ({})) : await join_()
await store[Symbol.asyncDispose]()
process.stdout.write(`${JSON.stringify(answer)}\n`)
await engine[Symbol.asyncDispose]()
process.exit(0)
