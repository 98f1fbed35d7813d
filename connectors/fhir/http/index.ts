/** The authenticated FHIR client: retries, budget, paging, ETags. */
export { openFhirClient } from './open-client.ts'
export type { CallOptions, FhirClient, FhirClientOptions, RawAnswer, RawRequest, ReadOutcome, WriteOptions, WriteOutcome } from './client.ts'
export { basicAuth, bearerAuth, noAuth } from './auth.ts'
export type { Authorizer } from './auth.ts'
export { FHIR_LIMITS } from './limits.ts'
export type { FhirLimits } from './limits.ts'
export { retryAfterMs } from './retry-after.ts'
/** What a server says is wrong, as codes. */
export { issuesOf } from './outcome.ts'
export { invalid, refusedBy, unreachable } from './errors.ts'
