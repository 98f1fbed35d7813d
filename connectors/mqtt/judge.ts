import type { ConceptId, Observation, Quality } from '../../streams/events/index.ts'
import type { EventTimeMs } from '../../streams/time/index.ts'
import type { ArtefactRules, Sensor } from './artefact-rules.ts'

/** One value of a message, and what the rules need of it. */
export interface Reading {
  readonly observation: Observation
  readonly sensor: Sensor
  readonly cuff: boolean
  /** Digits behind the point, as sent. */
  readonly decimals: number
}

/** The last good value of a series, and the one before it: a message that comes again is judged as the first time. */
interface Base { readonly at: EventTimeMs, readonly value: number, readonly before: { readonly at: EventTimeMs, readonly value: number } | undefined }
/** What a sensor says, as text; since when, and when last. `decimals`: the most that it has ever sent. */
interface Still { readonly text: string, readonly since: EventTimeMs, readonly at: EventTimeMs, readonly decimals: number }
interface Last { readonly at: EventTimeMs, readonly value: number }

/** What the rules know of one device: never changed, only replaced. A dozen numbers. */
export interface SeriesState {
  /** Heart rate by the sensor that it comes from, and SpO2. */
  readonly bases: Readonly<Partial<Record<Sensor | 'spo2', Base>>>
  readonly still: Readonly<Partial<Record<Sensor, Still>>>
  readonly heartRate: Last | undefined
  readonly pulse: Last | undefined
  readonly perfusion: Last | undefined
}

export const NO_SERIES: SeriesState = { bases: {}, still: {}, heartRate: undefined, pulse: undefined, perfusion: undefined }

/** Values of other messages of the device count as of the same moment within this. */
const TOGETHER_MS = 10_000
/** What was the same before and after a longer silence was not flat. */
const STILL_SENSORS = ['line', 'oximeter', 'thermometer'] as const
const STILL_GAP_MS_MAX: Readonly<Record<(typeof STILL_SENSORS)[number], number>> = { line: 30_000, oximeter: 30_000, thermometer: 180_000 }
const WORSE: Readonly<Record<Quality, number>> = { valid: 0, questionable: 1, artefact: 2 }

export interface Judged { readonly observations: readonly Observation[], readonly state: SeriesState }

/** Judges the values of one message at one event time. Depends on nothing but the messages of the device in their order. */
export function judge (readings: readonly Reading[], perfusionIndex: number | undefined, at: EventTimeMs, state: SeriesState, rules: ArtefactRules, notice: (what: string) => void): Judged {
  if (readings.length === 0 && perfusionIndex === undefined) return { observations: [], state }
  const verdicts: Quality[] = readings.map(({ observation }) => observation.quality)
  const lower = (i: number, to: Quality, rule: string): void => {
    notice(`artefact-${rule}`)
    if (WORSE[to] > WORSE[verdicts[i]!]) verdicts[i] = to
  }
  judgePressures(readings, false, rules, lower)
  judgePressures(readings, true, rules, lower)
  const bases = judgeJumps(readings, at, state, rules, lower, verdicts)
  const probe = judgeProbe(readings, perfusionIndex, at, state, rules, lower, verdicts)
  const still = judgeStill(readings, perfusionIndex, at, state, rules, lower)
  return {
    observations: readings.map(({ observation }, i) => verdicts[i] === observation.quality ? observation : { ...observation, quality: verdicts[i]! }),
    state: { bases, still, ...probe },
  }
}

type Lower = (i: number, to: Quality, rule: string) => void

/** Pressures of one sensor in one message belong together; a line and a cuff do not. */
function judgePressures (readings: readonly Reading[], cuff: boolean, rules: ArtefactRules, lower: Lower): void {
  const find = (concept: ConceptId): number => readings.findIndex(reading => reading.observation.concept === concept && reading.cuff === cuff)
  const [systolic, diastolic] = [find('systolic'), find('diastolic')]
  if (systolic < 0 || diastolic < 0) return
  const mean = find('meanPressure')
  const [high, low] = [readings[systolic]!.observation.value, readings[diastolic]!.observation.value]
  const all = [systolic, diastolic, mean].filter(i => i >= 0)
  if (rules.pulsePressure.on && high - low < rules.pulsePressure.mmHgMin) for (const i of all) lower(i, 'questionable', 'pulse-pressure')
  if (!rules.meanOutside.on || mean < 0) return
  const value = readings[mean]!.observation.value
  if (value < low || value > high) for (const i of all) lower(i, 'artefact', 'mean-outside')
}

