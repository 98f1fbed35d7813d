import type { Patient, PatientLink } from 'fhir/r4.js'
import type { Fault, InboundEvent, MappedEvent, SourceIdentity } from '../../kit/index.ts'
import { note } from '../../kit/index.ts'
import { ageAt } from '../../hl7/index.ts'
import { birthDateOf, identityOf, patientOf } from './identity.ts'
import { sexOf } from './encounter.ts'
import { isFault, plausible, resultIdOf, type RefusedResource, type Scope, type Told } from './scope.ts'
import { parseTime } from './time.ts'
import { list, text } from './types.ts'

const SNOMED = 'http://snomed.info/sct'
/** SNOMED CT 419099009, Dead (finding). */
const DEAD = '419099009'

/**
 * A patient's record: age and sex, a death, and merges. `replaced-by` makes this patient the loser, `replaces` the survivor; `refer` and `seealso` merge
 * nobody. A death is a statement and never a discharge: a wrong tick must not silence alarms of somebody who lives; the encounter says when a bed is left.
 */
export function patient (resource: Patient, scope: Scope): Told {
  if (scope.deleted) { note(scope.notices, 'patient-deleted'); return { events: [] } }
  const own = identityOf(resource, scope.mapping, scope.notices)
  if (own === undefined) return { events: [] } // refused before
  const events: InboundEvent[] = []
  const others: MappedEvent[] = []
  const refused: RefusedResource[] = []
  const merged = list(resource.link).filter(one => one.type === 'replaced-by' || one.type === 'replaces')
  for (const link of merged) {
    const merge = mergeOf(link, resource, scope)
    if (isFault(merge)) refused.push({ fault: merge, part: { resourceType: 'Patient', ...(resource.id === undefined ? {} : { id: resource.id }), ...(resource.identifier === undefined ? {} : { identifier: resource.identifier }), link: [link] } })
    else if (merge.id === own.id) note(scope.notices, 'merge-with-itself')
    else if (link.type === 'replaced-by') events.push({ type: 'merge', survivor: merge, eventTime: scope.now, source: scope.source })
    else others.push({ patient: merge, event: { type: 'merge', survivor: own, eventTime: scope.now, source: scope.source } })
  }
  const isLoser = events.length > 0
  if (!isLoser) events.push(...demographics(resource, scope), ...death(resource, scope, refused))
  return { events, others, refused }
}

function mergeOf (link: PatientLink, resource: Patient, scope: Scope): SourceIdentity | Fault {
  const who = patientOf(link.other, { resourceType: 'Bundle', type: 'collection', ...(resource.id === undefined ? {} : { id: resource.id }) }, scope)
  if (isFault(who)) return { cause: 'patient-missing', detail: 'Patient.link names a patient who is not known' }
  return who.identity
}

function demographics (resource: Patient, scope: Scope): readonly InboundEvent[] {
  const ageYears = ageAt(birthDateOf(resource), scope.now)
  const sex = sexOf(resource)
  if (ageYears < 0 && sex === 'unknown') return []
  return [{ type: 'encounter', action: 'update', eventTime: scope.now, source: scope.source, ward: '', bed: '', ageYears, sex, hoursSinceHospitalAdmission: -1 }]
}

function death (resource: Patient, scope: Scope, refused: RefusedResource[]): readonly InboundEvent[] {
  const parsed = parseTime(resource.deceasedDateTime, scope.mapping.zone)
  if (parsed.kind === 'empty' && resource.deceasedBoolean !== true) return []
  const at = parsed.kind === 'empty' ? scope.now : plausible(parsed, 'Patient.deceasedDateTime', scope, 'taken')
  if (isFault(at)) { refused.push({ fault: at, part: { resourceType: 'Patient', ...(resource.id === undefined ? {} : { id: resource.id }), ...(resource.identifier === undefined ? {} : { identifier: resource.identifier }), deceasedDateTime: text(resource.deceasedDateTime) } }); return [] }
  return [{ type: 'statement', kind: 'condition', source: scope.source, statementId: resultIdOf(resource, 'deceased'), status: 'active', system: SNOMED, code: DEAD, eventTime: at, endTime: -1, value: NaN, unit: '' }]
}
