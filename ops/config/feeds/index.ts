/** Kinds of connectors as configuration sees them. */
export { anyKind } from './any-kind.ts'
export type { AnyKind, Configured, ConfiguredKind, OptionFault, PreparedFeed } from './any-kind.ts'
