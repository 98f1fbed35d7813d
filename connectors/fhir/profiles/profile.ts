import type { PatientSearch } from '../polling/index.ts'

/** What a vendor's R4 server can do of our modes, as its public documentation says (docs/connectors/fhir.md has the sources). */
export interface FhirProfile {
  readonly name: string
  /** Who it is, for people. */
  readonly vendor: string
  /** `system`: a search over everybody by `_lastUpdated`; `patient`: one patient at a time. */
  readonly polling: 'system' | 'patient'
  /** Whether it exports everything (`system`), or named groups alone. */
  readonly bulk: 'system' | 'group'
  /** Whether its documentation says that it calls on changes. */
  readonly subscriptions: boolean
  /** Whether `_sort=_lastUpdated` is obeyed. */
  readonly sorted: boolean
  readonly paging: 'keyset' | 'links'
  /** Whether `[type]/_history` tells deletions. */
  readonly deletions: boolean
  readonly pageSize: number
  readonly requestsPerMinute: number
  /** Per patient. */
  readonly searches: readonly PatientSearch[]
}
