const ZERO = 48
const MINUS = 45
const POINT = 46
const NULL = Buffer.from('null')
/** A number of at most this many bytes is written. */
export const NUMBER_BYTES_MAX = 26

/**
 * Decimals that name a double exactly, by its size: a unit of the last one is less than the distance to the next double, so reading the digits
 * gives the same double back. Below 2 doubles are too fine for this arithmetic (the fraction times 10^n leaves 2^53 too far behind).
 */
const PLACES: readonly (readonly [below: number, places: number])[] = [[2, -1], [8, 16], [64, 15], [512, 14], [8_192, 13], [65_536, 12], [524_288, 11], [8_388_608, 10], [67_108_864, 9]]
const LARGE = 67_108_864

/** Writes a double as JSON, such that reading it gives the same double; what JSON cannot say (NaN, infinite) as null. Answers the end. */
export function writeNumber (to: Buffer, at: number, value: number): number {
  if (value === (value | 0)) return writeInteger(to, value < 0 ? minus(to, at) : at, Math.abs(value))
  if (value - value !== 0) return at + NULL.copy(to, at)
  if (value < 0) { at = minus(to, at); value = -value }
  if (value >= LARGE) return Number.isSafeInteger(value) ? writeInteger(to, at, value) : writeText(to, at, value)
  const tenths = Math.round(value * 10)
  if (tenths / 10 === value) return writeFraction(to, at, (tenths - tenths % 10) / 10, tenths % 10, 1)
  if (value < 2) return writeText(to, at, value)
  const whole = Math.trunc(value)
  let i = 1
  while (value >= PLACES[i]![0]) i++
  const places = PLACES[i]![1]
  const scale = 10 ** places
  const digits = Math.round((value - whole) * scale)
  return digits >= scale ? writeText(to, at, value) : writeFraction(to, at, whole, digits, places)
}

/** A whole number from 0 to 2^53. */
function writeInteger (to: Buffer, at: number, value: number): number {
  if (value < 10) { to[at] = ZERO + value; return at + 1 }
  let end = at + 1
  for (let bound = 10; bound <= value; bound *= 10) end++
  let place = end
  while (value > 0x7fff_ffff) {
    const rest = Math.floor(value / 10)
    to[--place] = ZERO + (value - rest * 10)
    value = rest
  }
  let small = value | 0
  while (place > at) {
    const rest = (small / 10) | 0
    to[--place] = ZERO + (small - rest * 10)
    small = rest
  }
  return end
}

function minus (to: Buffer, at: number): number {
  to[at] = MINUS
  return at + 1
}

/** `whole`, a point, and `digits` in so many places without the zeros at its end. */
function writeFraction (to: Buffer, at: number, whole: number, digits: number, places: number): number {
  at = writeInteger(to, at, whole)
  to[at++] = POINT
  const end = at + places
  let place = end
  const high = places > 8 ? Math.floor(digits / 1e8) : digits
  if (places > 8) {
    let low = digits - high * 1e8 | 0
    for (const middle = end - 8; place > middle;) {
      const rest = (low / 10) | 0
      to[--place] = ZERO + (low - rest * 10)
      low = rest
    }
  }
  let small = high | 0
  while (place > at) {
    const rest = (small / 10) | 0
    to[--place] = ZERO + (small - rest * 10)
    small = rest
  }
  let last = end
  while (to[last - 1] === ZERO && last > at + 1) last--
  return last
}

function writeText (to: Buffer, at: number, value: number): number { return at + to.write(String(value), at, 'latin1') }
