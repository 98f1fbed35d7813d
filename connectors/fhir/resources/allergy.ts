import type { StatementStatus } from '../../../streams/events/index.ts'
import type { AllergyIntolerance, Patient } from 'fhir/r4.js'
import { simpleCode } from './coding.ts'
import { atAge } from './condition.ts'
import type { Scope, Told } from './scope.ts'
import { state } from './statement.ts'
import { beginningOf, parseTime } from './time.ts'
import { list } from './types.ts'

const CLINICAL: Readonly<Record<string, StatementStatus>> = { active: 'active', inactive: 'inactive', resolved: 'completed' }

/** An allergy or intolerance. Without a code of its own, the substance of its first reaction. Refuted is absent. */
export function allergy (resource: AllergyIntolerance, scope: Scope, subject: Patient | undefined): Told {
  const { zone } = scope.mapping
  const verification = simpleCode(resource.verificationStatus)
  const status = verification === 'entered-in-error' ? 'withdrawn' : verification === 'refuted' ? 'absent' : CLINICAL[simpleCode(resource.clinicalStatus)] ?? 'active'
  return state(resource, {
    kind: 'allergy', status, codes: [resource.code, list(resource.reaction)[0]?.substance], where: 'AllergyIntolerance.onset[x]',
    at: [beginningOf({ dateTime: resource.onsetDateTime, period: resource.onsetPeriod }, zone), atAge(resource.onsetAge, subject, zone), parseTime(resource.recordedDate, zone), parseTime(resource.lastOccurrence, zone)],
  }, scope)
}
