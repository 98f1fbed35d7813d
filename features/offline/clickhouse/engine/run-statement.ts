import { createReadStream, createWriteStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { prefixOf, quoted } from './statement.ts'
import type { Statement, StatementContext } from './statement.ts'

/** One connection to the engine: opening one takes 0.1 ms, and what is set on it ends with it, so each request has its own. */
export interface EngineConnection {
  queryAsync (sql: string, options?: { readonly format?: string }): Promise<{ readonly rowsRead: number, readonly bytesRead: number, bytes (): Uint8Array }>
  close (): void
}

export interface Answer { readonly body: Readable, readonly bytes: number, readonly format: string, readonly rowsRead: number, readonly bytesRead: number }

/** Files for bodies and answers; the process's working directory, so that their names are plain and no glob. */
export class Spool {
  #last = 0
  name (): string { return `spool-${++this.#last}` }
}

/** Writes an insert's body to a file as it comes in; answers its name and size. */
export async function spoolBody (spool: Spool, request: IncomingMessage): Promise<{ readonly file: string, readonly bytes: number }> {
  const file = spool.name()
  const out = createWriteStream(file, { mode: 0o600 })
  try {
    await pipeline(request, out)
  } catch (e) {
    await rm(file, { force: true })
    throw e
  }
  return { file, bytes: out.bytesWritten }
}

async function withConnection<T> (connect: () => EngineConnection, work: (connection: EngineConnection) => Promise<T>): Promise<T> {
  const connection = connect()
  try { return await work(connection) } finally { connection.close() }
}

/** Loads a spooled body. */
export function load (connect: () => EngineConnection, context: StatementContext, statement: Statement & { readonly kind: 'load' }, file: string, compression: string): Promise<Answer> {
  const sql = `${prefixOf(context)}${statement.head} FROM INFILE ${quoted(file)}${compression}${statement.settings} FORMAT ${statement.format}`
  return withConnection(connect, async connection => {
    const result = await connection.queryAsync(sql)
    return { body: Readable.from([]), bytes: 0, format: statement.format, rowsRead: result.rowsRead, bytesRead: result.bytesRead }
  })
}

/** Runs a query into a file and answers a stream of it; the file is gone from the directory before the first byte is sent. */
export async function read (connect: () => EngineConnection, context: StatementContext, statement: Statement & { readonly kind: 'read' }, file: string): Promise<Answer> {
  const sql = `${prefixOf(context)}${statement.head}\nINTO OUTFILE ${quoted(file)} TRUNCATE FORMAT ${statement.format}`
  try {
    const result = await withConnection(connect, connection => connection.queryAsync(sql))
    const handle = await open(file, 'r')
    const { size } = await handle.stat()
    return { body: createReadStream('', { fd: handle }), bytes: size, format: statement.format, rowsRead: result.rowsRead, bytesRead: result.bytesRead }
  } finally {
    await rm(file, { force: true })
  }
}

/** Runs a statement whose answer is small. */
export function run (connect: () => EngineConnection, context: StatementContext, sql: string): Promise<Answer> {
  return withConnection(connect, async connection => {
    const result = await connection.queryAsync(prefixOf(context) + sql, { format: context.defaultFormat })
    const bytes = Buffer.from(result.bytes())
    return { body: Readable.from(bytes.length === 0 ? [] : [bytes], { objectMode: false }), bytes: bytes.length, format: context.defaultFormat, rowsRead: result.rowsRead, bytesRead: result.bytesRead }
  })
}
