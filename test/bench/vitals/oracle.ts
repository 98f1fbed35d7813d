import { CODES, PARTITIONS, type Workload } from './workload.ts'
import type { Window } from './processor.ts'

const SIZE_MS = 60_000
const GRACE_MS = 10_000

export interface Expected { readonly n: number, readonly mean: number, readonly min: number, readonly max: number, readonly sd: number, readonly last: number }

export const windowName = (patient: number, code: number, start: number): string => `${patient}|${code}|${start}`

/** Every final window, computed from its readings: a reading counts in a window that ends after the partition's clock less the grace, itself included. */
export function oracle (w: Workload, window: Window): ReadonlyMap<string, Expected> {
  const everyMs = window === 'hop' ? 10_000 : SIZE_MS
  const clocks = new Float64Array(PARTITIONS)
  const readings = new Map<string, { readonly end: number, readonly partition: number, readonly values: number[], readonly times: number[] }>()
  for (let i = 0; i < w.count; i++) {
    const time = w.eventTime[i]!
    const partition = w.partitionOf[w.patient[i]!]!
    clocks[partition] = Math.max(clocks[partition]!, time)
    for (let start = Math.floor(time / everyMs) * everyMs; start + SIZE_MS > time; start -= everyMs) {
      if (start + SIZE_MS + GRACE_MS <= clocks[partition]!) break
      const name = windowName(w.patient[i]!, w.code[i]!, start)
      let found = readings.get(name)
      if (found === undefined) readings.set(name, found = { end: start + SIZE_MS, partition, values: [], times: [] })
      found.values.push(w.value[i]!)
      found.times.push(time)
    }
  }
  const expected = new Map<string, Expected>()
  for (const [name, { end, partition, values, times }] of readings) if (end + GRACE_MS <= clocks[partition]!) expected.set(name, figures(values, times))
  return expected
}

function figures (values: readonly number[], times: readonly number[]): Expected {
  const n = values.length
  const mean = values.reduce((a, b) => a + b, 0) / n
  const sd = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / n)
  let last = 0
  times.forEach((t, i) => { if (t >= times[last]!) last = i })
  return { n, mean, sd, min: values.reduce((a, b) => Math.min(a, b)), max: values.reduce((a, b) => Math.max(a, b)), last: values[last]! }
}

/** Compares outputs with what is expected, one by one. */
export class Verdict {
  readonly #expected: ReadonlyMap<string, Expected>
  readonly #seen = new Set<string>()
  outputs = 0
  duplicates = 0
  unexpected = 0
  differ = 0

  constructor (expected: ReadonlyMap<string, Expected>) { this.#expected = expected }

  get missing (): number { return [...this.#expected.keys()].filter(name => !this.#seen.has(name)).length }
  get exact (): boolean { return this.missing === 0 && this.duplicates === 0 && this.unexpected === 0 && this.differ === 0 }

  add (value: Buffer): void {
    const { p, c, ws, ...got } = JSON.parse(value.toString()) as { readonly p: string, readonly c: string, readonly ws: number } & Expected
    const name = windowName(Number(p.slice(1)), CODES.findIndex(([code]) => code === c), ws)
    this.outputs++
    const want = this.#expected.get(name)
    if (this.#seen.has(name)) this.duplicates++
    else if (want === undefined) this.unexpected++
    else if ((['n', 'mean', 'min', 'max', 'sd', 'last'] as const).some(f => !(Math.abs(got[f] - want[f]) <= 1e-6))) this.differ++
    this.#seen.add(name)
  }

  toString (): string { return `${this.outputs} outputs, ${this.#expected.size} expected, ${this.missing} missing, ${this.unexpected} unexpected, ${this.duplicates} duplicate, ${this.differ} differ` }
}
