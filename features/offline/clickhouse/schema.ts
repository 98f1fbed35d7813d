/** One step of the schema. Each statement may run twice without harm: ClickHouse has no transaction over several. */
export interface Migration { readonly version: number, readonly name: string, readonly up: readonly string[], readonly down: readonly string[] }

const TIME = "DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1))"
const NUMBER = 'Float64 CODEC(Gorilla, ZSTD(1))'
const NAME = 'LowCardinality(String)'
const TEXT = 'String CODEC(ZSTD(1))'
const POSITION = '`partition` UInt32 CODEC(T64, ZSTD(1)), `offset` Int64 CODEC(Delta, ZSTD(1))'

/**
 * Rows with the same sorting key are one row, and every key ends in the log's position: an insert that comes twice counts once.
 * Such rows have the same arrival time and so lie in the same monthly part. Parts are on disk before an insert is answered
 * (fsync), as the log's offsets are committed after it.
 */
function table (name: string, columns: string, month: string, key: string): string {
  return `CREATE TABLE IF NOT EXISTS ${name} (${columns}, ${POSITION}) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(${month}) ORDER BY (${key}, \`partition\`, \`offset\`)
    SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1`
}

/** The minute of event time that a reading belongs to. */
export const MINUTE_OF_EVENT = "fromUnixTimestamp64Milli(intDiv(toUnixTimestamp64Milli(event_time), 60000) * 60000, 'UTC')"
/** Minutes of dense series that rows of `observations` touch. A sparse reading has an identity and may move to another minute: it is not rolled up. */
const MINUTES_TOUCHED = `SELECT patient, concept, ${MINUTE_OF_EVENT} AS minute, now64(3, 'UTC') AS noted_at FROM observations WHERE result_id = '' GROUP BY patient, concept, minute`

