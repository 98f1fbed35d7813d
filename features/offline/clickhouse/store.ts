import { createHash } from 'node:crypto'
import type { ConceptId, PatientKey } from '../../../streams/events/index.ts'
import type { ArrivalTimeMs, Clock, EventTimeMs } from '../../../streams/time/index.ts'
import type { OfflineBatch, OfflineStore, ScorePoint, TrendPoint } from '../port.ts'
import { ClickHouseConnection } from './connection.ts'
import { migrate } from './migrate.ts'
import { ALERT_HISTORY, DRIFT_HISTORY, SCORES, TRENDS, TRENDS_BY_MINUTE, bucketMsOf } from './reads.ts'
import { rollUp } from './rollup.ts'
import { RowBinaryWriter } from './row-binary.ts'
import { SCHEMA_VERSION } from './schema.ts'
import { applyTiers } from './tiers.ts'
import type { Tiers } from './tiers.ts'
import { TABLE_WRITERS } from './tables.ts'
import type { TableWriter } from './tables.ts'

/** What the parts around the tables need of a connection. */
export type OfflineSql = Pick<ClickHouseConnection, 'command' | 'rows' | 'load' | 'bytes' | 'database'>

export interface ClickHouseOfflineOptions {
  /** `http://127.0.0.1:8123`, or a function that says it anew: `() => engine.url`. */
  readonly url: string | (() => string)
  readonly username: string
  /** The user's password, or the embedded engine's token. */
  readonly password: string
  readonly clock: Clock
  /** Default `latido`; made where it is missing. */
  readonly database?: string
  /** gzip both ways, for a server at a distance. Default false. */
  readonly compress?: boolean
  /** Default 60 s. */
  readonly requestTimeoutMs?: number
  /** PEM of the authority of the server's certificate; default: the machine's own. */
  readonly caCertificate?: Buffer
  /** Default: everything for ever. */
  readonly tiers?: Tiers
}

/** The offline store, with what only ClickHouse's has. */
export interface ClickHouseOffline extends OfflineStore {
  /** The names and units of a view's features, in the order of its vectors. */
  registerView (name: string, version: number, names: readonly string[], units: readonly string[]): Promise<void>
  /** Brings the schema to a version, up or down. Answers the version that it found. */
  migrateTo (version: number): Promise<number>
  /** Computes the one-minute rollups of what has come since the last time; exact, and the same when repeated. Answers how many minutes. Long trends use them while this is called at least each ten minutes. */
  rollUp (): Promise<number>
  /** Statements of our own making: data sets, exports. Rows that came twice show twice, unless `final` is asked for. */
  readonly sql: OfflineSql
}

/** An insert is at most about this large: a block of the engine's memory, a file of its spool. */
const INSERT_BYTES_MAX = 16 * 1024 * 1024

const MINUTE_MS = 60_000
/** Rollups older than this are not used: readings since would be missing. */
const ROLLED_WITHIN_MS = 600_000

type Row = Readonly<Record<string, unknown>>

/**
 * Opens a ClickHouse (a server or the embedded engine) as the offline store and brings its schema and its tiers up to date.
 * Throws OFFLINE_UNAVAILABLE (no answer), OFFLINE_QUERY_FAILED (refused), SCHEMA_INCOMPATIBLE (its schema is newer than this code), CONFIG_INVALID (a tier).
 */
export async function openClickHouseOffline (options: ClickHouseOfflineOptions): Promise<ClickHouseOffline> {
  const { url, username, password, clock, database = 'latido', compress = false, requestTimeoutMs = 60_000, caCertificate, tiers = {} } = options
  const connection = new ClickHouseConnection({ url, username, password, database, compress, requestTimeoutMs, ...(caCertificate === undefined ? {} : { caCertificate }) })
  try {
    await migrate(connection, clock)
    await applyTiers(connection, tiers)
  } catch (e) {
    await connection[Symbol.asyncDispose]()
    throw e
  }
  return new ClickHouseOfflineStore(connection, clock, tiers)
}

