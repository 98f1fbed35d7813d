import type { DurationMs, EventTimeMs } from '../../streams/time/index.ts'

// Kept readings of one series in one array, in order of event time, then of their place in the log:
// [time, value, order, identity]. order > 0: counts since admission; < 0: its first word came before; 0: from before the patient was forgotten, for windows
// longer than 24 h alone. identity: 53 bits of a hash, 0 for none; two of 512 are alike once in 10^10 series.
export const READING = 4
const VALUE = 1
export const ORDER = 2
const IDENTITY = 3
/** At most so many readings of a series; the oldest go first. */
const READINGS_MAX = 512
const READINGS_FIRST = 4
/** A patient is forgotten so long after the discharge. */
export const FORGOTTEN_AFTER_MS: DurationMs = 24 * 3_600_000

/** Readings that are held one by one; the array grows by doubling. */
export interface Kept { readings: Float64Array, held: number }

const NONE = new Float64Array(0)
export function emptyKept (): Kept { return { readings: NONE, held: 0 } }
export function bytesOfKept (): number { return READINGS_MAX * READING * 8 }

/** 53 bits of a result identity (after cyrb53, public domain: two multiplicative hashes of 32 bits, mixed); 0 for an empty one. */
export function identityOf (resultId: string): number {
  if (resultId === '') return 0
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (let i = 0; i < resultId.length; i++) {
    const code = resultId.charCodeAt(i)
    a = Math.imul(a ^ code, 0x9e3779b1)
    b = Math.imul(b ^ code, 0x5f356495)
  }
  a = Math.imul(a ^ a >>> 16, 0x85ebca6b) ^ Math.imul(b ^ b >>> 13, 0xc2b2ae35)
  b = Math.imul(b ^ b >>> 16, 0x85ebca6b) ^ Math.imul(a ^ a >>> 13, 0xc2b2ae35)
  return 0x1_0000_0000 * (b & 0x1f_ffff) + (a >>> 0) || 1
}

/** The place of the reading with this identity, or -1. */
export function placeOf ({ readings, held }: Kept, identity: number): number {
  if (identity === 0) return -1
  for (let at = held * READING - READING; at >= 0; at -= READING) if (readings[at + IDENTITY] === identity) return at
  return -1
}

export function isSame ({ readings }: Kept, at: number, time: EventTimeMs, value: number): boolean { return readings[at] === time && readings[at + VALUE] === value }

/** Puts a reading behind those of its time and before. Answers how many went because there are too many; what was older than `horizon` goes first, but never the two newest. */
export function insertKept (kept: Kept, time: EventTimeMs, value: number, order: number, identity: number, horizon: EventTimeMs): number {
  let gone = 0
  if (kept.held * READING === kept.readings.length || kept.held === READINGS_MAX) gone = makeRoom(kept, time, horizon)
  if (gone < 0) return 1
  const { readings, held } = kept
  let at = held * READING
  while (at > 0 && readings[at - READING]! > time) at -= READING
  readings.copyWithin(at + READING, at, held * READING)
  readings[at] = time
  readings[at + VALUE] = value
  readings[at + ORDER] = order
  readings[at + IDENTITY] = identity
  kept.held++
  return gone
}

/** Answers how many readings of worth went; -1: the new one is the oldest, and itself goes. */
function makeRoom (kept: Kept, time: EventTimeMs, horizon: EventTimeMs): number {
  const stale = dropBefore(kept, horizon)
  if (stale > 0) return 0
  if (kept.held < READINGS_MAX) {
    const larger = new Float64Array(READING * Math.min(READINGS_MAX, Math.max(READINGS_FIRST, kept.held * 2)))
    larger.set(kept.readings)
    kept.readings = larger
    return 0
  }
  if (time < kept.readings[0]!) return -1
  removeKept(kept, 0)
  return 1
}

function dropBefore (kept: Kept, horizon: EventTimeMs): number {
  let n = 0
  while (n < kept.held - 2 && kept.readings[n * READING]! < horizon) n++
  if (n > 0) kept.readings.copyWithin(0, n * READING, kept.held * READING)
  kept.held -= n
  return n
}

export function removeKept (kept: Kept, at: number): void {
  kept.readings.copyWithin(at, at + READING, kept.held * READING)
  kept.held--
}

/** The place of the first reading at or after `time`; the end where there is none. Looks from the newest on. */
export function firstFrom ({ readings, held }: Kept, time: EventTimeMs): number {
  let at = held * READING
  while (at > 0 && readings[at - READING]! >= time) at -= READING
  return at
}

/** An admission: what is here was told before it. */
export function uncount ({ readings, held }: Kept): void { for (let at = ORDER; at < held * READING; at += READING) readings[at] = -Math.abs(readings[at]!) }

/** The patient is forgotten: what is younger than `horizon` stays, for long windows alone. The array is cut to what is left. */
export function forgetKept (kept: Kept, horizon: EventTimeMs): void {
  const from = firstFrom(kept, horizon)
  kept.readings = kept.readings.slice(from, kept.held * READING)
  kept.held -= from / READING
  for (let at = ORDER; at < kept.readings.length; at += READING) kept.readings[at] = 0
}

/** Drops readings from before the patient was forgotten that are older than `horizon`. Answers the oldest that is left of them; Infinity: none. */
export function expireKept (kept: Kept, horizon: EventTimeMs): EventTimeMs {
  let oldest = Infinity
  for (let at = kept.held * READING - READING; at >= 0; at -= READING) {
    if (kept.readings[at + ORDER] !== 0) continue
    if (kept.readings[at]! < horizon) removeKept(kept, at)
    else oldest = kept.readings[at]!
  }
  return oldest
}

/**
 * Takes in another key's readings, as if all had come before: the orders here are raised above theirs, of two with one identity the one here
 * stands (unless it is from before this patient was forgotten and theirs is not). Answers how many are too many, and how many of those that counted went.
 */
export function joinKept (into: Kept, from: Kept, raise: number): { readonly gone: number, readonly uncounted: number } {
  const rows = (kept: Kept): readonly (readonly number[])[] => Array.from({ length: kept.held }, (_, i) => [...kept.readings.subarray(i * READING, (i + 1) * READING)])
  const theirs = rows(from)
  const alive = new Set(theirs.filter(row => row[ORDER] !== 0 && row[IDENTITY] !== 0).map(row => row[IDENTITY]!))
  const mine = rows(into).filter(row => row[ORDER] !== 0 || !alive.has(row[IDENTITY]!)).map(([time, value, order, identity]) => [time!, value!, order! + Math.sign(order!) * raise, identity!])
  const here = new Set(mine.map(row => row[IDENTITY]!).filter(identity => identity !== 0))
  const added = theirs.filter(row => !here.has(row[IDENTITY]!))
  const all = [...added, ...mine].sort((a, b) => a[0]! - b[0]!) // stable: theirs before mine
  const left = all.slice(-READINGS_MAX)
  let capacity = READINGS_FIRST
  while (capacity < left.length) capacity *= 2
  into.readings = new Float64Array(capacity * READING)
  into.readings.set(left.flat())
  into.held = left.length
  return { gone: all.length - left.length, uncounted: theirs.length - added.length - theirs.filter(row => here.has(row[IDENTITY]!) && row[ORDER]! <= 0).length }
}
