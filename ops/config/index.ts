/** Configuration: environment and flags, parsed once, all defaults in one place. */
export { CONFIG_OPTIONS, DEFAULTS, parseConfig, redacted } from './config.ts'
export type { Config } from './config.ts'
export type { KafkaConfig, RegistryConfig } from './kafka.ts'
export type { RedisConfig } from './redis.ts'
export type { ClickHouseConfig, TiersConfig } from './clickhouse.ts'
export { isLoopback } from '../../connectors/kit/index.ts'
/** Feeds as files: a kind of connector with its options, a mapping, a table of codes. */
export {
  anyKind, codeKey, CODES_HEADER, codesFileOf, faultOf, FEED_NAME, feedsInvalid, lineOfFault, readCodes, readCodesOf, readFeed, readFeeds, removeCode, replaceFile, stampOf, textOf, writeCodes,
} from './feeds/index.ts'
export type { AnyKind, CodeRow, CodesFile, Configured, ConfiguredKind, FeedDefaults, FeedFault, FeedRead, LoadedFeed, LoadedFeeds, OptionFault, PreparedFeed } from './feeds/index.ts'
