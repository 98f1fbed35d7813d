import { Readable } from 'node:stream'
import { ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client'
import { LatidoError, messageOf } from '../../../streams/errors/index.ts'

export interface ConnectionOptions {
  /** `http://host:port`, or what answers it now: an engine that was started again may have another port. */
  readonly url: string | (() => string)
  readonly username: string
  /** Password, or the embedded engine's token. */
  readonly password: string
  readonly database: string
  /** For a server at a distance: gzip both ways. */
  readonly compress: boolean
  readonly requestTimeoutMs: number
  /** PEM of the authority of the server's certificate; default: the machine's own. */
  readonly caCertificate?: Buffer
}

type Row = Readonly<Record<string, unknown>>
type Parameters = Readonly<Record<string, unknown>>

/**
 * Codes of ClickHouse that pass: too many queries or parts, memory, timeout, network, disk full, shutting down, read-only, authentication
 * being changed. https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
 */
const PASSING_CODES: ReadonlySet<string> = new Set(['159', '160', '202', '203', '209', '210', '236', '241', '242', '243', '252', '319', '364', '425', '439', '516', '999', '1000', '1001', '1002'])

/** A query of ours never carries a value into a message: code and type only. */
function refused (e: ClickHouseError): LatidoError {
  const row = /\bat row (\d+)/.exec(e.message)?.[1]
  const what = `code ${e.code}${e.type === undefined ? '' : ` (${e.type})`}${row === undefined ? '' : ` at row ${row}`}`
  if (PASSING_CODES.has(e.code)) return new LatidoError('OFFLINE_UNAVAILABLE', `ClickHouse cannot do it now: ${what}`, 'look at the ClickHouse server; what was not written is kept and written later')
  return new LatidoError('OFFLINE_QUERY_FAILED', `ClickHouse refused the statement: ${what}`, 'look the code up in ClickHouse\'s list of errors; check the statement and the schema')
}

function away (e: unknown): LatidoError {
  const code = e instanceof Error && 'code' in e && typeof e.code === 'string' ? e.code : messageOf(e).split('\n')[0]?.slice(0, 60) ?? ''
  return new LatidoError('OFFLINE_UNAVAILABLE', `ClickHouse does not answer (${code})`, 'start it or check its address; what was not written is kept and written later')
}

/** @clickhouse/client, with our errors, our settings, and its own logging off (it logs statements). */
export class ClickHouseConnection implements AsyncDisposable {
  readonly #options: ConnectionOptions
  #client: ClickHouseClient | undefined
  #clientUrl = ''
  constructor (options: ConnectionOptions) { this.#options = options }

  get database (): string { return this.#options.database }

  #use (): ClickHouseClient {
    const { url, username, password, compress, requestTimeoutMs, caCertificate } = this.#options
    const now = typeof url === 'string' ? url : url()
    if (this.#client === undefined || now !== this.#clientUrl) {
      void this.#client?.close()
      this.#client = createClient({ url: now, username, password, request_timeout: requestTimeoutMs, max_open_connections: 8, compression: { request: compress, response: compress }, log: { level: ClickHouseLogLevel.OFF }, ...(caCertificate === undefined ? {} : { tls: { ca_cert: caCertificate } }) })
      this.#clientUrl = now
    }
    return this.#client
  }

  async #do<T> (work: (client: ClickHouseClient) => Promise<T>): Promise<T> {
    try {
      return await work(this.#use())
    } catch (e) {
      throw e instanceof ClickHouseError ? refused(e) : away(e)
    }
  }

  #settings (more: ClickHouseSettings): ClickHouseSettings { return { ...more, database: this.#options.database } as ClickHouseSettings }

  /** A statement without an answer; `outside` any database. */
  command (query: string, options: { readonly parameters?: Parameters, readonly outside?: boolean } = {}): Promise<void> {
    return this.#do(async client => {
      const { parameters, outside } = options
      await client.command({ query, clickhouse_settings: outside === true ? {} : this.#settings({}), ...(parameters === undefined ? {} : { query_params: { ...parameters } }) })
    })
  }

  /** Rows of a query. Duplicates never show: `final` reads every table as if it were merged. Nothing can be written or set in it. */
  rows (query: string, parameters: Parameters, settings: ClickHouseSettings = {}): Promise<readonly Row[]> {
    return this.#do(async client => {
      const result = await client.query({ query, query_params: { ...parameters }, format: 'JSONEachRow', clickhouse_settings: this.#settings({ final: 1, do_not_merge_across_partitions_select_final: 1, output_format_json_quote_64bit_integers: 0, readonly: '1', ...settings }) })
      return await result.json<Row>()
    })
  }

  /** Inserts rows in RowBinary. The same rows with the same token again change nothing. */
  insert (table: string, columns: readonly string[], rows: Buffer, token: string): Promise<void> {
    return this.#do(async client => {
      const names = columns.map(name => `\`${name}\``).join(', ')
      const { stream } = await client.exec({ query: `INSERT INTO ${table} (${names}) FORMAT RowBinary`, values: Readable.from([rows], { objectMode: false }), clickhouse_settings: this.#settings({ insert_deduplication_token: token, async_insert: 0 }) })
      for await (const _ of stream) { /* an insert answers nothing */ }
    })
  }

  /** Inserts a body in a format of ClickHouse's; `into` is a table with its columns, or a table function. Throws OFFLINE_QUERY_FAILED with the row where the format says one. */
  load (into: string, format: string, body: Readable, options: { readonly parameters?: Parameters, readonly settings?: ClickHouseSettings } = {}): Promise<void> {
    return this.#do(async client => {
      const { stream } = await client.exec({ query: `INSERT INTO ${into} FORMAT ${format}`, values: body, query_params: { ...options.parameters }, clickhouse_settings: this.#settings({ async_insert: 0, ...options.settings }) })
      for await (const _ of stream) { /* an insert answers nothing */ }
    })
  }

  /** A query's answer as bytes in a format of ClickHouse's. */
  bytes (query: string, format: string, options: { readonly parameters?: Parameters, readonly settings?: ClickHouseSettings } = {}): Promise<Readable> {
    return this.#do(async client => (await client.exec({ query: `${query} FORMAT ${format}`, query_params: { ...options.parameters }, clickhouse_settings: this.#settings(options.settings ?? {}) })).stream)
  }

  async [Symbol.asyncDispose] (): Promise<void> { await this.#client?.close() }
}
