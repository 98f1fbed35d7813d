/** Reading features online: columns of values with presence, event time and age, the time to live applied; as JSON or binary. */
/** How a vector stands in the online store, and one view's features as objects. */
export { onlineValue, readView, tableOf } from './reader.ts'
export type { ServedVector } from './reader.ts'
/** The in-process client: several views, single features, or a feature service, for a batch of entities. */
export { FeatureReader, SERVING_LIMITS } from './feature-reader.ts'
export type { FeatureQuery, FeatureReaderParts } from './feature-reader.ts'
/** Rows stay in memory until they are written: for a store that one process has to itself. */
export { RESIDENT_ENTITIES_MAX, residentStore } from './resident-store.ts'
/** What is served, and what a caller's names mean. */
export { FEATURES_MAX, ServingCatalogue } from './catalogue.ts'
export type { BareNames, FeatureService, Selection, ViewSelection } from './catalogue.ts'
/** What was read. */
export { FeatureTable, REASONS } from './feature-table.ts'
export type { EntityView, Reason, ReasonedValue, ViewColumns } from './feature-table.ts'
/** Counts of what is served, for metrics. */
export { Buckets, ServingTally, ViewTally } from './tally.ts'
/** The two forms of an answer. */
export { encodeJson } from './encode-json.ts'
export { BINARY_MAGIC, BINARY_MEDIA_TYPE, decodeBinary, encodeBinary } from './encode-binary.ts'
export type { BinaryHead } from './encode-binary.ts'
/** The standard feature services. */
export { STANDARD_SERVICES } from './standard-services.ts'