function judgeJumps (readings: readonly Reading[], at: EventTimeMs, state: SeriesState, rules: ArtefactRules, lower: Lower, verdicts: readonly Quality[]): SeriesState['bases'] {
  let bases: Partial<Record<Sensor | 'spo2', Base>> | undefined
  for (let i = 0; i < readings.length; i++) {
    const { observation: { concept, value }, sensor } = readings[i]!
    const rule = concept === 'heartRate' ? rules.heartRateJump : concept === 'spo2' ? rules.spo2Jump : undefined
    if (rule === undefined) continue
    const series = concept === 'spo2' ? 'spo2' : sensor
    const base = state.bases[series]
    if (base !== undefined && at < base.at) continue // late: there is nothing to compare it with any more
    const before = base === undefined || at > base.at ? base : base.before
    if (rule.on && before !== undefined && Math.abs(value - before.value) > rule.perSecondMax * (at - before.at) / 1_000) lower(i, 'artefact', concept === 'spo2' ? 'spo2-jump' : 'heart-rate-jump')
    if (verdicts[i] === 'valid') (bases ??= { ...state.bases })[series] = { at, value, before: before === undefined ? undefined : { at: before.at, value: before.value } }
  }
  return bases ?? state.bases
}

function judgeProbe (readings: readonly Reading[], perfusionIndex: number | undefined, at: EventTimeMs, state: SeriesState, rules: ArtefactRules, lower: Lower, verdicts: readonly Quality[]): Pick<SeriesState, 'heartRate' | 'pulse' | 'perfusion'> {
  const said = (sensor: Sensor): Last | undefined => {
    const i = readings.findIndex((reading, k) => reading.observation.concept === 'heartRate' && reading.sensor === sensor && verdicts[k] === 'valid')
    return i < 0 ? undefined : { at, value: readings[i]!.observation.value }
  }
  const [heartRate, pulse, perfusion] = [said('ecg'), said('oximeter'), perfusionIndex === undefined ? undefined : { at, value: perfusionIndex }]
  const near = (now: Last | undefined, last: Last | undefined): number | undefined => now?.value ?? (last !== undefined && Math.abs(at - last.at) <= TOGETHER_MS ? last.value : undefined)
  const [rate, beat, index] = [near(heartRate, state.heartRate), near(pulse, state.pulse), near(perfusion, state.perfusion)]
  const mismatch = rules.pulseMismatch.on && rate !== undefined && beat !== undefined && Math.abs(rate - beat) > rules.pulseMismatch.perMinuteMax
  const weak = rules.perfusion.on && index !== undefined && index < rules.perfusion.percentMin
  for (let i = 0; i < readings.length; i++) {
    const { observation: { concept }, sensor } = readings[i]!
    if (concept !== 'spo2' && !(concept === 'heartRate' && sensor === 'oximeter')) continue
    if (mismatch) lower(i, 'questionable', 'pulse-mismatch')
    if (weak && concept === 'spo2') lower(i, 'questionable', 'low-perfusion')
  }
  return { heartRate: newer(heartRate, state.heartRate), pulse: newer(pulse, state.pulse), perfusion: newer(perfusion, state.perfusion) }
}

function newer (now: Last | undefined, last: Last | undefined): Last | undefined { return now === undefined || (last !== undefined && last.at > now.at) ? last : now }

/**
 * Whole numbers stay the same in health: SpO2 98 for a minute is usual, and so is a paced pulse. So an oximeter is flat only where something that it says
 * has a decimal (its perfusion index, as a rule), a line where at least two of its pressures are, a thermometer where it says hundredths.
 */
function judgeStill (readings: readonly Reading[], perfusionIndex: number | undefined, at: EventTimeMs, state: SeriesState, rules: ArtefactRules, lower: Lower): SeriesState['still'] {
  let all: Partial<Record<Sensor, Still>> | undefined
  for (const sensor of STILL_SENSORS) {
    let [count, text, decimals] = [0, '', 0]
    for (const reading of readings) {
      if (reading.sensor !== sensor) continue
      count++
      text += `${reading.observation.concept}${reading.observation.value} `
      decimals = Math.max(decimals, reading.decimals)
    }
    const last = state.still[sensor]
    if (count === 0 || (last !== undefined && at < last.at)) continue
    if (sensor === 'oximeter' && perfusionIndex !== undefined) { text += perfusionIndex; decimals = Math.max(decimals, decimalsOf(perfusionIndex)) }
    decimals = Math.max(decimals, last?.decimals ?? 0)
    const since = last !== undefined && last.text === text && at - last.at <= STILL_GAP_MS_MAX[sensor] ? last.since : at
    ;(all ??= { ...state.still })[sensor] = { text, since, at, decimals }
    if (sensor === 'thermometer' ? !(rules.flatTemperature.on && decimals >= 2 && at - since > rules.flatTemperature.overMs) : !(rules.flatline.on && (decimals >= 1 || (sensor === 'line' && count >= 2)) && at - since >= rules.flatline.forMsMin)) continue
    for (let i = 0; i < readings.length; i++) if (readings[i]!.sensor === sensor) lower(i, 'questionable', sensor === 'thermometer' ? 'flat-temperature' : 'flatline')
  }
  return all ?? state.still
}

/** Digits behind the point, 3 at most. */
export function decimalsOf (value: number): number {
  if (Number.isInteger(value)) return 0
  for (let digits = 0, scaled = value; digits < 3; digits++, scaled *= 10) if (Math.abs(scaled - Math.round(scaled)) < 1e-6) return digits
  return 3
}
