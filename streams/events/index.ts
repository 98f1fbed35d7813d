/** What the topics carry: event types, their Avro schemas in Confluent's wire format, concepts, units, topics. */
export { CONCEPTS, CONCEPT_IDS, conceptOf, isConceptId, isPossible } from './concepts.ts'
export type { Concept, ConceptId } from './concepts.ts'
export { toCanonical } from './units.ts'
export { TOPICS, topicSpecs } from './topics.ts'
export { SchemaBook } from './schema-book.ts'
export type { Codec, SchemaStorage, StoredSchema } from './schema-book.ts'
export type { RecordSchema } from './schemas.ts'
export { decodeEvent, openEventCodecs, patientKeyOf } from './codecs.ts'
export type { Decoded, EventCodecs } from './codecs.ts'
export { COMPARATORS, ENCOUNTER_ACTIONS, OBSERVATION_KINDS, QUALITIES, REFUSAL_CAUSES, RESULT_STATUSES, SEXES } from './types.ts'
export type {
  AcknowledgementEvent, BedsideEvent, Comparator, DeadLetter, EncounterAction, EncounterEvent, Observation, ObservationKind, ObservationSet, PatientKey, Quality, RefusalCause, ResultStatus, Sex, TickEvent,
} from './types.ts'
