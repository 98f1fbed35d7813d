import { banded, constant, ratio, rounded, when, type Comparison, type Feature } from '../define/index.ts'

const POINTS = '{points}'

export const points = (n: number): Feature => constant(n, POINTS)

/** Never present; in the unit of what it stands beside. */
export const absent = (unit: string = '1'): Feature => ratio(constant(1, unit), constant(0))

/** One point where the comparison holds, none where it does not; absent where the value is. */
export const point = (of: Feature, is: Comparison, than: number): Feature => when(of, is, than, points(1), points(0))

/** Points by lower limits that are reached: `pointsFrom(x, [[1.2, 1], [2, 2]])` is 0 below 1.2, 1 from 1.2, 2 from 2. */
export function pointsFrom (of: Feature, limits: readonly (readonly [from: number, points: number])[]): Feature {
  return limits.reduce((below, [from, n]) => when(of, '>=', from, points(n), below), points(0))
}

/** Points by upper limits that are not reached: `pointsBelow(x, [[400, 1], [300, 2]])` is 0 from 400, 1 below 400, 2 below 300. */
export function pointsBelow (of: Feature, limits: readonly (readonly [below: number, points: number])[]): Feature {
  return limits.reduce((above, [below, n]) => when(of, '<', below, points(n), above), points(0))
}

/** A chart of whole numbers (or `decimals` places): the value is rounded to them first, else it could fall between two bands. */
export const charted = (of: Feature, bands: readonly (readonly [upTo: number, points: number])[], above: number, decimals: number = 0): Feature => banded(rounded(of, decimals), bands, above)
