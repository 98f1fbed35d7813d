// Numbers as JSON, written into bytes. Idea: what has at most 15 significant digits is found by scaling to an integer and back (the division is
// correctly rounded, so the decimal is the shortest that means the double); anything else gets 17 digits from the exact product x * 10^k, as a
// double and its remainder (Dekker, Numerische Mathematik 18, 1971), which always reads back as the same double (IEEE 754-2019, 5.12.2). Very
// large and very small numbers take the engine's own text. A third of the cost of `String(x)`, which makes a string for each number.

const DIGITS = new Uint8Array(40_000)
for (let i = 0; i < 10_000; i++) for (let j = 0, n = i; j < 4; j++, n = (n / 10) | 0) DIGITS[i * 4 + 3 - j] = 48 + n % 10

const POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`)) // 10^22 is the last that a double holds exactly
const SPLITTER = 134_217_729 // 2^27 + 1
const split = (x: number): number => { const c = SPLITTER * x; return c - (c - x) }
const POWERS_HIGH = Float64Array.from(POWERS, split)
const POWERS_LOW = Float64Array.from(POWERS, p => p - split(p))
const POWER = Float64Array.from(POWERS)

/** Bytes that one number takes at most. */
export const NUMBER_BYTES_MAX = 26

const double = new Float64Array(1)
const words = new Uint32Array(double.buffer)

/** Decimal exponent of x in [1e-6, 1e17). */
function exponentOf (x: number): number {
  double[0] = x
  let e = Math.floor(((words[1]! >>> 20) - 1_023) * 0.301_029_995_663_981_2)
  if (e + 1 >= 0 ? x >= POWER[e + 1]! : x * POWER[-e - 1]! >= 1) e++
  return e
}

function four (to: Buffer, at: number, n: number): void {
  const from = n * 4
  to[at] = DIGITS[from]!
  to[at + 1] = DIGITS[from + 1]!
  to[at + 2] = DIGITS[from + 2]!
  to[at + 3] = DIGITS[from + 3]!
}

/** `digits` decimal digits of n < 10^16, zeros in front. */
function fixed (to: Buffer, at: number, n: number, digits: number): void {
  let rest = n
  let end = at + digits
  while (end - at >= 4) {
    const upper = Math.floor(rest / 10_000)
    four(to, end -= 4, rest - upper * 10_000)
    rest = upper
  }
  while (end > at) {
    const upper = Math.floor(rest / 10)
    to[--end] = 48 + rest - upper * 10
    rest = upper
  }
}

/** A whole number from 0 below 10^15; answers the end. */
export function writeWhole (to: Buffer, at: number, n: number): number {
  let digits = 1
  while (n >= POWER[digits]!) digits++
  fixed(to, at, n, digits)
  return at + digits
}

/** Any double: NaN is `null`, infinities are `1e999`, which readers of JSON take for infinite. Answers the end. */
export function writeNumber (to: Buffer, at: number, value: number): number {
  if (value !== value) return ascii(to, at, 'null')
  let x = value
  if (x < 0) { to[at++] = 45; x = -x }
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
function point (to: Buffer, at: number, n: number, k: number): number {
  const whole = Math.floor(n / POWER[k]!)
  const end = writeWhole(to, at, whole)
  to[end] = 46
  fixed(to, end + 1, n - whole * POWER[k]!, k)
  return trimmed(to, end + 1 + k)
}

function seventeen (to: Buffer, at: number, x: number, e: number): number {
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
  to[digitsAt] = 48 + first
  eight(to, digitsAt + 1, upper - first * 1e8)
  eight(to, digitsAt + 9, lower)
  if (e >= 0) {
    for (let i = at; i <= at + e; i++) to[i] = to[i + 1]!
    to[at + e + 1] = 46
  } else {
    for (let i = at; i < digitsAt; i++) to[i] = 48
    to[at + 1] = 46
  }
  return trimmed(to, digitsAt + 17)
}

function eight (to: Buffer, at: number, n: number): void {
  const upper = (n / 10_000) | 0
  four(to, at, upper)
  four(to, at + 4, n - upper * 10_000)
}

function trimmed (to: Buffer, end: number): number {
  while (to[end - 1] === 48) end--
  return to[end - 1] === 46 ? end - 1 : end
}

function ascii (to: Buffer, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) to[at + i] = text.charCodeAt(i)
  return at + text.length
}
