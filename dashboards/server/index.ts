/** The dashboards' server: pages, JSON API with OpenAPI, live stream, metrics, health. */
export { startDashboards, buildDashboards } from './server.ts'
export type { Dashboards, DashboardOptions } from './server.ts'
/** Features online alone, without pages: serving that scales apart from the engine. */
export { buildFeatureServer, startFeatureServer } from './feature-server.ts'
export type { FeatureServerOptions } from './feature-server.ts'
/** What the server reads; the composition root implements it. */
export type {
  DashboardSources, PatientIdentity, PatientAlert, PatientSearch, PatientSummary, LatestReading, ViewInfo, ViewValues,
  PipelineStatus, LogStatus, TopicStatus, ProcessorStatus, ConnectorStatus, DeadLetterInfo, AcknowledgeOutcome,
} from './sources.ts'
/** Feeds and dead letters, which the pages change too. */
export type {
  CodeSaid, CodesOutcome, CodesPage, CodeToMap, ConceptInfo, DeadLetterDesk, DispositionInfo, DropRound, FeedConfiguration, FeedDesk, FeedInfo, HealthInfo, LetterFilter, LetterInfo, LetterOutcome, LetterPage, MapCodeOutcome, MappedCode, ReloadReport, RetryRound, UnmappedInfo,
} from './feed-sources.ts'
export type { DashboardLogger } from './logger.ts'
export { LIVE_DEFAULTS } from './live.ts'
export type { LiveOptions } from './live.ts'
/** Who needs eyes, and is therefore on the board. */
export { belongsOnBoard } from './board.ts'
/** Codes of `error.code` in the API's answers. */
export { API_ERROR_CODES } from './api-error.ts'
export type { ApiErrorCode } from './api-error.ts'
