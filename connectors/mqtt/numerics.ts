import { conceptOf, isPossible, QUALITIES, toCanonical } from '../../streams/events/index.ts'
import type { ConceptId, Observation, Quality, RefusalCause } from '../../streams/events/index.ts'
import type { EventTimeMs } from '../../streams/time/index.ts'

/** One numeric that was not taken, by its place in the message. */
export interface RefusedNumeric { readonly index: number, readonly cause: RefusalCause, readonly detail: string }

export interface MappedNumerics {
  readonly observations: readonly Observation[]
  readonly refused: readonly RefusedNumeric[]
  /** Values that say "no sensor": null, or a 0 where 0 is not physiology. Missing, not wrong. */
  readonly sensorOff: number
}

type Mapped = { readonly kind: 'value', readonly observation: Observation } | { readonly kind: 'sensor-off' } | { readonly kind: 'refused', readonly cause: RefusalCause, readonly what: string }

/** Maps each numeric by itself to a concept in its canonical unit. Written by hand: it runs for every value of every monitor. */
export function mapNumerics (numerics: readonly unknown[], eventTime: EventTimeMs): MappedNumerics {
  const observations: Observation[] = []
  const refused: RefusedNumeric[] = []
  let sensorOff = 0
  for (let index = 0; index < numerics.length; index++) {
    const mapped = mapOne(numerics[index], eventTime)
    switch (mapped.kind) {
      case 'value': observations.push(mapped.observation); break
      case 'sensor-off': sensorOff++; break
      case 'refused': refused.push({ index, cause: mapped.cause, detail: `numerics[${index}]: ${mapped.what}` }); break
    }
  }
  return { observations, refused, sensorOff }
}

function mapOne (numeric: unknown, eventTime: EventTimeMs): Mapped {
  if (typeof numeric !== 'object' || numeric === null) return refused('malformed', 'not an object')
  const { code, value, unit, quality } = numeric as { code?: unknown, value?: unknown, unit?: unknown, quality?: unknown }
  const concept = typeof code === 'string' || typeof code === 'number' ? conceptOfCode(String(code)) : undefined
  if (concept === undefined) return refused('code-unknown', 'code is not one that we know')
  if (value === null) return { kind: 'sensor-off' }
  if (typeof value !== 'number' || !Number.isFinite(value)) return refused('value-unparsable', 'value is not a finite number')
  const canonical = typeof unit === 'string' && unit !== '' ? toCanonical(concept, value, unit) : undefined
  if (canonical === undefined) return refused('unit-unknown', 'unit is missing, unknown, or not one of this code')
  if (!isPossible(concept, canonical)) return value === 0 ? { kind: 'sensor-off' } : refused('value-impossible', 'value is outside the possible range')
  const flag = quality ?? 'valid'
  if (!isQuality(flag)) return refused('malformed', 'quality is not valid, questionable or artefact')
  return { kind: 'value', observation: { concept, value: canonical, comparator: '=', eventTime, status: 'final', quality: flag, resultId: '' } }
}

/** LOINC codes carry a check digit after a hyphen; all other codes of a monitor are MDC numbers, their reference identifiers, or short names. */
function conceptOfCode (code: string): ConceptId | undefined { return conceptOf(code.includes('-') ? 'LN' : 'MDC', code) }

function isQuality (text: unknown): text is Quality { return (QUALITIES as readonly unknown[]).includes(text) }

function refused (cause: RefusalCause, what: string): Mapped { return { kind: 'refused', cause, what } }
