import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { featuresMachine } from '../../../../features/compute/index.ts'
import { age, count, featureView, last, max, mean, min, slope, type FeatureView } from '../../../../features/define/index.ts'
import { buildDataset, localLake, type ClickHouseOffline, type ObservationsRow, type VectorRow } from '../../../../features/offline/index.ts'
import { labsView, vitalsView } from '../../../../features/views/index.ts'
import { KeyedMachine } from '../../../../streams/engine/index.ts'
import type { ConceptId, Observation, ObservationKind, PatientKey } from '../../../../streams/events/index.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { storeOn } from '../../../kit/offline-store.ts'
import { SeededRandom } from '../../../kit/random.ts'
import { tempDir } from '../../../kit/temp-dir.ts'
import { batchOf, describeWithEngine, startTestEngine, type TestEngine } from '../clickhouse/kit.ts'
import { iso, labelFile, MINUTE_MS, NOON } from './kit.ts'

/** Patients 2 i and 2 i + 1 are twins up to the label's time: what they lived through is the same to the millisecond. One of them has the label. */
const PAIRS = 40
const patientOf = (i: number): PatientKey => `p${String(i).padStart(3, '0')}` as PatientKey
const clues: FeatureView = featureView({
  name: 'clues', version: 1, owner: 'test', description: 'whatever could give a label away', ttl: '1 d', emit: { every: '1 s', on: ['laboratory', 'charted'] },
  features: {
    pulse: last('heartRate'), pulseMean: mean('heartRate').over('30 m'), pulseMax: max('heartRate').over('30 m'), pulseSlope: slope('heartRate').over('30 m'), pulses: count('heartRate').over('30 m'),
    lactate: last('lactate').within('24 h'), lactateMin: min('lactate').overReadings('6 h'), lactates: count('lactate').overReadings('6 h'), lactateAge: age('lactate'),
  },
})
/** Computing takes a query that ClickHouse plans for seconds, so there one view stands for all. */
const VIEWS = { served: [clues, vitalsView, labsView], computed: [clues] } as const

interface Reading { readonly patient: number, readonly arrival: number, readonly kind: ObservationKind, readonly of: Pick<Observation, 'concept' | 'value' | 'eventTime'> & Partial<Observation> }

/** Before the label's time: nothing in it knows of the label. */
function past (pair: number): readonly Omit<Reading, 'patient'>[] {
  const random = new SeededRandom(pair + 1)
  const pulses = Array.from({ length: 20 }, (_, i) => ({ arrival: NOON - (20 - i) * 30_000, kind: 'device' as const, of: { concept: 'heartRate' as ConceptId, value: 60 + random.below(50), eventTime: NOON - (20 - i) * 30_000 - random.below(3) * 1_000 } }))
  const bloods = [1, 2].map(n => ({ arrival: NOON - n * 20 * MINUTE_MS, kind: 'laboratory' as const, of: { concept: 'lactate' as ConceptId, value: 1 + random.below(40) / 10, eventTime: NOON - n * 30 * MINUTE_MS, resultId: `l${n}` } }))
  return [...pulses, ...bloods]
}

/** After it everything gives the label away, also what is said of the time before: late readings, a correction, a withdrawal. */
function giveaway (label: boolean): readonly Omit<Reading, 'patient'>[] {
  const [pulse, lactate] = label ? [180, 15] : [40, 0.5]
  const lab = (arrival: number, of: Partial<Observation>): Omit<Reading, 'patient'> => ({ arrival, kind: 'laboratory', of: { concept: 'lactate', value: lactate, eventTime: NOON - 5 * MINUTE_MS, ...of } })
  return [
    { arrival: NOON + 1, kind: 'device', of: { concept: 'heartRate', value: pulse, eventTime: NOON } },
    { arrival: NOON + 2, kind: 'device', of: { concept: 'heartRate', value: pulse, eventTime: NOON - 10_250 } },
    lab(NOON + 1, { resultId: 'l3' }),
    lab(NOON + 2, { resultId: 'l1', eventTime: NOON - 30 * MINUTE_MS, status: 'corrected' }),
    ...label ? [lab(NOON + 3, { resultId: 'l2', status: 'withdrawn' })] : [],
    { arrival: NOON + 30_000, kind: 'device', of: { concept: 'heartRate', value: pulse, eventTime: NOON + 30_000 } },
  ]
}

