import { isConceptId, isPossible } from '../../streams/events/index.ts'
import { canonicalValue, IGNORE, meaningOf, passOver, type CodeMeaning } from '../kit/index.ts'
import { identityOf } from './envelope.ts'
import { observationItem, type ObservationItem } from './items.ts'
import { momentOf, readItem, refuseItem, type Mapped, type Setting } from './mapped.ts'

/** Code systems by their URI, as the tables of concepts name them. */
const SYSTEMS: Readonly<Record<string, string>> = { 'http://loinc.org': 'LN', 'urn:iso:std:iso:11073:10101': 'MDC' }

/**
 * A value that was measured at home. It is `charted`: one reading at a time with an identity, so it may be corrected; it does not end a device's silence and
 * needs no dwell. A patient's reading is as good as its device, and who reads it can tell it by its source (`telemedicine:...`).
 */
export function mapObservation (item: unknown, setting: Setting): Mapped {
  const read = readItem(observationItem, item)
  if (read.kind !== 'ok') return read
  const { value, unit, takenAt, device = '', id, status } = read.value
  const { context, options } = setting
  const meaning = meaningOfItem(read.value, setting)
  if (meaning === undefined) return refuseItem('code-unknown', read.value.concept === undefined ? '/code' : '/concept', read.value.concept === undefined ? 'no concept has this code' : 'there is no such concept')
  if (meaning === IGNORE) { passOver(setting.notices); return { kind: 'nothing' } }
  const canonical = canonicalValue(context.mapping, meaning, value, unit)
  if (canonical === undefined) return refuseItem('unit-unknown', '/unit', 'unknown, or not one of this concept')
  if (!isPossible(meaning.concept, canonical)) return refuseItem('value-impossible', '/value', 'outside of what is possible')
  const eventTime = momentOf(takenAt, '/takenAt', setting)
  if (typeof eventTime !== 'number') return eventTime
  const resultId = id === undefined ? identityOf('reading', meaning.concept, String(Date.parse(takenAt)), device) : identityOf('own', meaning.concept, id)
  return { kind: 'observation', identity: resultId, observation: { concept: meaning.concept, value: canonical, comparator: '=', eventTime, status, quality: options.quality, resultId } }
}

function meaningOfItem ({ concept, system = '', code = '', unit }: ObservationItem, { context }: Setting): CodeMeaning | undefined {
  if (concept !== undefined) return isConceptId(concept) ? { concept } : undefined
  const meaning = meaningOf(context.mapping, SYSTEMS[system] ?? system, code)
  if (meaning === undefined) context.unmapped({ system: SYSTEMS[system] ?? system, code, text: '', unit })
  return meaning
}
