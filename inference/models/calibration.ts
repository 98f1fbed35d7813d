/** Knots of a curve that rises; x and y of the same length, x strictly rising. */
export interface Knots { readonly x: readonly number[], readonly y: readonly number[] }

/** From the raw score to a probability: linear between knots, constant outside them, NaN to NaN. O(log knots). */
export function calibrate (knots: Knots, raw: number): number {
  const { x, y } = knots
  const last = x.length - 1
  if (Number.isNaN(raw)) return NaN
  if (raw <= (x[0] as number)) return y[0] as number
  if (raw >= (x[last] as number)) return y[last] as number
  const i = segmentOf(x, raw)
  const [x0, x1, y0, y1] = [x[i] as number, x[i + 1] as number, y[i] as number, y[i + 1] as number]
  return y0 + (y1 - y0) * (raw - x0) / (x1 - x0)
}

/** The i with x[i] <= value < x[i + 1]. */
function segmentOf (x: readonly number[], value: number): number {
  let [low, high] = [0, x.length - 1]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((x[middle] as number) <= value) low = middle
    else high = middle
  }
  return low
}
