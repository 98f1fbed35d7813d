/** What every connector shares. A connector is a `ConnectorKind`: options, a mapper, and a start; the kit does the rest. */
export type { ConnectorContext, ConnectorKind, KeptTable, ListensAt, ResultName, SecretRef } from './connector-kind.ts'
/** The way of a message to the log: mapping, publishing, dead letters. */
export { Feed } from './feed.ts'
export type { FeedOptions, MapContext, MappedEvent, MappedMessage, MessageMapper, RetryGuard } from './feed.ts'
/** A dead letter never undoes what was said of its results since. */
export { LateResults, lateResultsOf } from './late-results.ts'
export type { LateLetter, LateResultsOptions } from './late-results.ts'
/** What a feed's codes, units, times and identifiers mean. */
export { canonicalValue, fixedMapping, identifierOf, IGNORE, meaningOf, passOver, PLAIN_MAPPING } from './mapping.ts'
export type { CodeMapping, CodeMeaning, FeedMapping, MappingTable, UnmappedCode } from './mapping.ts'
/** The mapping of a running feed, and the codes that nothing maps. */
export { LiveMapping } from './mapping-table.ts'
export type { LiveMappingOptions, UnmappedSeen } from './mapping-table.ts'
/** Identities that are not too long, and secrets compared in constant time. */
export { boundedId, isSameSecret } from './digests.ts'
/** Why something was refused, and what was counted. */
export { note } from './outcome.ts'
export type { Fault, Notices, RefusedPart, Superseded, Taken } from './outcome.ts'
/** The intake, and what connectors say to it. */
export type { ArchivedInput, ClockDistance, ClockLooks, Connector, ConnectorHealth, DeviceClock, DeviceClocks, InboundEncounter, InboundEvent, InboundMerge, InboundMessage, InboundObservations, InboundStatement, Intake, PublishOutcome, RefusedInput, SourceIdentity } from './port.ts'
export { openIntake } from './intake.ts'
export type { IntakeOptions, OpenIntake } from './intake.ts'
/** Visits: their numbers as pseudonyms, and where they went. */
export { withVisits } from './visits.ts'
export type { VisitOptions } from './visits.ts'
/** What went wrong on the way to a counterparty, without what it may name. */
export { systemCode } from './system-code.ts'
/** Sources that are read rather than that call. */
export type { Source, SourceMessage, SourceSession } from './source.ts'
export { runSource, SOURCE_LIMITS } from './run-source.ts'
export type { RunSourceOptions, SourceLimits } from './run-source.ts'
/** Which messages were published; what several instances may share. */
export { SEEN_FOR_MS } from './intake.ts'
export type { MessageMark, SeenMessages, SeenVerdict } from './seen-messages.ts'
export { SealedTable } from './sealed-table.ts'
export type { Sealer } from './beds.ts'
/** What came, as JSON. */
export { jsonOf } from './json.ts'
/** Who may listen where. */
export { isLoopback, refuseOpenExposure } from './exposure.ts'
export type { Exposure } from './exposure.ts'
/** NEWS2 and its kin as results: how each is called, its parts, its unit. */
export { CLINICAL_SCORE_NAMES, CLINICAL_SCORES } from './clinical-scores.ts'
export type { ClinicalCode, ClinicalScoreKind, ClinicalScoreName } from './clinical-scores.ts'
/** What goes out: alerts and scores, in order, with a position. */
export type { OutboundAlert, OutboundAlertState, OutboundBatch, OutboundClinicalScore, OutboundItem, OutboundLane, OutboundPart, OutboundPlace, OutboundPriority, OutboundReason, OutboundScore, OutboundSource } from './outbound.ts'
export { valueOfReason } from './outbound.ts'
export { OUTBOUND_LIMITS, runOutbound } from './run-outbound.ts'
export type { Delivery, OutboundLimits, RunOutboundOptions } from './run-outbound.ts'