export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'observations, encounters, features',
    up: [
      `CREATE TABLE IF NOT EXISTS observations (patient String CODEC(ZSTD(1)), concept ${NAME}, event_time ${TIME}, arrival_time ${TIME}, value ${NUMBER}, comparator ${NAME}, status ${NAME}, quality ${NAME},
        kind ${NAME}, source ${NAME}, result_id ${TEXT}, ${POSITION}, \`index\` UInt32 CODEC(T64, ZSTD(1)))
        ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(arrival_time) ORDER BY (patient, concept, event_time, \`partition\`, \`offset\`, \`index\`)
        SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1`,
      table('encounters', `patient ${TEXT}, action ${NAME}, event_time ${TIME}, arrival_time ${TIME}, source ${NAME}, ward ${NAME}, bed ${NAME}, age_years Float64, sex ${NAME}, hours_since_hospital_admission Float64`, 'arrival_time', 'patient, arrival_time'),
      table('features', `patient ${TEXT}, view ${NAME}, version UInt32, as_of ${TIME}, arrival_time ${TIME}, trigger ${NAME}, values Array(Float64) CODEC(ZSTD(1)), times Array(Float64) CODEC(ZSTD(1))`, 'arrival_time', 'view, version, patient, as_of'),
      `CREATE TABLE IF NOT EXISTS feature_names (view ${NAME}, version UInt32, names Array(String), units Array(String)) ENGINE = ReplacingMergeTree ORDER BY (view, version)`,
    ],
    down: ['feature_names', 'features', 'encounters', 'observations'].map(name => `DROP TABLE IF EXISTS ${name} SYNC`),
  },
  {
    version: 2,
    name: 'scores, alerts, drift, dead letters',
    up: [
      table('scores', `patient ${TEXT}, model ${NAME}, model_version ${NAME}, view ${NAME}, view_version Int64, as_of ${TIME}, arrival_time ${TIME}, probability ${NUMBER}, present_share ${NUMBER}, reasons ${TEXT}`, 'arrival_time', 'patient, model, model_version, as_of'),
      table('alerts', `patient ${TEXT}, alert_id ${TEXT}, rule ${NAME}, priority ${NAME}, state ${NAME}, raised_at ${TIME}, changed_at ${TIME}, onset_event_time ${TIME}, arrival_time ${TIME}, value Float64, threshold Float64,
        missing Array(String), reasons ${TEXT}, acknowledged_by ${TEXT}, basis ${NAME}`, 'arrival_time', 'patient, changed_at, alert_id, state'),
      table('drift', `patient ${TEXT}, view ${NAME}, view_version Int64, feature ${NAME}, window_start ${TIME}, window_end ${TIME}, arrival_time ${TIME}, count Int64, psi Float64, threshold Float64, alarm Bool,
        missing_share Float64, reference_missing_share Float64`, 'arrival_time', 'view, view_version, feature, window_start'),
      table('dead_letters', `cause ${NAME}, detail ${TEXT}, source ${NAME}, met_partition Int64, met_offset Int64, refused_at ${TIME}, raw_bytes UInt32`, 'refused_at', 'refused_at, cause'),
    ],
    down: ['dead_letters', 'drift', 'alerts', 'scores'].map(name => `DROP TABLE IF EXISTS ${name} SYNC`),
  },
  {
    version: 3,
    name: 'merges, and what caused a vector',
    up: [
      table('merges', `patient ${TEXT}, survivor ${TEXT}, event_time ${TIME}, arrival_time ${TIME}, source ${NAME}`, 'arrival_time', 'patient, arrival_time'),
      `ALTER TABLE features ADD COLUMN IF NOT EXISTS through Int64 DEFAULT -1 CODEC(Delta, ZSTD(1)), ADD COLUMN IF NOT EXISTS entity ${NAME} DEFAULT 'patient'`,
    ],
    down: ['ALTER TABLE features DROP COLUMN IF EXISTS entity, DROP COLUMN IF EXISTS through', 'DROP TABLE IF EXISTS merges SYNC'],
  },
  {
    version: 4,
    name: 'minutes of dense observations',
    up: [
      `CREATE TABLE IF NOT EXISTS observation_minutes (patient ${TEXT}, concept ${NAME}, minute ${TIME}, count UInt32 CODEC(T64, ZSTD(1)), sum ${NUMBER}, min ${NUMBER}, max ${NUMBER},
        last ${NUMBER}, last_event_time ${TIME}, last_arrival_time ${TIME}, last_kind ${NAME}, rolled_at ${TIME})
        ENGINE = ReplacingMergeTree(rolled_at) PARTITION BY toYYYYMM(minute) ORDER BY (patient, concept, minute) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`,
      `CREATE TABLE IF NOT EXISTS observation_minutes_due (patient ${TEXT}, concept ${NAME}, minute ${TIME}, noted_at ${TIME})
        ENGINE = ReplacingMergeTree(noted_at) PARTITION BY toYYYYMMDD(noted_at) ORDER BY (patient, concept, minute) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`,
      `CREATE TABLE IF NOT EXISTS observation_minutes_through (id UInt8, through ${TIME}) ENGINE = ReplacingMergeTree(through) ORDER BY id SETTINGS fsync_after_insert = 1`,
      `CREATE MATERIALIZED VIEW IF NOT EXISTS observation_minutes_note TO observation_minutes_due AS ${MINUTES_TOUCHED}`,
      // What was stored before this version is due once.
      `INSERT INTO observation_minutes_due ${MINUTES_TOUCHED}`,
    ],
    down: ['observation_minutes_note', 'observation_minutes_due', 'observation_minutes_through', 'observation_minutes'].map(name => `DROP TABLE IF EXISTS ${name} SYNC`),
  },
  {
    version: 5,
    name: 'statements',
    up: [table('statements', `patient ${TEXT}, kind ${NAME}, statement_id ${TEXT}, status ${NAME}, system ${NAME}, code ${TEXT}, event_time ${TIME}, end_time ${TIME}, arrival_time ${TIME}, value Float64, unit ${NAME}, source ${NAME}`, 'arrival_time', 'patient, kind, statement_id, arrival_time')],
    down: ['DROP TABLE IF EXISTS statements SYNC'],
  },
]
export const SCHEMA_VERSION: number = MIGRATIONS.reduce((newest, { version }) => Math.max(newest, version), 0)