class ClickHouseOfflineStore implements ClickHouseOffline {
  readonly #connection: ClickHouseConnection
  readonly #clock: Clock
  #rolledAtMs = Number.NEGATIVE_INFINITY
  readonly #tiers: Tiers
  constructor (connection: ClickHouseConnection, clock: Clock, tiers: Tiers) { this.#connection = connection; this.#clock = clock; this.#tiers = tiers }

  get sql (): OfflineSql { return this.#connection }

  async write (batch: OfflineBatch): Promise<void> {
    await this.#insert(TABLE_WRITERS.observations, batch.observations)
    await this.#insert(TABLE_WRITERS.encounters, batch.encounters)
    await this.#insert(TABLE_WRITERS.statements, batch.statements)
    await this.#insert(TABLE_WRITERS.merges, batch.merges)
    await this.#insert(TABLE_WRITERS.vectors, batch.vectors)
    await this.#insert(TABLE_WRITERS.scores, batch.scores)
    await this.#insert(TABLE_WRITERS.alerts, batch.alerts)
    await this.#insert(TABLE_WRITERS.drift, batch.drift)
    await this.#insert(TABLE_WRITERS.deadLetters, batch.deadLetters)
  }

  async #insert<Row> (writer: TableWriter<Row>, rows: readonly Row[]): Promise<void> {
    if (rows.length === 0) return
    const out = new RowBinaryWriter()
    for (const row of rows) {
      writer.write(out, row)
      if (out.bytes >= INSERT_BYTES_MAX) { await this.#send(writer, out.written()); out.clear() }
    }
    await this.#send(writer, out.written())
  }

  async #send<Row> (writer: TableWriter<Row>, rows: Buffer): Promise<void> {
    if (rows.length > 0) await this.#connection.insert(writer.table, writer.columns, rows, tokenOf(rows))
  }

  async trends (patient: PatientKey, concepts: readonly ConceptId[], from: EventTimeMs, to: EventTimeMs, pointsMax: number): Promise<readonly TrendPoint[]> {
    if (concepts.length === 0 || to <= from) return []
    const interval = wholeInterval(from, to)
    const bucketMs = bucketMsOf(interval.from, interval.to, pointsMax)
    const rows = bucketMs >= MINUTE_MS && this.#clock.monotonicMs() - this.#rolledAtMs < ROLLED_WITHIN_MS
      ? await this.#connection.rows(TRENDS_BY_MINUTE, { patient, concepts, from: Math.floor(interval.from / MINUTE_MS) * MINUTE_MS, to: interval.to, bucketMs: Math.ceil(bucketMs / MINUTE_MS) * MINUTE_MS })
      : await this.#connection.rows(TRENDS, { patient, concepts, ...interval, bucketMs })
    return rows as unknown as readonly TrendPoint[]
  }

  async scores (patient: PatientKey, from: ArrivalTimeMs, to: ArrivalTimeMs, pointsMax: number): Promise<readonly ScorePoint[]> {
    if (to <= from) return []
    const interval = wholeInterval(from, to)
    const rows = await this.#connection.rows(SCORES, { patient, ...interval, bucketMs: bucketMsOf(interval.from, interval.to, pointsMax) })
    return rows as unknown as readonly ScorePoint[]
  }

  async alertHistory (patient: PatientKey | undefined, limit: number): Promise<readonly Row[]> {
    const rows = await this.#connection.rows(ALERT_HISTORY, { patient: patient ?? '', limit })
    return rows.map(row => ({ ...row, reasons: JSON.parse(String(row['reasons'])) as unknown }))
  }

  driftHistory (limit: number): Promise<readonly Row[]> { return this.#connection.rows(DRIFT_HISTORY, { limit }) }

  query (sql: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<readonly Row[]> { return this.#connection.rows(sql, parameters) }

  async registerView (name: string, version: number, names: readonly string[], units: readonly string[]): Promise<void> {
    const out = new RowBinaryWriter()
    out.text(name)
    out.uint32(version)
    out.texts(names)
    out.texts(units)
    await this.#connection.insert('feature_names', ['view', 'version', 'names', 'units'], out.written(), tokenOf(out.written()))
  }

  migrateTo (version: number): Promise<number> { return migrate(this.#connection, this.#clock, Math.min(version, SCHEMA_VERSION)) }

  async rollUp (): Promise<number> {
    const startedMs = this.#clock.monotonicMs()
    const computed = await rollUp(this.#connection, this.#tiers.deviceMs === undefined ? 0 : Math.max(0, Math.floor(this.#clock.now() - this.#tiers.deviceMs)))
    this.#rolledAtMs = startedMs
    return computed
  }

  async [Symbol.asyncDispose] (): Promise<void> { await this.#connection[Symbol.asyncDispose]() }
}

/** Rows carry their positions in the log, so equal bytes are the same rows, sent again. */
function tokenOf (rows: Buffer): string { return createHash('sha256').update(rows).digest('base64url') }

function wholeInterval (from: number, to: number): { readonly from: number, readonly to: number } { return { from: Math.floor(from), to: Math.ceil(to) } }
