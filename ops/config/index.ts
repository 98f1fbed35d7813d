/** Configuration: environment and flags, parsed once, all defaults in one place. */
export { CONFIG_OPTIONS, DEFAULTS, parseConfig, redacted } from './config.ts'
export type { Config } from './config.ts'
export type { KafkaConfig, RegistryConfig } from './kafka.ts'
export type { RedisConfig } from './redis.ts'
export type { ClickHouseConfig, TiersConfig } from './clickhouse.ts'
export { isLoopback } from './loopback.ts'
