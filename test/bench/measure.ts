import { LatidoError } from '../../streams/errors/index.ts'

/** One figure of a benchmark: the values of its runs. */
export interface Measure { readonly name: string, readonly unit: string, readonly values: readonly number[], readonly target?: string }

/** The line of `--json`, as scripts read it. */
export interface Line { readonly name: string, readonly unit: string, readonly value: number, readonly min: number, readonly max: number, readonly n: number, readonly command: string }

export interface BenchOptions {
  /** Length of each timed part; benchmarks that have a length of their own take it from here. */
  readonly seconds: number | undefined
  readonly runs: number | undefined
  /** Says what is being done. */
  readonly say: (line: string) => void
}

export interface Benchmark { readonly summary: string, run (options: BenchOptions): Promise<readonly Measure[]> }

/** The value at share `q` of the sorted values; NaN of none. */
export function quantile (values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? NaN
}

export function median (values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Throws where a measure has no value or one that is no number: a figure is never made up. */
export function lineOf ({ name, unit, values }: Measure, command: string): Line {
  if (values.length === 0 || !values.every(Number.isFinite)) throw new LatidoError('PAYLOAD_INVALID', `${name} was not measured`, 'run it for longer with --seconds')
  return { name, unit, value: rounded(median(values)), min: rounded(Math.min(...values)), max: rounded(Math.max(...values)), n: values.length, command }
}

function rounded (value: number): number { return Number(value.toPrecision(4)) }
