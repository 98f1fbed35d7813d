import type { EventTimeMs } from '../../streams/time/index.ts'

/** What is asked of a window beyond counts: decided when features are compiled, so that nothing else is computed. */
export interface Needs {
  moments: boolean
  /** Every value, for quantiles and distinct counts. */
  values: boolean
  /** How long readings hold, or tiles' means. */
  held: boolean
  /** The newest time beyond each limit. */
  seen: boolean
  readonly above: number[]
  readonly below: number[]
  sketch: boolean
}

export function noNeeds (): Needs { return { moments: false, values: false, held: false, seen: false, above: [], below: [], sketch: false } }

/** What a window says. Times in ms; m2, mtt and mty are sums of squares and products of deviations. One object a window, filled again each time. */
export class WindowStats {
  n = 0
  sum = 0
  mean = 0
  m2 = 0
  min: number = Infinity
  max: number = -Infinity
  firstTime: EventTimeMs = -1
  first: number = NaN
  last: number = NaN
  /** Event time of the newest reading. */
  newest: EventTimeMs = -1
  /** Times of the trend are counted from the first that came, so that what lies long ago keeps its digits. */
  origin = 0
  meanT = 0
  mtt = 0
  mty = 0
  /** Sum of value times weight, and of weights, for a time-weighted mean. */
  held = 0
  weights = 0
  /** By limit: milliseconds above, newest time above; the same below. */
  readonly aboveMs: number[] = []
  readonly belowMs: number[] = []
  readonly newestAbove: number[] = []
  readonly newestBelow: number[] = []
  values: Float64Array = new Float64Array(0)

  reset ({ above, below }: Needs): void {
    this.n = 0
    this.sum = 0
    this.mean = 0
    this.m2 = 0
    this.min = Infinity
    this.max = -Infinity
    this.firstTime = -1
    this.first = NaN
    this.last = NaN
    this.newest = -1
    this.meanT = 0
    this.mtt = 0
    this.mty = 0
    this.held = 0
    this.weights = 0
    for (let i = 0; i < above.length; i++) { this.aboveMs[i] = 0; this.newestAbove[i] = -1 }
    for (let i = 0; i < below.length; i++) { this.belowMs[i] = 0; this.newestBelow[i] = -1 }
  }

  /** One more value, of time `t` in ms: running moments (Welford 1962). */
  add (needs: Needs, t: number, value: number): void {
    if (needs.values) this.#keep(value)
    const n = ++this.n
    this.sum += value
    if (value < this.min) this.min = value
    if (value > this.max) this.max = value
    if (!needs.moments) return
    if (n === 1) this.origin = t
    const at = t - this.origin
    const off = value - this.mean
    const dt = at - this.meanT
    this.mean += off / n
    this.meanT += dt / n
    this.m2 += off * (value - this.mean)
    this.mtt += dt * (at - this.meanT)
    this.mty += off * (at - this.meanT)
  }

  /** A reading that held for so long. */
  hold ({ above, below }: Needs, value: number, ms: number): void {
    this.held += value * ms
    this.weights += ms
    for (let i = 0; i < above.length; i++) if (value > above[i]!) this.aboveMs[i] = this.aboveMs[i]! + ms
    for (let i = 0; i < below.length; i++) if (value < below[i]!) this.belowMs[i] = this.belowMs[i]! + ms
  }

  /** Remembers the newest time beyond each limit. */
  see ({ above, below }: Needs, value: number, time: EventTimeMs): void {
    for (let i = 0; i < above.length; i++) if (value > above[i]! && time > this.newestAbove[i]!) this.newestAbove[i] = time
    for (let i = 0; i < below.length; i++) if (value < below[i]! && time > this.newestBelow[i]!) this.newestBelow[i] = time
  }

  #keep (value: number): void {
    if (this.n === this.values.length) {
      const larger = new Float64Array(Math.max(64, this.values.length * 2))
      larger.set(this.values)
      this.values = larger
    }
    this.values[this.n] = value
  }
}

/** The linearly interpolated quantile of the first `n` values (Hyndman and Fan 1996, type 7), by selection: their order changes. */
export function quantileOf (values: Float64Array, n: number, level: number): number {
  const h = (n - 1) * level
  const k = Math.floor(h)
  const low = select(values, n, k)
  if (h === k) return low
  let next = Infinity
  for (let i = k + 1; i < n; i++) if (values[i]! < next) next = values[i]!
  return low + (h - k) * (next - low)
}

/** The value of rank `k`, which then stands there with nothing larger before it and nothing smaller behind it (Hoare 1961). */
function select (values: Float64Array, n: number, k: number): number {
  let left = 0
  let right = n - 1
  while (left < right) {
    const pivot = values[(left + right) >> 1]!
    let i = left
    let j = right
    while (i <= j) {
      while (values[i]! < pivot) i++
      while (values[j]! > pivot) j--
      if (i <= j) {
        const swapped = values[i]!
        values[i++] = values[j]!
        values[j--] = swapped
      }
    }
    if (k <= j) right = j
    else if (k >= i) left = i
    else break
  }
  return values[k]!
}

/** How many different values there are among the first `n`; their order changes. */
export function distinctOf (values: Float64Array, n: number): number {
  values.subarray(0, n).sort()
  let distinct = n === 0 ? 0 : 1
  for (let i = 1; i < n; i++) if (values[i] !== values[i - 1]) distinct++
  return distinct
}
