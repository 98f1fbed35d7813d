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
  /** By ECG, oximeter and line. */
  readonly heartRate: Last | undefined
  readonly pulse: Last | undefined
  readonly linePulse: Last | undefined
  readonly perfusion: Last | undefined
  /** The end of the last interval of the plethysmogram in which it was flat. */
  readonly flatPlethAt: EventTimeMs | undefined
}

export const NO_SERIES: SeriesState = { bases: {}, still: {}, heartRate: undefined, pulse: undefined, linePulse: undefined, perfusion: undefined, flatPlethAt: undefined }

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
    state: { bases, still, flatPlethAt: state.flatPlethAt, ...probe },
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

type Rate = 'ecg' | 'oximeter' | 'line'

function judgeProbe (readings: readonly Reading[], perfusionIndex: number | undefined, at: EventTimeMs, state: SeriesState, rules: ArtefactRules, lower: Lower, verdicts: readonly Quality[]): Pick<SeriesState, 'heartRate' | 'pulse' | 'linePulse' | 'perfusion'> {
  const said = (sensor: Sensor): Last | undefined => {
    const i = readings.findIndex((reading, k) => reading.observation.concept === 'heartRate' && reading.sensor === sensor && verdicts[k] === 'valid')
    return i < 0 ? undefined : { at, value: readings[i]!.observation.value }
  }
  const [heartRate, pulse, linePulse, perfusion] = [said('ecg'), said('oximeter'), said('line'), perfusionIndex === undefined ? undefined : { at, value: perfusionIndex }]
  const near = (now: Last | undefined, last: Last | undefined): number | undefined => now?.value ?? (last !== undefined && Math.abs(at - last.at) <= TOGETHER_MS ? last.value : undefined)
  const wrong = contradicted({ ecg: near(heartRate, state.heartRate), oximeter: near(pulse, state.pulse), line: near(linePulse, state.linePulse) }, rules)
  const index = near(perfusion, state.perfusion)
  const weak = rules.perfusion.on && index !== undefined && index < rules.perfusion.percentMin
  const flat = rules.flatWave.on && state.flatPlethAt !== undefined && Math.abs(at - state.flatPlethAt) <= TOGETHER_MS
  for (let i = 0; i < readings.length; i++) {
    const { observation: { concept }, sensor } = readings[i]!
    const isRate = concept === 'heartRate'
    if (isRate && (sensor === 'ecg' || sensor === 'line') && wrong.has(sensor)) lower(i, 'questionable', 'pulse-mismatch')
    if (concept !== 'spo2' && !(isRate && sensor === 'oximeter')) continue
    if (wrong.has('oximeter')) lower(i, 'questionable', 'pulse-mismatch')
    if (weak && concept === 'spo2') lower(i, 'questionable', 'low-perfusion')
    if (flat) lower(i, 'questionable', 'flat-pleth')
  }
  return { heartRate: newer(heartRate, state.heartRate), pulse: newer(pulse, state.pulse), linePulse: newer(linePulse, state.linePulse), perfusion: newer(perfusion, state.perfusion) }
}

const NONE_WRONG: ReadonlySet<Rate> = new Set()

/** Of rates that differ: the one that the two others contradict; of two alone, or three that all differ, not the ECG's (Li, Mark and Clifford 2008). */
function contradicted ({ ecg, oximeter, line }: Readonly<Record<Rate, number | undefined>>, { pulseMismatch }: ArtefactRules): ReadonlySet<Rate> {
  if (!pulseMismatch.on) return NONE_WRONG
  const differ = (a: number | undefined, b: number | undefined): boolean => a !== undefined && b !== undefined && Math.abs(a - b) > pulseMismatch.perMinuteMax
  const [ecgPleth, ecgLine, plethLine] = [differ(ecg, oximeter), differ(ecg, line), differ(oximeter, line)]
  if (!ecgPleth && !ecgLine && !plethLine) return NONE_WRONG
  if (ecgPleth && ecgLine && !plethLine) return new Set(['ecg'])
  const wrong = new Set<Rate>()
  if (ecgPleth || (plethLine && ecg === undefined)) wrong.add('oximeter')
  if (ecgLine || (plethLine && ecg === undefined)) wrong.add('line')
  return wrong
}

function newer (now: Last | undefined, last: Last | undefined): Last | undefined { return now === undefined || (last !== undefined && last.at > now.at) ? last : now }

/**
 * Whole numbers stay the same in health: SpO2 98 for a minute is usual, and so is a paced pulse. So an oximeter is flat after a minute only where something
 * that it says has a decimal (its perfusion index, as a rule), and else, where it says SpO2 and pulse, after half an hour; a line where at least two of its
 * pressures are, a thermometer where it says hundredths.
 */
function judgeStill (readings: readonly Reading[], perfusionIndex: number | undefined, at: EventTimeMs, state: SeriesState, rules: ArtefactRules, lower: Lower): SeriesState['still'] {
  let all: Partial<Record<Sensor, Still>> | undefined
  for (const sensor of STILL_SENSORS) {
    let [count, pressures, text, decimals] = [0, 0, '', 0]
    for (const reading of readings) {
      if (reading.sensor !== sensor) continue
      count++
      if (reading.observation.concept !== 'heartRate') pressures++
      text += `${reading.observation.concept}${reading.observation.value} `
      decimals = Math.max(decimals, reading.decimals)
    }
    const last = state.still[sensor]
    if (count === 0 || (last !== undefined && at < last.at)) continue
    if (sensor === 'oximeter' && perfusionIndex !== undefined) { text += perfusionIndex; decimals = Math.max(decimals, decimalsOf(perfusionIndex)) }
    decimals = Math.max(decimals, last?.decimals ?? 0)
    const since = last !== undefined && last.text === text && at - last.at <= STILL_GAP_MS_MAX[sensor] ? last.since : at
    ;(all ??= { ...state.still })[sensor] = { text, since, at, decimals }
    const rule = stillRule(sensor, { decimals, whole: sensor === 'line' ? pressures >= 2 : false, both: count >= 2 }, at - since, rules)
    if (rule !== undefined) for (let i = 0; i < readings.length; i++) if (readings[i]!.sensor === sensor) lower(i, 'questionable', rule)
  }
  return all ?? state.still
}

/** `whole`: counts though it has no decimals. `both`: SpO2 and pulse. undefined: not flat. */
function stillRule (sensor: (typeof STILL_SENSORS)[number], said: { readonly decimals: number, readonly whole: boolean, readonly both: boolean }, forMs: number, { flatTemperature, flatline, flatOximeter }: ArtefactRules): string | undefined {
  if (sensor === 'thermometer') return flatTemperature.on && said.decimals >= 2 && forMs > flatTemperature.overMs ? 'flat-temperature' : undefined
  if (flatline.on && (said.decimals >= 1 || said.whole) && forMs >= flatline.forMsMin) return 'flatline'
  return sensor === 'oximeter' && flatOximeter.on && said.both && forMs >= flatOximeter.forMsMin ? 'flat-oximeter' : undefined
}

/** Digits behind the point, 3 at most. */
export function decimalsOf (value: number): number {
  if (Number.isInteger(value)) return 0
  for (let digits = 0, scaled = value; digits < 3; digits++, scaled *= 10) if (Math.abs(scaled - Math.round(scaled)) < 1e-6) return digits
  return 3
}
