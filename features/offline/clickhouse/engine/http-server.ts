import { randomUUID, timingSafeEqual } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { READ_LANES, STATEMENT_BYTES_MAX, WAITING_MAX, WRITE_LANES } from './engine-config.ts'
import { engineException, exceptionOf } from './exception.ts'
import type { EngineException } from './exception.ts'
import { Lanes } from './lanes.ts'
import { Spool, load, read, run, spoolBody } from './run-statement.ts'
import type { Answer, EngineConnection } from './run-statement.ts'
import { BadNameError, classify, compressionClause, contextOf, objection } from './statement.ts'
import type { StatementContext } from './statement.ts'

class Refused extends Error {
  readonly exception: EngineException
  constructor (exception: EngineException) { super(exception.message); this.exception = exception }
}

function refuse (code: number, text: string, type: string): never {
  throw new Refused(engineException(code, `Code: ${code}. DB::Exception: ${text}. (${type})`))
}

function allow (sql: string): void {
  const why = objection(sql)
  if (why !== undefined) refuse(62, `Syntax error: ${why}`, 'SYNTAX_ERROR')
}

/** ClickHouse's HTTP protocol, as far as its clients use it: `POST /` with query, parameters, settings and body; `GET /ping`. */
export class EngineServer {
  readonly #connect: () => EngineConnection
  readonly #token: Buffer
  readonly #spool = new Spool()
  readonly #reads = new Lanes(READ_LANES, WAITING_MAX)
  readonly #writes = new Lanes(WRITE_LANES, WAITING_MAX)
  readonly #server: Server

  constructor (connect: () => EngineConnection, token: string) {
    this.#connect = connect
    this.#token = Buffer.from(token)
    this.#server = createServer((request, response) => { void this.#answer(request, response) })
    this.#server.keepAliveTimeout = 30_000
  }

  /** Answers the port. Rejects with EADDRINUSE where the port is taken. */
  listen (port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, '127.0.0.1', () => {
        const address = this.#server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : port)
      })
    })
  }

  /** Takes no more requests, and resolves when those that run have been answered. */
  close (): Promise<void> {
    return new Promise(resolve => {
      this.#server.close(() => { resolve() })
      this.#server.closeIdleConnections()
    })
  }

  async #answer (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://engine')
    if (request.method === 'GET' && (url.pathname === '/ping' || (url.pathname === '/' && !url.searchParams.has('query')))) { response.end('Ok.\n'); return }
    const queryId = url.searchParams.get('query_id') ?? randomUUID()
    try {
      if (!this.#authorised(request, url.searchParams)) refuse(516, 'Authentication failed: password is incorrect', 'AUTHENTICATION_FAILED')
      if (request.method !== 'POST') refuse(48, 'Only POST is supported', 'NOT_IMPLEMENTED')
      const answer = await this.#execute(request, url.searchParams, contextOf(url.searchParams))
      await send(response, answer, queryId, acceptsGzip(request, url.searchParams))
    } catch (e) {
      request.resume()
      fail(response, e instanceof Refused ? e.exception : e instanceof BadNameError ? engineException(36, `Code: 36. DB::Exception: ${e.message}. (BAD_ARGUMENTS)`) : exceptionOf(e), queryId)
    }
  }

  async #execute (request: IncomingMessage, search: URLSearchParams, context: StatementContext): Promise<Answer> {
    const query = search.get('query') ?? ''
    allow(query)
    const statement = classify(query, true)
    if (query !== '' && statement.kind === 'load') {
      const compression = compressionClause(request.headers['content-encoding'])
      if (compression === undefined) refuse(48, 'Unknown content encoding', 'NOT_IMPLEMENTED')
      return await this.#load(request, context, statement, compression)
    }
    const sql = await statementText(request, query)
    if (sql.trim() === '') refuse(62, 'Syntax error: empty query', 'SYNTAX_ERROR')
    allow(sql)
    const plain = classify(sql, false)
    if (plain.kind === 'read') return await this.#in(this.#reads, () => read(this.#connect, context, plain, this.#spool.name()))
    if (plain.kind === 'run') return await this.#in(plain.writes ? this.#writes : this.#reads, () => run(this.#connect, context, plain.sql))
    return refuse(48, 'Not a statement', 'NOT_IMPLEMENTED')
  }

  async #load (request: IncomingMessage, context: StatementContext, statement: Parameters<typeof load>[2], compression: string): Promise<Answer> {
    const { file, bytes } = await spoolBody(this.#spool, request)
    try {
      if (bytes === 0) return await this.#in(this.#reads, () => run(this.#connect, context, 'SELECT 1 WHERE 0'))
      return await this.#in(this.#writes, () => load(this.#connect, context, statement, file, compression))
    } finally {
      await rm(file, { force: true })
    }
  }

  #in (lanes: Lanes, work: () => Promise<Answer>): Promise<Answer> {
    return lanes.run(work) ?? refuse(202, 'Too many simultaneous queries', 'TOO_MANY_SIMULTANEOUS_QUERIES')
  }

  /** The token comes as a password (basic, header or parameter) or as a bearer token; the user's name does not matter. */
  #authorised (request: IncomingMessage, search: URLSearchParams): boolean {
    const { authorization = '', 'x-clickhouse-key': key } = request.headers
    const [scheme = '', credentials = ''] = authorization.split(' ')
    if (/^basic$/i.test(scheme)) {
      const decoded = Buffer.from(credentials, 'base64').toString()
      return this.#isToken(decoded.slice(decoded.indexOf(':') + 1))
    }
    if (/^bearer$/i.test(scheme)) return this.#isToken(credentials)
    return this.#isToken(typeof key === 'string' ? key : search.get('password') ?? '')
  }

  #isToken (candidate: string): boolean {
    const bytes = Buffer.from(candidate)
    return bytes.length === this.#token.length && timingSafeEqual(bytes, this.#token)
  }
}

