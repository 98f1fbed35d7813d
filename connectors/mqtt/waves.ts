import { isPossible, type ConceptId, type Observation, type Quality, type RefusalCause } from '../../streams/events/index.ts'
import type { DurationMs, EventTimeMs } from '../../streams/time/index.ts'
import { canonicalValue, note, type Notices } from '../kit/index.ts'
import type { ArtefactRules } from './artefact-rules.ts'
import { isQuality, systemOf, type CodeBook, type RefusedNumeric } from './numerics.ts'

/** What the summary of a waveform says of a concept: its mean, or its greatest value where an interval is long enough to hold a whole breath. */
interface Derived { readonly concept: ConceptId, readonly of: 'mean' | 'max', readonly intervalMsMin: DurationMs }

/**
 * The mean of an arterial pressure wave is the mean pressure by definition; its extremes over an interval are not the monitor's systolic and diastolic,
 * which are means over beats, so they are not derived. The greatest CO2 of an interval that holds a breath is the end-tidal one; 15 s hold one at 4 /min.
 */
const DERIVED: ReadonlyMap<string, Derived> = new Map<string, Derived>([
  ...['150032', 'MDC_PRESS_BLD_ART'].map(code => [code, { concept: 'meanPressure', of: 'mean', intervalMsMin: 1_000 }] as const),
  ...['MDC_CONC_AWAY_CO2'].map(code => [code, { concept: 'etco2', of: 'max', intervalMsMin: 15_000 }] as const),
])
/** Waveforms that are known and say nothing that we compute with: ECG leads, plethysmogram, impedance. */
const KNOWN: ReadonlySet<string> = new Set(['131328', '131329', '131330', '131331', 'MDC_ECG_ELEC_POTL_I', 'MDC_ECG_ELEC_POTL_II', 'MDC_ECG_ELEC_POTL_III', 'MDC_ECG_ELEC_POTL_V', '150452', 'MDC_PULS_OXIM_PLETH', 'MDC_RESP', 'MDC_TTHOR_IMPED'])

export interface MappedWaves { readonly observations: readonly Observation[], readonly refused: readonly RefusedNumeric[] }

/** Each summary by itself. A value that is derived holds at the end of its interval. */
export function mapWaves (waves: readonly unknown[], intervalMs: DurationMs, endTime: EventTimeMs, book: CodeBook, rules: ArtefactRules, notices: Notices): MappedWaves {
  const observations: Observation[] = []
  const refused: RefusedNumeric[] = []
  for (let index = 0; index < waves.length; index++) {
    const refuse = (cause: RefusalCause, what: string): void => { refused.push({ index, cause, detail: `waves[${index}]: ${what}` }) }
    const wave = readWave(waves[index])
    if (typeof wave === 'string') { refuse('malformed', wave); continue }
    const { code, unit, mean, min, max } = wave
    if (mean === null || min === null || max === null) { note(notices, 'sensor-off'); continue }
    const derived = DERIVED.get(code.toUpperCase())
    if (derived === undefined && !KNOWN.has(code.toUpperCase())) {
      book.unmapped({ system: systemOf(code), code, text: '', unit })
      refuse('code-unknown', 'code is not one of a waveform that we know')
      continue
    }
    const flat = rules.flatWave.on && min === max
    if (flat) note(notices, 'artefact-flat-wave')
    if (derived === undefined || intervalMs < derived.intervalMsMin) { note(notices, 'wave-without-concept'); continue }
    const canonical = unit === '' ? undefined : canonicalValue(book.mapping, { concept: derived.concept }, wave[derived.of]!, unit)
    if (canonical === undefined) { refuse('unit-unknown', 'unit is missing, unknown, or not one of this waveform'); continue }
    if (!isPossible(derived.concept, canonical)) { refuse('value-impossible', `${derived.of} is outside the possible range`); continue }
    observations.push({ concept: derived.concept, value: canonical, comparator: '=', eventTime: endTime, status: 'final', quality: flat ? 'artefact' : wave.quality, resultId: '' })
  }
  return { observations, refused }
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
  if (!isQuality(quality)) return 'quality is not valid, questionable or artefact'
  return { code: String(code), unit: typeof unit === 'string' ? unit : '', mean: mean as number | null, min: min as number | null, max: max as number | null, quality }
}
