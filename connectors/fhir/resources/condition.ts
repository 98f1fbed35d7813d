import type { StatementStatus } from '../../../streams/events/index.ts'
import type { Condition, Patient } from 'fhir/r4.js'
import { simpleCode } from './coding.ts'
import type { Scope, Told } from './scope.ts'
import { state } from './statement.ts'
import { beginningOf, parseTime, type FhirTime } from './time.ts'
import { text, type Quantity } from './types.ts'

/** A diagnosis or a problem. Onset, else when it was recorded. Refuted is absent. */
export function condition (resource: Condition, scope: Scope, subject: Patient | undefined): Told {
  const { zone } = scope.mapping
  return state(resource, {
    kind: 'condition', status: statusOf(resource), codes: [resource.code], where: 'Condition.onset[x]',
    at: [beginningOf({ dateTime: resource.onsetDateTime, period: resource.onsetPeriod }, zone), atAge(resource.onsetAge, subject, zone), parseTime(resource.recordedDate, zone)],
    end: beginningOf({ dateTime: resource.abatementDateTime, period: resource.abatementPeriod }, zone),
  }, scope)
}

const CLINICAL: Readonly<Record<string, StatementStatus>> = { active: 'active', recurrence: 'active', relapse: 'active', inactive: 'inactive', remission: 'inactive', resolved: 'completed' }

function statusOf (resource: Condition): StatementStatus {
  const verification = simpleCode(resource.verificationStatus)
  if (verification === 'entered-in-error') return 'withdrawn'
  if (verification === 'refuted') return 'absent'
  return CLINICAL[simpleCode(resource.clinicalStatus)] ?? 'active'
}

/** An age in years, counted from the birth date. */
export function atAge (age: Quantity | undefined, subject: Patient | undefined, zone: string): FhirTime {
  const years = age?.value
  const birth = text(subject?.birthDate)
  if (typeof years !== 'number' || (age?.code ?? 'a') !== 'a' || !/^\d{4}/.test(birth)) return { kind: 'empty' }
  return parseTime(String(Number(birth.slice(0, 4)) + Math.floor(years)), zone)
}
