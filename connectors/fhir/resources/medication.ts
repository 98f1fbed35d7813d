import type { StatementStatus } from '../../../streams/events/index.ts'
import type { MedicationAdministration, MedicationRequest } from 'fhir/r4.js'
import { ARCHIVED, type Scope, type Told } from './scope.ts'
import { state } from './statement.ts'
import { beginningOf, parseTime } from './time.ts'
import { list, text, type CodeableConcept, type FhirResource, type Reference } from './types.ts'

const REQUESTED: Readonly<Record<string, StatementStatus>> = {
  active: 'active', 'on-hold': 'inactive', cancelled: 'withdrawn', completed: 'completed', 'entered-in-error': 'withdrawn', stopped: 'inactive', draft: 'planned', unknown: 'active',
}
const GIVEN: Readonly<Record<string, StatementStatus>> = {
  'in-progress': 'active', 'not-done': 'absent', 'on-hold': 'inactive', completed: 'completed', 'entered-in-error': 'withdrawn', stopped: 'completed', unknown: 'completed',
}

/** A drug that was ordered, with the dose of its first instruction. What must not be given is no order, and is archived. */
export function request (resource: MedicationRequest, scope: Scope): Told {
  if (resource.doNotPerform === true) return ARCHIVED
  const { zone } = scope.mapping
  const status = REQUESTED[text(resource.status)] ?? 'active'
  const proposed = status === 'active' && (resource.intent === 'proposal' || resource.intent === 'plan')
  return state(resource, {
    kind: 'medication-request', status: proposed ? 'planned' : status, codes: drugOf(resource, resource, scope), where: 'MedicationRequest.authoredOn', at: [parseTime(resource.authoredOn, zone)],
    quantity: list(list(resource.dosageInstruction)[0]?.doseAndRate)[0]?.doseQuantity,
  }, scope)
}

/** A drug that was given, or running: its dose, else its rate. */
export function administration (resource: MedicationAdministration, scope: Scope): Told {
  const { zone } = scope.mapping
  return state(resource, {
    kind: 'medication-administration', status: GIVEN[text(resource.status)] ?? 'completed', codes: drugOf(resource, resource, scope), where: 'MedicationAdministration.effective[x]',
    at: [beginningOf({ dateTime: resource.effectiveDateTime, period: resource.effectivePeriod }, zone)],
    end: parseTime(resource.effectivePeriod?.end, zone),
    quantity: resource.dosage?.dose ?? resource.dosage?.rateQuantity,
  }, scope)
}

/** The drug's code: its own, or the contained or included Medication's. */
function drugOf (of: { readonly medicationCodeableConcept?: CodeableConcept | undefined, readonly medicationReference?: Reference | undefined }, holder: FhirResource, scope: Scope): readonly (CodeableConcept | undefined)[] {
  const found = scope.find(of.medicationReference, holder)
  return [of.medicationCodeableConcept, found?.resourceType === 'Medication' ? found.code : undefined]
}
