import { identityOf } from './envelope.ts'
import { HPO, symptomItem } from './items.ts'
import { momentOf, readItem, refuseItem, type Mapped, type Setting } from './mapped.ts'
import { isSnomedConcept } from './snomed.ts'

/** Humans live no longer. */
const ONSET_YEARS_MAX = 120
const YEAR_MS = 365.25 * 86_400_000

/** A reported symptom. It holds from its onset, where that is known; a later report of the same onset replaces the severity. */
export function mapSymptom (item: unknown, setting: Setting): Mapped {
  const read = readItem(symptomItem, item)
  if (read.kind !== 'ok') return read
  const { system, code, presence, severity, onset, ended, reportedAt, id } = read.value
  if (!(system === HPO ? /^HP:\d{7}$/.test(code) : isSnomedConcept(code))) return refuseItem('code-unknown', '/code', 'not a code of its system')
  if (presence === 'absent' && (severity ?? 0) > 0) return refuseItem('value-impossible', '/severity', 'a symptom that is absent has no severity')
  const reported = momentOf(reportedAt, '/reportedAt', setting)
  if (typeof reported !== 'number') return reported
  const from = since(onset, reported, '/onset')
  if (typeof from !== 'number') return from
  const end = ended === undefined ? -1 : since(ended, reported, '/ended')
  if (typeof end !== 'number') return end
  if (end !== -1 && end < from) return refuseItem('time-implausible', '/ended', 'before the onset')
  const statementId = id === undefined ? identityOf('symptom', system, code, String(Date.parse(onset ?? reportedAt))) : identityOf('own', system, code, id)
  const status = presence === 'absent' ? 'absent' : end === -1 ? 'active' : 'completed'
  const statement = { type: 'statement', kind: 'symptom', source: setting.source, statementId, status, system, code, eventTime: from, endTime: end, value: severity ?? NaN, unit: severity === undefined ? '' : '{score}' } as const
  return { kind: 'statements', identity: statementId, statements: [statement] }
}

/** A moment of the past, by default that of the report. An onset may be long ago. */
function since (text: string | undefined, reported: number, path: string): number | ReturnType<typeof refuseItem> {
  if (text === undefined) return reported
  const at = Date.parse(text)
  if (Number.isNaN(at)) return refuseItem('time-unparsable', path, 'not a date that exists')
  if (at > reported) return refuseItem('time-implausible', path, 'after the report')
  return at < reported - ONSET_YEARS_MAX * YEAR_MS ? refuseItem('time-implausible', path, 'longer ago than a life') : at
}
