import { isPossible, type Observation as Reading, type ResultStatus } from '../../../streams/events/index.ts'
import { canonicalValue, note, type CodeMapping, type Fault } from '../../kit/index.ts'
import type { Observation, SampledData } from 'fhir/r4.js'
import { isFault, plausible, resultIdOf, type Scope } from './scope.ts'
import { beginningOf } from './time.ts'
import { text } from './types.ts'

const MINUTE_MS = 60_000
/** A day of minutes in one resource. */
export const SAMPLED_MINUTES_MAX = 1440

/**
 * SampledData to one observation for each minute of its own (from its first sample): the median, at the minute's last good sample. A median of 10 s and
 * more holds against spikes (Borowski, Siebig, Wrede, Imhoff 2011). `E`, `U` and `L` are no values; a minute with fewer good samples than
 * bad ones is `questionable`. Waves of several dimensions are no readings.
 */
export function summariesOf (data: SampledData, resource: Observation, meaning: CodeMapping, result: { readonly status: ResultStatus, readonly code: string, readonly where: string }, scope: Scope): readonly Reading[] | Fault {
  const periodMs = data.period
  if (data.dimensions !== 1 || !(periodMs > 0) || typeof data.data !== 'string') return { cause: 'value-unparsable', detail: `${result.where}: SampledData without one dimension, a period and data` }
  const start = plausible(beginningOf({ dateTime: resource.effectiveDateTime, instant: resource.effectiveInstant, period: resource.effectivePeriod, timing: resource.effectiveTiming }, scope.mapping.zone), 'Observation.effective[x]', scope, 'refused')
  if (isFault(start)) return start
  const samples = data.data.trim().split(/\s+/)
  if (samples.length * periodMs > SAMPLED_MINUTES_MAX * MINUTE_MS) return { cause: 'too-large', detail: `${result.where}: SampledData of more than a day` }
  const perMinute = Math.max(1, Math.floor(MINUTE_MS / periodMs))
  const readings: Reading[] = []
  for (let from = 0; from < samples.length; from += perMinute) {
    const reading = summary(samples.slice(from, from + perMinute), start + from * periodMs, data, meaning, scope)
    if (isFault(reading)) return reading
    if (reading === undefined) { note(scope.notices, 'no-value'); continue }
    readings.push({ ...reading, status: result.status, resultId: resultIdOf(resource, result.code, String(from / perMinute)) })
  }
  return readings
}

function summary (samples: readonly string[], from: number, data: SampledData, meaning: CodeMapping, scope: Scope): Omit<Reading, 'status' | 'resultId'> | Fault | undefined {
  const good: number[] = []
  let last = from
  for (const [i, sample] of samples.entries()) {
    const number = /^[+-]?\d+(\.\d+)?([eE][+-]?\d{1,2})?$/.test(sample) ? Number(sample) : undefined
    if (number === undefined) { if (/^[EUL]$/.test(sample)) continue; return { cause: 'value-unparsable', detail: 'SampledData.data holds something else than numbers, E, U and L' } }
    const value = canonicalValue(scope.mapping, meaning, (data.origin.value ?? 0) + number * (data.factor ?? 1), text(data.origin.code) || text(data.origin.unit))
    if (value === undefined) return { cause: 'unit-unknown', detail: 'the unit of SampledData.origin is unknown, or cannot be this concept\'s' }
    if (!isPossible(meaning.concept, value)) continue
    good.push(value)
    last = from + i * data.period
  }
  if (good.length === 0) return undefined
  if (last > scope.now) { if (last > scope.now + scope.futureToleranceMs) return { cause: 'time-in-future', detail: 'SampledData goes on beyond the log\'s clock' }; note(scope.notices, 'time-clamped') }
  return { concept: meaning.concept, value: median(good), comparator: '=', eventTime: Math.min(Math.trunc(last), scope.now), quality: good.length * 2 < samples.length ? 'questionable' : 'valid' }
}

function median (values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
