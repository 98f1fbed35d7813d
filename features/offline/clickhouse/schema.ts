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
]
export const SCHEMA_VERSION: number = MIGRATIONS.reduce((newest, { version }) => Math.max(newest, version), 0)