/** The statement where it is the body, or the body's text after the statement. */
async function statementText (request: IncomingMessage, query: string): Promise<string> {
  if (request.headers['content-encoding'] !== undefined && request.headers['content-encoding'] !== 'identity') refuse(48, 'A compressed statement is not supported', 'NOT_IMPLEMENTED')
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > STATEMENT_BYTES_MAX) refuse(62, 'Max query size exceeded', 'SYNTAX_ERROR')
    chunks.push(chunk)
  }
  const body = Buffer.concat(chunks).toString()
  return query === '' ? body : body === '' ? query : `${query}\n${body}`
}

function acceptsGzip (request: IncomingMessage, search: URLSearchParams): boolean {
  return search.get('enable_http_compression') === '1' && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
}

async function send (response: ServerResponse, answer: Answer, queryId: string, gzip: boolean): Promise<void> {
  response.writeHead(200, {
    'content-type': answer.format.startsWith('JSON') ? 'application/json; charset=UTF-8' : 'text/plain; charset=UTF-8',
    'x-clickhouse-query-id': queryId,
    'x-clickhouse-format': answer.format,
    'x-clickhouse-timezone': 'UTC',
    'x-clickhouse-summary': JSON.stringify({ read_rows: String(answer.rowsRead), read_bytes: String(answer.bytesRead), written_rows: '0', written_bytes: '0', total_rows_to_read: '0', result_rows: '0', result_bytes: String(answer.bytes), elapsed_ns: '0' }),
    ...(gzip ? { 'content-encoding': 'gzip' } : { 'content-length': answer.bytes }),
  })
  await (gzip ? pipeline(answer.body, createGzip(), response) : pipeline(answer.body, response))
}

/** After the first byte an error can only be shown by breaking the connection off. */
function fail (response: ServerResponse, exception: EngineException, queryId: string): void {
  if (response.headersSent) { response.destroy(); return }
  response.writeHead(exception.status, { 'content-type': 'text/plain; charset=UTF-8', 'x-clickhouse-exception-code': String(exception.code), 'x-clickhouse-query-id': queryId })
  response.end(`${exception.message}\n`)
}