/** The log of a world, and what the stream served in it. */
function world (labelOf: (patient: number) => boolean): { readonly observations: readonly ObservationsRow[], readonly vectors: readonly VectorRow[] } {
  const readings = Array.from({ length: 2 * PAIRS }, (_, patient) => [...past(patient >> 1), ...giveaway(labelOf(patient))].map(reading => ({ ...reading, patient }))).flat().sort((a, b) => a.arrival - b.arrival)
  const machine = new KeyedMachine(featuresMachine(VIEWS.served))
  const vectors: VectorRow[] = []
  const observations = readings.map(({ patient, arrival, kind, of }, offset): ObservationsRow => {
    const set = { kind, source: 'test', observations: [{ comparator: '=' as const, status: 'final' as const, quality: 'valid' as const, resultId: '', ...of }] }
    machine.record(offset, arrival, patientOf(patient), { type: 'observations', ...set }, ({ key, out, at, through }) => {
      if (out.type === 'vector') vectors.push({ patient: key as PatientKey, arrival: at, partition: 0, offset: vectors.length, vector: { ...out, through } })
    })
    return { patient: patientOf(patient), arrival, partition: 0, offset, ...set }
  })
  return { observations, vectors }
}

type Row = Readonly<Record<string, unknown>>
const numbersOf = (row: Row): readonly number[] => Object.entries(row).filter(([name]) => name.includes('__') && !name.endsWith('__as_of')).map(([, value]) => value === null ? -1e6 : Number(value))

/** Whole pairs are counted, so chance is a half to the last bit. */
function auroc (labels: readonly boolean[], scores: readonly number[]): number {
  let doubled = 0
  const [yes, no] = [true, false].map(side => scores.filter((_, i) => labels[i] === side)) as [number[], number[]]
  for (const y of yes) for (const n of no) doubled += y > n ? 2 : y === n ? 1 : 0
  return doubled / (2 * yes.length * no.length)
}

/** Logistic regression by gradient descent on standardised columns: enough to find a column that tells. */
function train (rows: readonly (readonly number[])[], labels: readonly boolean[]): (row: readonly number[]) => number {
  const columns = rows[0]!.map((_, c) => rows.map(row => row[c]!))
  const means = columns.map(column => column.reduce((a, b) => a + b) / column.length)
  const spreads = columns.map((column, c) => Math.sqrt(column.reduce((a, x) => a + (x - means[c]!) ** 2, 0) / column.length) || 1)
  const scaled = (row: readonly number[]): readonly number[] => row.map((x, c) => (x - means[c]!) / spreads[c]!)
  const weights = columns.map(() => 0)
  const score = (row: readonly number[]): number => scaled(row).reduce((sum, x, c) => sum + x * weights[c]!, 0)
  for (let round = 0; round < 50; round++) for (const [i, row] of rows.entries()) {
    const wrong = (labels[i]! ? 1 : 0) - 1 / (1 + Math.exp(-score(row)))
    scaled(row).forEach((x, c) => { weights[c]! += 0.02 * wrong * x })
  }
  return score
}

