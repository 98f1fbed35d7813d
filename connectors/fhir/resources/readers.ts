import { allergy } from './allergy.ts'
import { condition } from './condition.ts'
import { encounter } from './encounter.ts'
import { familyHistory } from './family-history.ts'
import { imaging } from './imaging.ts'
import { administration, request } from './medication.ts'
import { observation } from './observation.ts'
import { patient } from './patient.ts'
import { questionnaireResponse } from './questionnaire.ts'
import { report } from './report.ts'
import type { Scope, Told } from './scope.ts'
import { text, type FhirResource, type Patient, type Reference } from './types.ts'

/** One resource to what it says of its subject; `subject` where the patient's own record is at hand. */
export type Reader<R extends FhirResource = FhirResource> = (resource: R, scope: Scope, subject: Patient | undefined) => Told

type Readers = { readonly [T in FhirResource['resourceType']]?: Reader<Extract<FhirResource, { resourceType: T }>> }

const READERS: Readers = {
  Observation: observation, Encounter: encounter, Patient: patient, Condition: condition, MedicationRequest: request, MedicationAdministration: administration,
  AllergyIntolerance: allergy, FamilyMemberHistory: familyHistory, DiagnosticReport: report, QuestionnaireResponse: questionnaireResponse, ImagingStudy: imaging,
}

/** Types that say something which is computed with, in the order in which they are best read: who and where before what. */
export const READ_TYPES: readonly string[] = ['Patient', 'Encounter', 'AllergyIntolerance', 'FamilyMemberHistory', 'Condition', 'MedicationRequest', 'MedicationAdministration', 'QuestionnaireResponse', 'ImagingStudy', 'DiagnosticReport', 'Observation']

export function readerOf (type: string): Reader | undefined {
  return Object.hasOwn(READERS, type) ? (READERS as Readonly<Record<string, Reader>>)[type] : undefined
}

/** Whom a resource is about. `other`: a group, a device, a place. */
export function subjectOf (resource: FhirResource): { readonly kind: 'patient', readonly reference: Reference | undefined } | { readonly kind: 'other' } {
  if (resource.resourceType === 'Patient') return { kind: 'patient', reference: undefined }
  const { subject, patient: person } = resource as { subject?: Reference, patient?: Reference }
  const reference = subject ?? person
  const type = text(reference?.type) || /(?:^|\/)([A-Z][A-Za-z]+)\/[^/]+$/.exec(text(reference?.reference))?.[1]
  return type === 'Group' || type === 'Device' || type === 'Location' || type === 'Specimen' ? { kind: 'other' } : { kind: 'patient', reference }
}
