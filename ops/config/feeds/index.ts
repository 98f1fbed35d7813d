/** Kinds of connectors as configuration sees them. */
export { anyKind } from './any-kind.ts'
export type { AnyKind, Configured, ConfiguredKind, OptionFault, PreparedFeed } from './any-kind.ts'
/** The folder of feeds: a file each, and its table of codes. */
export { codesFileOf, FEED_NAME, readCodesOf, readFeed, readFeeds, replaceFile, stampOf, textOf } from './feeds-folder.ts'
export type { FeedRead, LoadedFeed, LoadedFeeds } from './feeds-folder.ts'
export type { FeedDefaults } from './feed-file.ts'
/** The table of codes, read strictly and written with its comments. */
export { codeKey, CODES_HEADER, faultOf, readCodes, removeCode, writeCodes } from './codes-file.ts'
export type { CodeRow, CodesFile } from './codes-file.ts'
/** What is wrong in them, with its place. */
export { feedsInvalid, lineOfFault } from './fault.ts'
export type { FeedFault } from './fault.ts'
