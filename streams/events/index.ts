/** What the topics carry: event types, their Avro schemas in Confluent's wire format, concepts, units, topics. */
export { CONCEPTS, CONCEPT_IDS, conceptOf, isConceptId, isPossible } from './concepts.ts'
export type { Concept, ConceptId } from './concepts.ts'
export { toCanonical } from './units.ts'
export { TOPICS, topicSpecs } from './topics.ts'
export { SchemaBook, subjectOf, unlessPending } from './schema-book.ts'
export type { Codec, Lookup, SchemaBookOptions } from './schema-book.ts'
export type { SchemaRegistry, SchemaStorage, StoredSchema } from './registry.ts'
/** A registry that several instances share, over the Confluent API. */
export { openRemoteRegistry, refuseUnfit } from './remote-registry.ts'
export type { RemoteRegistry, SubjectPlan, SubjectSchema } from './remote-registry.ts'
export { rememberedRegistry } from './remembered-registry.ts'
export { REGISTRY_DEFAULTS } from './registry-client.ts'
export type { RegistryAuth, RegistryOptions } from './registry-client.ts'
export type { RecordSchema } from './schemas.ts'
export { decodeEvent, openEventCodecs, patientKeyOf } from './codecs.ts'
export type { Decoded, EventCodecs } from './codecs.ts'
export { COMPARATORS, ENCOUNTER_ACTIONS, OBSERVATION_KINDS, QUALITIES, REFUSAL_CAUSES, RESULT_STATUSES, SEXES } from './types.ts'
export type {
  AcknowledgementEvent, BedsideEvent, Comparator, DeadLetter, EncounterAction, EncounterEvent, Observation, ObservationKind, ObservationSet, PatientKey, Quality, RefusalCause, ResultStatus, Sex, TickEvent,
} from './types.ts'
