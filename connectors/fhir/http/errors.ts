import { LatidoError } from '../../../streams/errors/index.ts'

/** The server does not answer, is overloaded beyond our patience, or broke off. It is tried again later. */
export function unreachable (what: string, cause?: unknown): LatidoError {
  return new LatidoError('FHIR_UNREACHABLE', `the FHIR server ${what}`, 'check the address, the network and the server; it is asked again by itself', cause)
}

/** The server understood and will not: what a person must mend. */
export function refusedBy (what: string): LatidoError {
  return new LatidoError('FHIR_REFUSED', `the FHIR server ${what}`, 'check the credentials, the scopes that the server grants, and the profile of the feed')
}

/** What it answered is not FHIR, or not what was asked for. */
export function invalid (what: string, cause?: unknown): LatidoError {
  return new LatidoError('FHIR_INVALID', `the FHIR server's answer ${what}`, 'check that the base URL is that of an R4 endpoint; look at what stands between', cause)
}