describeWithEngine('labels whose future gives them away', () => {
  let started: TestEngine
  const dir = tempDir()
  const clock = new ManualClock()
  clock.set(NOON + 3_600_000)
  const stores: ClickHouseOffline[] = []
  const isSick = (patient: number): boolean => (patient + (patient >> 1)) % 2 === 1
  beforeAll(async () => {
    started = await startTestEngine()
    const { engine } = started
    for (const [i, labelOf] of [isSick, (patient: number) => !isSick(patient)].entries()) {
      const store = await storeOn(engine, { database: `world_${i}` })
      stores.push(store)
      await store.write(batchOf(world(labelOf)))
    }
  })
  afterAll(async () => { for (const store of stores) await store[Symbol.asyncDispose](); await started[Symbol.asyncDispose](); dir.remove() })

  const built = new Map<string, Promise<readonly Row[]>>()
  /** The same data set is built once. */
  function build (worldNumber: 0 | 1, source: 'served' | 'computed', time: number): Promise<readonly Row[]> {
    const id = `${worldNumber} ${source} ${time}`
    const rows = built.get(id) ?? buildAnew(worldNumber, source, time)
    built.set(id, rows)
    return rows
  }

  async function buildAnew (worldNumber: 0 | 1, source: 'served' | 'computed', time: number): Promise<readonly Row[]> {
    const { sql } = stores[worldNumber]!
    const patients = Array.from({ length: 2 * PAIRS }, (_, i) => i)
    const labels = labelFile(dir.path, `patient,time\n${patients.map(i => `${patientOf(i)},${iso(time)}\n`).join('')}`)
    const lake = join(dir.path, `lake-${worldNumber}`)
    const { files, columns, name, version } = await buildDataset(sql, localLake(lake), clock, { name: `leak-${source}`, labels: { path: labels }, views: VIEWS[source], source })
    await sql.command(`CREATE OR REPLACE TABLE back (${columns.map(c => `\`${c.name}\` ${c.type}`).join(', ')}) ENGINE = Memory`)
    for (const file of files) await sql.load('back', 'Parquet', Readable.from([readFileSync(join(lake, 'datasets', name, String(version), file.name))], { objectMode: false }))
    return await sql.rows('SELECT * FROM back ORDER BY patient', {})
  }

  const labels = Array.from({ length: 2 * PAIRS }, (_, i) => isSick(i))

  it.each(['served', 'computed'] as const)('%s features are the same, row by row, when the future is swapped', async source => {
    const [rows, swapped] = [await build(0, source, NOON), await build(1, source, NOON)]
    expect(rows).toHaveLength(2 * PAIRS)
    expect(rows.every(row => row['clues__pulse'] !== null && row['clues__lactate'] !== null && row['vitals__heartRateLast'] !== null)).toBe(true)
    expect(new Set(rows.map(row => JSON.stringify(numbersOf(row)))).size).toBe(PAIRS)
    expect(swapped).toEqual(rows)
  })

  it.each(['served', 'computed'] as const)('%s features tell as much as a coin: each column, and a model that is trained on all of them', async source => {
    const rows = (await build(0, source, NOON)).map(numbersOf)
    expect(rows[0]!.map((_, c) => auroc(labels, rows.map(row => row[c]!)))).toEqual(rows[0]!.map(() => 0.5))
    const half = PAIRS // patients of the first half of the pairs
    const score = train(rows.slice(0, half), labels.slice(0, half))
    expect(auroc(labels.slice(half), rows.slice(half).map(score))).toBe(0.5)
  })

  it.each(['served', 'computed'] as const)('%s features tell all as soon as the giveaway has arrived', async source => {
    const rows = await build(0, source, NOON + MINUTE_MS)
    for (const column of ['clues__pulse', 'clues__pulseMean', 'clues__lactate', 'clues__lactates', ...source === 'served' ? ['vitals__heartRateLast', 'labs__lactateLast'] : []]) {
      const told = auroc(labels, rows.map(row => Number(row[column])))
      expect(Math.max(told, 1 - told), column).toBe(1)
    }
    const numbers = rows.map(numbersOf)
    expect(auroc(labels.slice(PAIRS), numbers.slice(PAIRS).map(train(numbers.slice(0, PAIRS), labels.slice(0, PAIRS))))).toBe(1)
  })
})
