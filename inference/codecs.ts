import type { SchemaBook } from '../streams/events/index.ts'
import { TOPICS } from '../streams/events/index.ts'
import type { RecordCursor } from '../streams/log/index.ts'
import type { AlertChange, DriftResult, Score } from './alerts/index.ts'
import type { DriftCounts } from './monitors/index.ts'
import { ALERT_SCHEMA, DRIFT_COUNTS_SCHEMA, DRIFT_SCHEMA, SCORE_SCHEMA } from './schemas.ts'

export interface InferenceCodecs {
  encodeScore (score: Score): Buffer
  encodeAlert (change: AlertChange): Buffer
  encodeDriftCounts (counts: DriftCounts): Buffer
  encodeDrift (result: DriftResult): Buffer
  /** Any of the four, by its schema. Throws SCHEMA_UNKNOWN or PAYLOAD_INVALID. */
  decode (record: RecordCursor): unknown
}

export async function openInferenceCodecs (book: SchemaBook): Promise<InferenceCodecs> {
  const score = await book.codec<Score>(TOPICS.scores, SCORE_SCHEMA)
  const alert = await book.codec<AlertChange>(TOPICS.alerts, ALERT_SCHEMA)
  const counts = await book.codec<DriftCounts>(TOPICS.driftCounts, DRIFT_COUNTS_SCHEMA)
  const drift = await book.codec<DriftResult>(TOPICS.drift, DRIFT_SCHEMA)
  return {
    encodeScore: value => score.encode(value),
    encodeAlert: value => alert.encode(value),
    encodeDriftCounts: value => counts.encode(value),
    encodeDrift: value => drift.encode(value),
    decode: ({ valueBuffer, valueStart, valueEnd }) => book.decode(valueBuffer, valueStart, valueEnd),
  }
}
