import { CONCEPTS, isPossible, type ConceptId, type Observation, type Quality, type RefusalCause } from '../../streams/events/index.ts'
import type { DurationMs, EventTimeMs } from '../../streams/time/index.ts'
import { canonicalValue, IGNORE, note, passOver, type Notices } from '../kit/index.ts'
import type { ArtefactRules } from './artefact-rules.ts'
import { meaningOfCode, qualityOf, systemOf, type CodeBook, type RefusedNumeric } from './numerics.ts'

/** What the summary of a waveform says of a concept: its mean, or its greatest value where an interval is long enough to hold a whole breath. */
interface Derived { readonly concept: ConceptId, readonly of: 'mean' | 'max', readonly intervalMsMin: DurationMs }

/**
 * The mean of an arterial pressure wave is the mean pressure by definition; its extremes over an interval are not the monitor's systolic and diastolic,
 * which are means over beats, so they are not derived. The greatest CO2 of an interval that holds a breath is the end-tidal one; 15 s hold one at 4 /min.
 */
const DERIVED: ReadonlyMap<string, Derived> = new Map<string, Derived>([
  ...['150032', 'MDC_PRESS_BLD_ART', '150036', 'MDC_PRESS_BLD_ART_ABP'].map(code => [code, { concept: 'meanPressure', of: 'mean', intervalMsMin: 1_000 }] as const),
  ...['MDC_CONC_AWAY_CO2'].map(code => [code, { concept: 'etco2', of: 'max', intervalMsMin: 15_000 }] as const),
])
/** Waveforms that are known and say nothing that we compute with: ECG leads, plethysmogram, impedance. */
const KNOWN: ReadonlySet<string> = new Set(['131328', '131329', '131330', '131331', 'MDC_ECG_ELEC_POTL_I', 'MDC_ECG_ELEC_POTL_II', 'MDC_ECG_ELEC_POTL_III', 'MDC_ECG_ELEC_POTL_V', '150452', 'MDC_PULS_OXIM_PLETH', 'MDC_RESP', 'MDC_TTHOR_IMPED'])

const PLETHYSMOGRAM: ReadonlySet<string> = new Set(['150452', 'MDC_PULS_OXIM_PLETH'])

/** `flatPleth`: whether the plethysmogram was flat; undefined: there was none. */
export interface MappedWaves { readonly observations: readonly Observation[], readonly refused: readonly RefusedNumeric[], readonly flatPleth: boolean | undefined }

/** Each summary by itself. A value that is derived holds at the end of its interval. */
export function mapWaves (waves: readonly unknown[], intervalMs: DurationMs, endTime: EventTimeMs, book: CodeBook, rules: ArtefactRules, notices: Notices): MappedWaves {
  const observations: Observation[] = []
  const refused: RefusedNumeric[] = []
  let flatPleth: boolean | undefined
  for (let index = 0; index < waves.length; index++) {
    const refuse = (cause: RefusalCause, what: string): void => { refused.push({ index, cause, detail: `waves[${index}]: ${what}` }) }
    const wave = readWave(waves[index])
    if (typeof wave === 'string') { refuse('malformed', wave); continue }
    const { code, unit, mean, min, max } = wave
    if (meaningOfCode(code, book.mapping) === IGNORE) { passOver(notices); continue }
    if (mean === null || min === null || max === null) { note(notices, 'sensor-off'); continue }
    const derived = DERIVED.get(code.toUpperCase())
    if (derived === undefined && !KNOWN.has(code.toUpperCase())) {
      book.unmapped({ system: systemOf(code), code, text: '', unit })
      refuse('code-unknown', 'code is not one of a waveform that we know')
      continue
    }
    const flat = rules.flatWave.on && min === max
    if (flat) note(notices, 'artefact-flat-wave')
    if (PLETHYSMOGRAM.has(code.toUpperCase())) flatPleth = flat
    if (derived === undefined || intervalMs < derived.intervalMsMin) { note(notices, 'wave-without-concept'); continue }
    const canonical = unit === '' ? undefined : canonicalValue(book.mapping, { concept: derived.concept }, wave[derived.of]!, unit)
    if (canonical === undefined) { refuse('unit-unknown', 'unit is missing, unknown, or not one of this waveform'); continue }
    if (!isPossible(derived.concept, canonical)) { refuse('value-impossible', `${derived.of} is outside the possible range`); continue }
    const doubtful = derived.concept === 'meanPressure' ? doubtfulPressure(canonicalValue(book.mapping, derived, min, unit)!, canonicalValue(book.mapping, derived, max, unit)!, rules) : undefined
    if (doubtful !== undefined && !flat) note(notices, doubtful)
    const quality = flat ? 'artefact' : doubtful !== undefined && wave.quality === 'valid' ? 'questionable' : wave.quality
    observations.push({ concept: derived.concept, value: canonical, comparator: '=', eventTime: endTime, status: 'final', quality, resultId: '' })
  }
  return { observations, refused, flatPleth }
}

/** A wave that hardly moves is a damped line; one that leaves what blood pressures can be was flushed, zeroed, or a sample was drawn through it. */
function doubtfulPressure (min: number, max: number, { pulsePressure, waveOutside }: ArtefactRules): string | undefined {
  if (pulsePressure.on && max - min < pulsePressure.mmHgMin) return 'artefact-pulse-pressure'
  return waveOutside.on && (min < CONCEPTS.diastolic.possible[0] || max > CONCEPTS.systolic.possible[1]) ? 'artefact-wave-outside' : undefined
}

interface Wave { readonly code: string, readonly unit: string, readonly mean: number | null, readonly min: number | null, readonly max: number | null, readonly quality: Quality }

/** What is wrong, or the summary. */
function readWave (wave: unknown): Wave | string {
  if (typeof wave !== 'object' || wave === null) return 'not an object'
  const { code, unit, mean, min, max, quality = 'valid' } = wave as Record<string, unknown>
  if (typeof code !== 'string' && typeof code !== 'number') return 'no code'
  const numbers = [mean, min, max]
  if (!numbers.every(value => value === null || (typeof value === 'number' && Number.isFinite(value)))) return 'mean, min and max are numbers or null'
  if (numbers.every(value => typeof value === 'number') && !((min as number) <= (mean as number) && (mean as number) <= (max as number))) return 'the mean is not between min and max'
  const worth = qualityOf(quality)
  if (worth === undefined) return 'quality is not valid, questionable or artefact'
  const off = worth === 'missing'
  return { code: String(code), unit: typeof unit === 'string' ? unit : '', mean: off ? null : mean as number | null, min: min as number | null, max: max as number | null, quality: off ? 'artefact' : worth }
}
