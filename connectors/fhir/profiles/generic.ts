import type { PatientSearch } from '../polling/index.ts'
import type { FhirProfile } from './profile.ts'

/** One patient's data, as US Core's required searches have it (US Core 6.1: patient with category and date). */
export const US_CORE_SEARCHES: readonly PatientSearch[] = [
  { query: 'Patient', by: 'none' },
  { query: 'Encounter', by: 'date' },
  { query: 'Observation?category=vital-signs', by: 'date' },
  { query: 'Observation?category=laboratory', by: 'date' },
  { query: 'Condition', by: 'none' },
  { query: 'AllergyIntolerance', by: 'none' },
  { query: 'MedicationRequest?intent=order', by: 'none' },
  { query: 'DiagnosticReport', by: 'date' },
]

/** A server that does what R4 says: HAPI FHIR, and most that are built on a database of resources. */
export const generic: FhirProfile = {
  name: 'generic', vendor: 'R4 server', polling: 'system', bulk: 'system', subscriptions: true, sorted: true, paging: 'keyset', deletions: false, pageSize: 200, requestsPerMinute: 120, searches: US_CORE_SEARCHES,
}
