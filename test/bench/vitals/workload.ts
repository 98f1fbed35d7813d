import { compileEncoder, partitionFor } from '../../../streams/codec/index.ts'
import { SeededRandom } from '../../kit/random.ts'
import { OBSERVATION } from './processor.ts'

/** LOINC, unit, mean, standard deviation, decimals. */
export const CODES = [
  ['8867-4', '/min', 82, 12, 0], ['9279-1', '/min', 16, 3, 0], ['59408-5', '%', 96.5, 1.5, 0],
  ['8480-6', 'mm[Hg]', 122, 14, 0], ['8462-4', 'mm[Hg]', 76, 9, 0], ['8310-5', 'Cel', 37, 0.4, 1],
] as const
/** 2026-01-01, a multiple of 60 s. */
export const BASE_MS = 1_767_225_600_000
export const PARTITIONS = 4
export const SCHEMA_ID = 1

/** Readings in the order of the log; the record's timestamp is the event time. */
export interface Workload { readonly patients: number, readonly count: number, readonly patient: Int32Array, readonly code: Int32Array, readonly value: Float64Array, readonly eventTime: Float64Array, readonly partitionOf: Int32Array }

export const patientName = (i: number): string => `P${String(i).padStart(6, '0')}`

/**
 * Six codes a patient at 1 Hz, each series with its own phase. 5 % arrive 1 to 5 s late, 0.1 % 60 s late. Then closers: 30 steps of 5 s of one
 * patient a partition, and a reading of each series 200 s on, so that every window of the others closes.
 */
export function workload (patients: number, readings: number, seed: number = 1): Workload {
  const random = new SeededRandom(seed)
  const series = patients * CODES.length
  const seconds = Math.ceil(readings / series)
  const phase = Array.from({ length: series }, () => random.below(1_000))
  const byPhase = Array.from({ length: series }, (_, k) => k).sort((a, b) => phase[a]! - phase[b]! || a - b)
  const eventTime = new Float64Array(readings)
  const key = new Int32Array(readings)
  for (let i = 0; i < readings; i++) {
    const k = byPhase[i % series]!
    key[i] = k
    eventTime[i] = BASE_MS + Math.floor(i / series) * 1_000 + phase[k]!
  }
  const arrival = eventTime.map(t => {
    const u = random.next()
    return t + (u < 0.05 ? 1_000 + random.below(4_001) : u < 0.051 ? 60_000 : 0)
  })
  const value = new Float64Array(readings)
  for (let i = 0; i < readings; i++) {
    const [, , mean, deviation, decimals] = CODES[key[i]! % CODES.length]!
    value[i] = Math.round((mean + deviation * normal(random)) * 10 ** decimals) / 10 ** decimals
  }
  const order = Int32Array.from({ length: readings }, (_, i) => i).sort((a, b) => arrival[a]! - arrival[b]! || a - b)
  const partitionOf = Int32Array.from({ length: patients }, (_, i) => partitionFor(Buffer.from(patientName(i)), PARTITIONS))
  return withClosers({ patients, seconds, key, value, eventTime, order, partitionOf })
}

function withClosers ({ patients, key, value, eventTime, order, partitionOf }: { readonly patients: number, readonly seconds: number, readonly key: Int32Array, readonly value: Float64Array, readonly eventTime: Float64Array, readonly order: Int32Array, readonly partitionOf: Int32Array }): Workload {
  const end = eventTime.reduce((a, b) => Math.max(a, b), 0)
  const closers: { readonly patient: number, readonly code: number, readonly at: number }[] = []
  const leaders = Array.from({ length: PARTITIONS }, (_, p) => partitionOf.indexOf(p)).filter(i => i >= 0)
  for (let step = 1; step <= 30; step++) for (const patient of leaders) closers.push({ patient, code: 0, at: end + step * 5_000 })
  for (let patient = 0; patient < patients; patient++) CODES.forEach((_, code) => { closers.push({ patient, code, at: end + 200_000 }) })
  const codes = CODES.length
  return {
    patients, count: order.length + closers.length, partitionOf,
    patient: Int32Array.from([...order].map(i => Math.floor(key[i]! / codes)).concat(closers.map(c => c.patient))),
    code: Int32Array.from([...order].map(i => key[i]! % codes).concat(closers.map(c => c.code))),
    value: Float64Array.from([...order].map(i => value[i]!).concat(closers.map(c => CODES[c.code]![2]))),
    eventTime: Float64Array.from([...order].map(i => eventTime[i]!).concat(closers.map(c => c.at))),
  }
}

/** Box and Muller. */
/** A standard normal deviate (Box and Muller 1958). */
export function normal (random: SeededRandom): number { return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next()) }

/** Calls `take` with the bytes of each reading, in the order of the log; the buffer is used again. */
export function encodeAll (w: Workload, take: (i: number, partition: number, key: Buffer, value: Buffer, end: number) => void): void {
  const encoder = new (compileEncoder(OBSERVATION))()
  const keys = Array.from({ length: w.patients }, (_, i) => Buffer.from(patientName(i)))
  for (let i = 0; i < w.count; i++) {
    const patient = w.patient[i]!
    const [code, unit] = CODES[w.code[i]!]!
    encoder.begin(SCHEMA_ID).patientIdBytes(keys[patient]!, 0, keys[patient]!.length).code(code).value(w.value[i]!).unit(unit).eventTime(w.eventTime[i]!).source(`icu-gw-${patient % 8}`)
    take(i, w.partitionOf[patient]!, keys[patient]!, encoder.buffer, encoder.finish())
  }
}
