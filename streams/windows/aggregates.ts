import type { Aggregate, PartialAggregate } from './aggregate.ts'

const COUNT: PartialAggregate = {
  name: 'count', width: 1,
  empty: (c, at) => { c[at] = 0 },
  add: (c, at) => { c[at]!++ },
  merge: (c, at, from, f) => { c[at]! += from[f]! },
}

const SUM: PartialAggregate = {
  name: 'sum', width: 1,
  empty: (c, at) => { c[at] = 0 },
  add: (c, at, value) => { c[at]! += value },
  merge: (c, at, from, f) => { c[at]! += from[f]! },
}

/** Count, mean, sum of squared distances (Welford 1962; merged as Chan, Golub and LeVeque 1979): accurate where the spread is small beside the mean. */
const MOMENTS: PartialAggregate = {
  name: 'moments', width: 3,
  empty: (c, at) => { c[at] = 0; c[at + 1] = 0; c[at + 2] = 0 },
  add: (c, at, value) => {
    const n = c[at]! + 1
    const before = c[at + 1]!
    const mean = before + (value - before) / n
    c[at] = n
    c[at + 1] = mean
    c[at + 2]! += (value - before) * (value - mean)
  },
  merge: (c, at, from, f) => {
    const n = c[at]!
    const more = from[f]!
    if (more === 0) return
    const all = n + more
    const distance = from[f + 1]! - c[at + 1]!
    c[at] = all
    c[at + 1]! += distance * more / all
    c[at + 2]! += from[f + 2]! + distance * distance * n * more / all
  },
}

const MIN: PartialAggregate = {
  name: 'min', width: 1,
  empty: (c, at) => { c[at] = Infinity },
  add: (c, at, value) => { if (value < c[at]!) c[at] = value },
  merge: (c, at, from, f) => { if (from[f]! < c[at]!) c[at] = from[f]! },
}

const MAX: PartialAggregate = {
  name: 'max', width: 1,
  empty: (c, at) => { c[at] = -Infinity },
  add: (c, at, value) => { if (value > c[at]!) c[at] = value },
  merge: (c, at, from, f) => { if (from[f]! > c[at]!) c[at] = from[f]! },
}

/** Time and value of the earliest; of several at that time, the one that arrived first. */
const FIRST: PartialAggregate = {
  name: 'first', width: 2,
  empty: (c, at) => { c[at] = Infinity; c[at + 1] = NaN },
  add: (c, at, value, eventTime) => { if (eventTime < c[at]!) { c[at] = eventTime; c[at + 1] = value } },
  merge: (c, at, from, f) => { if (from[f]! < c[at]!) { c[at] = from[f]!; c[at + 1] = from[f + 1]! } },
}

/** Time and value of the latest; of several at that time, the one that arrived last. */
const LAST: PartialAggregate = {
  name: 'last', width: 2,
  empty: (c, at) => { c[at] = -Infinity; c[at + 1] = NaN },
  add: (c, at, value, eventTime) => { if (eventTime >= c[at]!) { c[at] = eventTime; c[at + 1] = value } },
  merge: (c, at, from, f) => { if (from[f]! >= c[at]! && from[f]! > -Infinity) { c[at] = from[f]!; c[at + 1] = from[f + 1]! } },
}

/** Least squares over time, in moments of both: count, means, squared distances in time, their product with the value's. Merged as MOMENTS. */
const REGRESSION: PartialAggregate = {
  name: 'regression', width: 5,
  empty: (c, at) => { c.fill(0, at, at + 5) },
  add: (c, at, value, eventTime) => {
    const n = c[at]! + 1
    const dt = eventTime - c[at + 1]!
    c[at] = n
    c[at + 1]! += dt / n
    c[at + 2]! += (value - c[at + 2]!) / n
    c[at + 3]! += dt * (eventTime - c[at + 1]!)
    c[at + 4]! += dt * (value - c[at + 2]!)
  },
  merge: (c, at, from, f) => {
    const n = c[at]!
    const more = from[f]!
    if (more === 0) return
    const all = n + more
    const dt = from[f + 1]! - c[at + 1]!
    const dv = from[f + 2]! - c[at + 2]!
    c[at] = all
    c[at + 1]! += dt * more / all
    c[at + 2]! += dv * more / all
    c[at + 3]! += from[f + 3]! + dt * dt * n * more / all
    c[at + 4]! += from[f + 4]! + dt * dv * n * more / all
  },
}

/** How many readings. */
export function count (): Aggregate { return { partial: COUNT, result: (c, at) => c[at]! } }
export function sum (): Aggregate { return { partial: SUM, result: (c, at) => c[at]! } }
export function mean (): Aggregate { return { partial: MOMENTS, result: (c, at) => c[at + 1]! } }
export function min (): Aggregate { return { partial: MIN, result: (c, at) => c[at]! } }
export function max (): Aggregate { return { partial: MAX, result: (c, at) => c[at]! } }
/** Square root of the mean squared distance from the mean (divided by n). */
export function populationDeviation (): Aggregate { return { partial: MOMENTS, result: (c, at) => Math.sqrt(c[at + 2]! / c[at]!) } }
/** The same, divided by n - 1; NaN of one reading. */
export function sampleDeviation (): Aggregate { return { partial: MOMENTS, result: (c, at) => c[at]! > 1 ? Math.sqrt(c[at + 2]! / (c[at]! - 1)) : NaN } }
/** The value with the earliest event time; of several at that time, the one that arrived first. */
export function first (): Aggregate { return { partial: FIRST, result: (c, at) => c[at + 1]! } }
/** The value with the latest event time; of several at that time, the one that arrived last. */
export function last (): Aggregate { return { partial: LAST, result: (c, at) => c[at + 1]! } }
/** Least squares, in the value's unit a second; NaN where all readings are of one time. */
export function slope (): Aggregate { return { partial: REGRESSION, result: (c, at) => c[at + 3]! > 0 ? c[at + 4]! / c[at + 3]! * 1_000 : NaN } }
