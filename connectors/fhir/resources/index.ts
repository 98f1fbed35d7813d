/** FHIR R4 resources to events: pure, coded, without free text. */
export { FHIR_MAPPER_DEFAULTS, fhirMapper } from './mapper.ts'
export type { FhirMapperOptions } from './mapper.ts'
/** What a raw message is, and how one is made: a resource with what it refers to, or a deletion. */
export { deletionOf, envelopeOf, isResource, localReference, readEnvelope, slimPatient } from './envelope.ts'
export type { Envelope, ReadEnvelope, Said } from './envelope.ts'
/** What a resource names, whether it can be mapped or not. */
export { namesOf } from './names.ts'
/** The identifier that a Patient has in the feed's namespaces. */
export { identityOf } from './identity.ts'
/** Types that are read, in their best order. */
export { READ_TYPES, subjectOf } from './readers.ts'
export { parseTime } from './time.ts'
export type { FhirTime } from './time.ts'
export { list, text } from './types.ts'
export type { Bundle, BundleEntry, FhirResource, Patient, Reference } from './types.ts'
