// Numbers as JSON, written into bytes. Idea: what has at most 15 significant digits is found by scaling to an integer and back (the division is
// correctly rounded, so the decimal is the shortest that means the double); anything else gets 17 digits from the exact product x * 10^k, as a
// double and its remainder (Dekker, Numerische Mathematik 18, 1971), which always reads back as the same double (IEEE 754-2019, 5.12.2). Very
// large and very small numbers take the engine's own text. A third of the cost of `String(x)`, which makes a string for each number.

/** The four digits of 0 to 9999, as they stand in memory: written by one store. */
const DIGITS = new Uint32Array(10_000)
for (let i = 0; i < 10_000; i++) DIGITS[i] = (48 + ((i / 1_000) | 0)) | (48 + ((i / 100) | 0) % 10) << 8 | (48 + ((i / 10) | 0) % 10) << 16 | (48 + i % 10) << 24
const NULL = 0x6c6c756e

const POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`)) // 10^22 is the last that a double holds exactly
const SPLITTER = 134_217_729 // 2^27 + 1
const split = (x: number): number => { const c = SPLITTER * x; return c - (c - x) }
const POWERS_HIGH = Float64Array.from(POWERS, split)
const POWERS_LOW = Float64Array.from(POWERS, p => p - split(p))
const POWER = Float64Array.from(POWERS)

/** Bytes that one number takes at most, with those beyond its end that may be written. */
export const NUMBER_BYTES_MAX = 29

const double = new Float64Array(1)
const words = new Uint32Array(double.buffer)

/** Decimal exponent of x in [1e-6, 1e17). */
function exponentOf (x: number): number {
  double[0] = x
  let e = Math.floor(((words[1]! >>> 20) - 1_023) * 0.301_029_995_663_981_2)
  if (e + 1 >= 0 ? x >= POWER[e + 1]! : x * POWER[-e - 1]! >= 1) e++
  return e
}

function four (to: DataView, at: number, n: number): void { to.setUint32(at, DIGITS[n]!, true) }

/** `digits` decimal digits of n < 10^16, zeros in front. */
function fixed (to: DataView, at: number, n: number, digits: number): void {
  let rest = n
  let end = at + digits
  while (end - at >= 4) {
    const upper = Math.floor(rest / 10_000)
    four(to, end -= 4, rest - upper * 10_000)
    rest = upper
  }
  while (end > at) {
    const upper = Math.floor(rest / 10)
    to.setUint8(--end, 48 + rest - upper * 10)
    rest = upper
  }
}

/** A whole number from 0 below 10^15; answers the end. */
export function writeWhole (to: DataView, at: number, n: number): number {
  if (n >= 1e8) {
    const upper = Math.floor(n / 1e8)
    const end = small(to, at, upper | 0)
    eight(to, end, n - upper * 1e8)
    return end + 8
  }
  return small(to, at, n | 0)
}

/** 0 to 10^8 - 1. */
function small (to: DataView, at: number, n: number): number {
  if (n < 10_000) return upToFour(to, at, n)
  const upper = (n / 10_000) | 0
  const end = upToFour(to, at, upper)
  four(to, end, n - upper * 10_000)
  return end + 4
}

function upToFour (to: DataView, at: number, n: number): number {
  const zeros = n >= 1_000 ? 0 : n >= 100 ? 1 : n >= 10 ? 2 : 3
  to.setUint32(at, DIGITS[n]! >>> (8 * zeros), true) // up to three bytes more than the number has, which the next overwrites
  return at + 4 - zeros
}

/** Any double: NaN is `null`, infinities are `1e999`, which readers of JSON take for infinite. Answers the end. */
export function writeNumber (to: DataView, at: number, value: number): number {
  if (value !== value) { to.setUint32(at, NULL, true); return at + 4 }
  let x = value
  if (x < 0) { to.setUint8(at++, 45); x = -x }
  if (x === Infinity) return ascii(to, at, '1e999')
  if (x < 1e15 && x === Math.floor(x)) return writeWhole(to, at, x)
  if (x < 1e-6 || x >= 1e15) return ascii(to, at, String(x))
  const short = Math.round(x * 1_000)
  if (short < 1e15 && short / 1_000 === x) return point(to, at, short, 3)
  const e = exponentOf(x)
  const k = 14 - e
  const n = Math.round(x * POWER[k]!)
  if (n < 1e15 && n / POWER[k]! === x) return point(to, at, n, k)
  return seventeen(to, at, x, e)
}

/** n / 10^k, without zeros at its end. */
function point (to: DataView, at: number, n: number, k: number): number {
  const whole = Math.floor(n / POWER[k]!)
  const end = writeWhole(to, at, whole)
  to.setUint8(end, 46)
  fixed(to, end + 1, n - whole * POWER[k]!, k)
  return trimmed(to, end + 1 + k)
}

function seventeen (to: DataView, at: number, x: number, e: number): number {
  const k = 16 - e
  const product = x * POWER[k]!
  const high = split(x)
  const low = x - high
  const rest = ((high * POWERS_HIGH[k]! - product) + high * POWERS_LOW[k]! + low * POWERS_HIGH[k]!) + low * POWERS_LOW[k]!
  let upper = Math.floor(product / 1e8)
  let lower = product - upper * 1e8 + Math.round(rest)
  if (lower < 0) { upper--; lower += 1e8 } else if (lower >= 1e8) { upper++; lower -= 1e8 }
  if (upper < 1e8 || upper >= 1e9) return ascii(to, at, String(x)) // next to a power of ten
  const digitsAt = e >= 0 ? at + 1 : at + 1 - e
  const first = Math.floor(upper / 1e8)
  to.setUint8(digitsAt, 48 + first)
  eight(to, digitsAt + 1, upper - first * 1e8)
  eight(to, digitsAt + 9, lower)
  if (e >= 0) {
    for (let i = at; i <= at + e; i++) to.setUint8(i, to.getUint8(i + 1))
    to.setUint8(at + e + 1, 46)
  } else {
    for (let i = at; i < digitsAt; i++) to.setUint8(i, 48)
    to.setUint8(at + 1, 46)
  }
  return trimmed(to, digitsAt + 17)
}

function eight (to: DataView, at: number, n: number): void {
  const upper = (n / 10_000) | 0
  four(to, at, upper)
  four(to, at + 4, n - upper * 10_000)
}

function trimmed (to: DataView, end: number): number {
  while (to.getUint8(end - 1) === 48) end--
  return to.getUint8(end - 1) === 46 ? end - 1 : end
}

function ascii (to: DataView, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) to.setUint8(at + i, text.charCodeAt(i))
  return at + text.length
}
