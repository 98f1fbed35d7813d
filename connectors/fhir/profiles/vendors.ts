import { US_CORE_SEARCHES } from './generic.ts'
import type { FhirProfile } from './profile.ts'

/**
 * Epic: Observation wants a patient, with a code or category; exports are of a Group, run on the operational database and are not incremental, so they
 * are for backfill.
 */
export const epic: FhirProfile = {
  name: 'epic', vendor: 'Epic', polling: 'patient', bulk: 'group', subscriptions: false, sorted: false, paging: 'links', deletions: false, pageSize: 100, requestsPerMinute: 60, searches: US_CORE_SEARCHES,
}

/** Oracle Health (Cerner Millennium): Observation wants a patient; it takes `_lastUpdated`, and then answers newest first; at most 200 a page; one export at a time. */
export const oracleHealth: FhirProfile = {
  name: 'oracle-health', vendor: 'Oracle Health (Cerner)', polling: 'patient', bulk: 'group', subscriptions: false, sorted: false, paging: 'links', deletions: false, pageSize: 200, requestsPerMinute: 60,
  searches: US_CORE_SEARCHES.map(search => search.query.startsWith('Observation') ? { ...search, by: '_lastUpdated' } : search),
}

/** Veradigm (Allscripts): `Observation?_lastUpdated=ge...` without a patient is documented, an order is not; exports are of a Group, for apps of type System. */
export const veradigm: FhirProfile = {
  name: 'veradigm', vendor: 'Veradigm (Allscripts)', polling: 'system', bulk: 'group', subscriptions: false, sorted: false, paging: 'links', deletions: false, pageSize: 100, requestsPerMinute: 60, searches: US_CORE_SEARCHES,
}
