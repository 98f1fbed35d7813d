/** The closed list of operating failures; each has its entry in docs/errors.md (tested). */
export const ERROR_CODES = [
  'CONFIG_INVALID', 'PORT_IN_USE', 'DATA_DIR_UNWRITABLE', 'DATA_DIR_IN_USE', 'KEY_MISMATCH', 'STORE_CORRUPT', 'STORE_WRITE_FAILED', 'UNSAFE_EXPOSURE', 'UNSAFE_CREDENTIALS', 'CREDENTIALS_EXPIRED',
  'TOPIC_UNKNOWN', 'TOPIC_MISMATCH', 'PRODUCER_FENCED', 'MEMBER_FENCED', 'TRANSACTION_ABORTED', 'OFFSET_OUT_OF_RANGE', 'LOG_CLOSED', 'LOG_WRITE_FAILED', 'RECORD_TOO_LARGE', 'BATCH_CORRUPT',
  'SCHEMA_UNKNOWN', 'SCHEMA_INCOMPATIBLE', 'SCHEMA_UNSUPPORTED', 'SCHEMA_ID_CHANGED', 'PAYLOAD_INVALID', 'REGISTRY_UNREACHABLE', 'REGISTRY_REFUSED', 'REGISTRY_MISMATCH', 'NOT_PROVISIONED',
  'BROKER_UNREACHABLE', 'BROKER_TOO_OLD', 'BROKER_AUTHENTICATION_FAILED', 'BROKER_REFUSED', 'KAFKA_DRIVER_MISSING',
  'VIEW_INVALID', 'VIEW_CHANGED', 'VIEW_RETIRED', 'VIEW_IN_USE', 'VIEW_UNKNOWN', 'FEATURE_UNKNOWN', 'SERVICE_INVALID', 'SERVICE_UNKNOWN', 'SELECTION_INVALID', 'TOO_MANY_ENTITIES', 'SNAPSHOT_INVALID',
  'MODEL_INVALID', 'SCORER_FAILED', 'WORKER_FAILED', 'OFFLINE_UNAVAILABLE', 'OFFLINE_QUERY_FAILED', 'ONLINE_UNAVAILABLE', 'ONLINE_DENIED', 'ONLINE_READ_ONLY', 'ONLINE_FULL', 'ONLINE_FOREIGN_DATA',
  'FILE_UNREADABLE', 'FILE_INVALID', 'SOURCE_UNAVAILABLE', 'CONNECTOR_INVALID', 'MESSAGE_CLAIMED', 'INSTANCE_UNREACHABLE', 'INSTANCE_REFUSED', 'BENCH_UNKNOWN', 'NOT_BUILT',
  'LABELS_INVALID', 'DATASET_UNKNOWN', 'DATASET_EXISTS', 'DATASET_DAMAGED', 'LAKE_UNREACHABLE',
  'FHIR_UNREACHABLE', 'FHIR_REFUSED', 'FHIR_INVALID',
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]

/** An operating failure: `message` says what happened, `action` what an operator does about it. Neither holds patient data. */
export class LatidoError extends Error {
  readonly code: ErrorCode
  readonly action: string
  constructor (code: ErrorCode, message: string, action: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'LatidoError'
    this.code = code
    this.action = action
  }
}

export function isLatidoError (e: unknown): e is LatidoError { return e instanceof LatidoError }

export function messageOf (e: unknown): string { return e instanceof Error ? e.message : String(e) }

/** A programmer's error: crash, restart from the snapshot. */
export function assert (condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`)
}
