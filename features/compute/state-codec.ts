import v8 from 'node:v8'
import type { StateCodec } from '../../streams/engine/index.ts'
import { LatidoError } from '../../streams/errors/index.ts'
import { READING } from './kept.ts'
import type { Plan, SeriesPlan } from './plan.ts'
import { emptySeries, type Series } from './series.ts'
import type { PatientState } from './state.ts'

/** Doubles of a series before its readings: index, held, with device state or not, next order, count, the two newest. */
const SERIES_HEAD = 9
const LENGTH_BYTES = 8
/** What rows of earlier versions lack. */
const BEFORE_VISITS: Pick<PatientState, 'visit' | 'earlier' | 'moved'> = { visit: '', earlier: undefined, moved: [] }

/**
 * The bytes of a state: how many doubles follow, the doubles of each series (head, kept readings, device state, its words two a double), and what is
 * known of the stay and the views as V8 writes objects. Little-endian, as every platform of ours is.
 */
export function stateCodec (plan: Plan): StateCodec<PatientState> {
  let scratch = new Float64Array(0) // used again: rows are written by the hundred, and each is tens of kilobytes
  return {
    version: 4,
    encode: state => {
      const { series, ...stay } = state
      const length = series.reduce((n, s, i) => n + (s === undefined ? 0 : lengthOf(plan.series[i]!, s)), 0)
      if (scratch.length < length) scratch = new Float64Array(length * 2)
      let at = 0
      series.forEach((s, i) => { if (s !== undefined) at = write(plan.series[i]!, s, i, scratch, at) })
      const rest = v8.serialize(stay)
      const row = Buffer.allocUnsafeSlow(LENGTH_BYTES + 8 * length + rest.length)
      row.writeDoubleLE(length)
      row.set(new Uint8Array(scratch.buffer, 0, 8 * length), LENGTH_BYTES)
      row.set(rest, LENGTH_BYTES + 8 * length)
      return row
    },
    // Arrays of its own: living on must not change the row.
    decode: bytes => {
      const length = bytes.readDoubleLE(0)
      const end = LENGTH_BYTES + 8 * length
      const doubles = new Float64Array(length)
      Buffer.from(doubles.buffer).set(bytes.subarray(LENGTH_BYTES, end))
      const series: (Series | undefined)[] = plan.series.map(() => undefined)
      for (let at = 0; at < length;) at = read(plan, doubles, at, series)
      return { ...BEFORE_VISITS, ...v8.deserialize(bytes.subarray(end)) as Omit<PatientState, 'series'>, series }
    },
  }
}

function lengthOf (plan: SeriesPlan, { held, device }: Series): number { return SERIES_HEAD + held * READING + (device === undefined ? 0 : plan.denseLength + Math.ceil(plan.wordsLength / 2)) }

function write (plan: SeriesPlan, series: Series, index: number, to: Float64Array, from: number): number {
  const { held, readings, device } = series
  to.set([index, held, device === undefined ? 0 : 1, series.nextOrder, series.count, series.lastTime, series.lastValue, series.previousTime, series.previousValue], from)
  let at = from + SERIES_HEAD
  to.set(readings.subarray(0, held * READING), at)
  at += held * READING
  if (device === undefined) return at
  to.set(device.dense, at)
  at += plan.denseLength
  const end = at + Math.ceil(plan.wordsLength / 2)
  to[end - 1] = 0 // an odd word leaves half a double
  new Uint32Array(to.buffer, at * 8, plan.wordsLength).set(device.words)
  return end
}

function read (plan: Plan, from: Float64Array, start: number, into: (Series | undefined)[]): number {
  const [index, held, withDevice, nextOrder, count, lastTime, lastValue, previousTime, previousValue] = from.subarray(start, start + SERIES_HEAD) as unknown as readonly [number, number, number, number, number, number, number, number, number]
  const of = plan.series[index]
  const end = start + SERIES_HEAD + held * READING + (withDevice === 0 || of === undefined ? 0 : of.denseLength + Math.ceil(of.wordsLength / 2))
  if (of === undefined || end > from.length) throw new LatidoError('STORE_CORRUPT', 'a snapshot holds other series than its views need', 'delete the snapshots: they are built again from the log')
  const series = Object.assign(emptySeries(), { nextOrder, count, lastTime, lastValue, previousTime, previousValue, held })
  let at = start + SERIES_HEAD
  series.readings = from.slice(at, at + held * READING)
  at += held * READING
  if (withDevice !== 0) {
    series.device = { dense: from.slice(at, at + of.denseLength), words: new Uint32Array(from.buffer, (at + of.denseLength) * 8, of.wordsLength).slice() }
  }
  into[index] = series
  return end
}
