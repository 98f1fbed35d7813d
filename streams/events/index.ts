/** What the topics carry: event types, their Avro schemas in Confluent's wire format, concepts, units, topics. */
export { CONCEPTS, CONCEPT_IDS, conceptOf, isConceptId, isPossible } from './concepts.ts'
export type { Concept, ConceptId } from './concepts.ts'
export { toCanonical } from './units.ts'
export { TOPICS, topicSpecs } from './topics.ts'
export { readOrRefuse, SchemaBook, subjectOf, unlessPending } from './schema-book.ts'
export type { Codec, Lookup, SchemaBookOptions } from './schema-book.ts'
export type { SchemaRegistry, SchemaStorage, StoredSchema } from './registry.ts'
/** A registry that several instances share, over the Confluent API. */
export { openRemoteRegistry, refuseUnfit } from './remote-registry.ts'
export type { RemoteRegistry, SubjectPlan, SubjectSchema } from './remote-registry.ts'
export { rememberedRegistry } from './remembered-registry.ts'
export { REGISTRY_DEFAULTS } from './registry-client.ts'
export type { RegistryAuth, RegistryOptions } from './registry-client.ts'
export type { RecordSchema } from './schemas.ts'
export { openEventCodecs } from './codecs.ts'
export type { EventCodecs } from './codecs.ts'
export { decodeEvent, patientKeyOf } from './decode-event.ts'
export type { Decoded } from './decode-event.ts'
/** Bedside events without an object for each. */
export { EventReader } from './event-reader.ts'
export { COMPARATORS, DISPOSITION_ACTIONS, DISPOSITION_OUTCOMES, ENCOUNTER_ACTIONS, MOVED_AWAY, MOVED_IN, OBSERVATION_KINDS, QUALITIES, REFUSAL_CAUSES, RESULT_STATUSES, SEXES, STATEMENT_KINDS, STATEMENT_STATUSES } from './types.ts'
export type {
  AcknowledgementEvent, ArchivedMessage, BedsideEvent, Comparator, DeadLetter, DeadLetterRecord, Disposition, DispositionAction, DispositionOutcome, EncounterAction, EncounterEvent, MergeEvent, Observation, ObservationKind, ObservationSet, PatientKey, Quality, RefusalCause, ResultStatus, SealedIdentity, Sex, StatementEvent, StatementKind, StatementStatus, TickEvent, TransferEvent,
} from './types.ts'
