import fc from 'fast-check'
import { avroTopic, defineProcessor, fields, testProcessor, type DefinedProcessor, type TestedProcessor } from '../../../streams/processors/index.ts'
import { count, first, last, max, mean, min, sampleDeviation, slope, sum, type Aggregate, type WindowMachine } from '../../../streams/windows/index.ts'

export const READING = { type: 'record', name: 'Reading', fields: [{ name: 'patient', type: 'string' }, { name: 'code', type: 'string' }, { name: 'ts', type: 'long' }, { name: 'value', type: 'double' }] } as const
/** Divides size, hop, gap and grace of what is tested, so ties and exact boundaries are common. */
export const STEP_MS = 5_000
export const START_MS = 1_000_000_000

/** A reading of a key, or silence: time alone. Its place in the list is its offset. */
export interface Moment { readonly at: number, readonly key: string | undefined, readonly ts: number, readonly value: number }
export type Story = readonly Moment[]

/** Arrival is event time and jitter; sorting by their sum makes the disorder. Now and then a record's stamp goes back, or time jumps. */
export const stories: fc.Arbitrary<Story> = fc.array(fc.record({
  step: fc.integer({ min: 0, max: 40 }), jitter: fc.constantFrom(0, 0, 0, 1, 1, 2, 3, 5, 9, 14), key: fc.constantFrom('a', 'a', 'b', 'c|d', undefined),
  value: fc.integer({ min: -3, max: 9 }), back: fc.constantFrom(0, 0, 0, 0, 1), jump: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 60),
}), { minLength: 1, maxLength: 60 }).map(drawn => {
  let jumped = 0
  return drawn.map(d => ({ ...d, sum: d.step + d.jitter })).sort((a, b) => a.sum - b.sum).map(({ step, jitter, key, value, back, jump }): Moment => {
    jumped += jump
    const ts = START_MS + (step + jumped) * STEP_MS
    return { at: ts + (jitter - back) * STEP_MS, ts, key, value }
  })
})

/** Everything that an aggregate may be, over one machine. */
export type Name = 'n' | 'sum' | 'mean' | 'min' | 'max' | 'first' | 'last' | 'sd' | 'slope'
export const AGGREGATES: Readonly<Record<Name, Aggregate>> = { n: count(), sum: sum(), mean: mean(), min: min(), max: max(), first: first(), last: last(), sd: sampleDeviation(), slope: slope() }

/** One output, without the figures that rounding may change by the order of adding. */
export interface Said { readonly key: string, readonly start: number, readonly end: number, readonly revision: number, readonly cause: string, readonly at: number, readonly figures: Readonly<Record<Name, number>> }
/** What one record brought about. */
export interface Told { readonly said: readonly Said[], readonly late: boolean }

export function processorOf (machine: WindowMachine<'ts', 'value', Name>): DefinedProcessor<typeof READING> {
  return defineProcessor({
    name: 'tested', input: avroTopic('in', READING), key: fields('patient', 'code'), machine, late: 'late', skew: '5 m',
    output: { topic: 'out', json: w => ({ ...w, key: w.key.patient }) },
  })
}

interface Json { readonly key: string, readonly value: Readonly<Record<Name, number | null>>, readonly start: number, readonly end: number, readonly revision: number, readonly cause: string, readonly at: number }

/** Tells a story, restarting before the offsets of `restarts` with that many rows taken. */
export async function tell (machine: WindowMachine<'ts', 'value', Name>, story: Story, restarts: ReadonlyMap<number, number> = new Map()): Promise<readonly Told[]> {
  const driver = await testProcessor(processorOf(machine))
  const told: Told[] = []
  for (const [offset, moment] of story.entries()) {
    const rows = restarts.get(offset)
    if (rows !== undefined) await driver.restart(rows)
    await sendMoment(driver, moment)
    const late = driver.read('late').length > 0
    told.push({ late, said: driver.read('out').map(w => { const { key, value, ...rest } = w.value as Json; return { key, ...rest, figures: Object.fromEntries(Object.entries(value).map(([name, v]) => [name, v ?? NaN])) as Record<Name, number> } }) })
  }
  return told
}

async function sendMoment (driver: TestedProcessor<typeof READING>, { at, key, ts, value }: Moment): Promise<void> {
  if (key === undefined) await driver.sendRaw(null, Buffer.alloc(0), at)
  else await driver.send({ patient: key, code: 'x\\y', ts, value }, { at })
}

/** The naive figures of some readings, which are in the order of their arrival. */
export function figuresOf (readings: readonly { readonly ts: number, readonly value: number }[]): Readonly<Record<Name, number>> {
  const values = readings.map(r => r.value)
  const byTime = [...readings].sort((a, b) => a.ts - b.ts) // stable: ties stay in the order of their arrival
  const n = values.length
  const total = values.reduce((a, b) => a + b, 0)
  const meanTs = readings.reduce((a, r) => a + r.ts / n, 0)
  const spread = readings.reduce((a, r) => a + (r.ts - meanTs) ** 2, 0)
  return {
    n, sum: total, mean: total / n, min: Math.min(...values), max: Math.max(...values),
    first: byTime[0]!.value, last: byTime.at(-1)!.value,
    sd: n > 1 ? Math.sqrt(values.reduce((a, v) => a + (v - total / n) ** 2, 0) / (n - 1)) : NaN,
    slope: spread > 1e-6 ? readings.reduce((a, r) => a + (r.ts - meanTs) * (r.value - total / n), 0) / spread * 1_000 : NaN,
  }
}

/** Rounded, so that another order of adding gives the same. */
export function rounded (told: readonly Told[]): readonly Told[] {
  const round = (v: number): number => Number.isNaN(v) ? NaN : Math.round(v * 1e6) / 1e6 + 0
  return told.map(t => ({ ...t, said: t.said.map(s => ({ ...s, figures: Object.fromEntries(Object.entries(s.figures).map(([k, v]) => [k, round(v)])) as Record<Name, number> })) }))
}
