/** FHIR R4: resources to events, and a client that reads servers by polling and by bulk export. */
export { fhirMapper, FHIR_MAPPER_DEFAULTS } from './resources/index.ts'
export type { FhirMapperOptions } from './resources/index.ts'
/** One resource, or a deletion, as a raw message that can be read without the server. */
export { deletionOf, envelopeOf, READ_TYPES } from './resources/index.ts'
/** Files of resources, as bulk exports are: each line as a message of its own. */
export { NdjsonReferences } from './ndjson-references.ts'
export { newestFirst } from './newest-first.ts'
/** The client, for what writes to a server or is called by one. */
export { openFhirClient, FHIR_LIMITS } from './http/index.ts'
export type { FhirClient, FhirClientOptions, FhirLimits } from './http/index.ts'
/** FHIR R4 as a kind of connector, with its options and what each mode is started with. */
export { fhirConnector } from './connector.ts'
export { fhirKind, polling } from './kind.ts'
export type { StartSubscription } from './kind.ts'
export { FHIR_OPTIONS } from './options.ts'
export type { FhirOptions } from './options.ts'
export { openClient, openServer } from './open-server.ts'
export type { FhirServer, FhirServerOptions } from './open-server.ts'
export { PROFILES, PROFILE_NAMES } from './profiles/index.ts'
export type { FhirProfile, ProfileName } from './profiles/index.ts'
/** The mode in which a server calls: `fhirKind({ subscription: startSubscription })`. */
export { startSubscription } from './subscriptions/start.ts'
/** Alerts and scores to a FHIR server. */
export { startFhirWriteBack } from './write-back/start.ts'
export type { FhirWriteBackParts } from './write-back/start.ts'
export { writeBackOptions } from './write-back/options.ts'
export type { WriteBackOptions } from './write-back/options.ts'
/** What an EHR shows of a patient when a chart is opened. */
export { startCdsHooks } from './cds-hooks/service.ts'
export type { CdsHooksParts } from './cds-hooks/service.ts'
export { cdsHooksOptions } from './cds-hooks/options.ts'
export type { CdsHooksOptions } from './cds-hooks/options.ts'
export type { PatientStanding, PatientStandings, StandingAlert } from './cds-hooks/standing.ts'
