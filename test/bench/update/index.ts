import { planViews } from '../../../features/compute/index.ts'
import type { Context } from '../../../features/compute/context.ts'
import { compile, nothingShared } from '../../../features/compute/evaluate.ts'
import { applyObservation, emptySeries, type Series } from '../../../features/compute/series.ts'
import { STANDARD_VIEWS, vitalsView } from '../../../features/views/index.ts'
import type { Observation } from '../../../streams/events/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { SeededRandom } from '../../kit/random.ts'
import { NUMERICS, observation, START_MS } from '../device-set.ts'
import type { Benchmark } from '../measure.ts'
import { encodedBytes, heapBytes } from './state-size.ts'

const PATIENTS = 100
/** Readings of one timed piece. */
const PIECE = PATIENTS * NUMERICS.length * 10
const plan = planViews(STANDARD_VIEWS)
const nothing = (): void => {}

type Ward = readonly (readonly Series[])[]

/** One device reading into the state of all standard features: dedupe and rings. And what a whole vector of vitals costs, and the state a patient. */
export const update: Benchmark = {
  summary: 'features: one reading into all standard vitals, a vector of them, bytes of state a patient',
  run: ({ seconds = 5, runs = 5, say }) => {
    const pieces = Math.max(20, Math.round(seconds * 40))
    const heap = heapBytes(seconds < 1 ? 100 : 1_000, say)
    const measured = Array.from({ length: runs }, () => timed(pieces))
    const of = (what: keyof Timed): readonly number[] => measured.map(m => m[what])
    return Promise.resolve([
      { name: 'update, one reading in order', unit: 'ns', values: of('inOrder'), target: '1000' },
      { name: 'update, one late reading', unit: 'ns', values: of('late'), target: '1000' },
      { name: 'update, one duplicate', unit: 'ns', values: of('duplicate') },
      { name: `vitals vector, ${vitalsView.names.length} features, evaluated`, unit: 'ns', values: of('vector') },
      { name: 'state a patient, six numerics at 1 Hz and laboratory, snapshot', unit: 'bytes', values: encodedBytes(seconds < 1 ? 0.1 : 4, say), target: '65536' },
      { name: 'state a patient, the same, memory', unit: 'bytes', values: [heap], target: '65536' },
    ])
  },
}

interface Timed { readonly inOrder: number, readonly late: number, readonly duplicate: number, readonly vector: number }

/** Medians over pieces: of one run, in nanoseconds a reading. */
function timed (pieces: number): Timed {
  const ward: Ward = Array.from({ length: PATIENTS }, () => plan.series.map(emptySeries))
  const random = new SeededRandom(1)
  const readings = NUMERICS.map(([concept, mean, spread]) => ({ index: plan.indexOf(concept)!, told: Array.from({ length: 64 }, () => ({ ...observation(concept, Math.round(mean + (random.next() - 0.5) * spread), 0) })) }))
  let second = 0
  const ten = (lagMs: number, advance: boolean): number => {
    const startedMs = systemClock.monotonicMs()
    for (let i = 0; i < 10; i++, second += advance ? 1 : 0) {
      const arrival = START_MS + second * 1_000
      for (let p = 0; p < PATIENTS; p++) {
        for (const { index, told } of readings) {
          const o = told[(p + second) & 63]!
          ;(o as { -readonly [K in keyof Observation]: Observation[K] }).eventTime = arrival - lagMs - (advance ? 0 : (10 - i) * 1_000)
          applyObservation(plan.series[index]!, ward[p]![index]!, o, 'device', arrival, nothing)
        }
      }
    }
    return (systemClock.monotonicMs() - startedMs) * 1e6 / PIECE
  }
  const inOrder: number[] = []
  const late: number[] = []
  const duplicate: number[] = []
  const vector: number[] = []
  for (let piece = 0; piece < pieces; piece++) {
    inOrder.push(ten(0, true))
    duplicate.push(ten(0, false))
    late.push(ten(500, false)) // half seconds, which nothing has taken
    vector.push(vectors(ward, START_MS + second * 1_000))
  }
  return { inOrder: middle(inOrder), late: middle(late), duplicate: middle(duplicate), vector: middle(vector) }
}

const shared = nothingShared()
const evaluates = vitalsView.expressions.map(e => compile(e, plan, shared))
const context: Context = { asOf: 0, series: [], facts: { ageYears: NaN, male: NaN, female: NaN, hoursInUnit: NaN, hoursFromHospitalToUnit: NaN }, time: 0, evaluation: 0 }
const into = new Float64Array(vitalsView.names.length)

function vectors (ward: Ward, asOf: number): number {
  const startedMs = systemClock.monotonicMs()
  for (const series of ward) {
    context.series = series
    context.asOf = asOf
    context.evaluation++
    for (let i = 0; i < evaluates.length; i++) {
      context.time = Infinity
      into[i] = evaluates[i]!(context)
    }
  }
  return (systemClock.monotonicMs() - startedMs) * 1e6 / ward.length
}

function middle (values: readonly number[]): number { return values.toSorted((a, b) => a - b)[values.length >> 1]! }
