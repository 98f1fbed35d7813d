/** What a connector of your own imports, as `latido/connectors`. */
/** A connector is a kind: options, a mapper and a start. */
export { canonicalValue, identifierOf, IGNORE, jsonOf, meaningOf, note, passOver, runSource } from './kit/index.ts'
export type {
  CodeMapping, CodeMeaning, Connector, ConnectorContext, ConnectorHealth, ConnectorKind, Fault, Feed, FeedMapping, InboundEvent, InboundMerge, KeptTable, MapContext, MappedEvent, MappedMessage, MessageMapper, Notices, RefusedPart,
  SecretRef, Source, SourceIdentity, SourceLimits, SourceMessage, SourceSession, Taken,
} from './kit/index.ts'
/** What stands on the log. */
export { CONCEPTS, CONCEPT_IDS, isPossible } from '../streams/events/index.ts'
export type { ConceptId, EncounterEvent, Observation, ObservationSet, RefusalCause, StatementEvent } from '../streams/events/index.ts'
/** Failures that an operator can mend. */
export { LatidoError } from '../streams/errors/index.ts'
export type { Clock } from '../streams/time/index.ts'
/** Checks of options and of what comes. */
export { z } from 'zod'
