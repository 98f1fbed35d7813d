/** FHIR R4: resources to events, and a client that reads servers by polling and by bulk export. */
export { fhirMapper, FHIR_MAPPER_DEFAULTS } from './resources/index.ts'
export type { FhirMapperOptions } from './resources/index.ts'
/** One resource, or a deletion, as a raw message that can be read without the server. */
export { deletionOf, envelopeOf, READ_TYPES } from './resources/index.ts'
/** The client, for what writes to a server or is called by one. */
export { openFhirClient, FHIR_LIMITS } from './http/index.ts'
export type { FhirClient, FhirClientOptions, FhirLimits } from './http/index.ts'
/** FHIR R4 as a kind of connector, with its options and what each mode is started with. */
export { fhirKind, polling } from './kind.ts'
export type { StartSubscription } from './kind.ts'
export { FHIR_OPTIONS } from './options.ts'
export type { FhirOptions } from './options.ts'
export { openClient, openServer } from './open-server.ts'
export type { FhirServer, FhirServerOptions } from './open-server.ts'
export { PROFILES, PROFILE_NAMES } from './profiles/index.ts'
export type { FhirProfile, ProfileName } from './profiles/index.ts'
