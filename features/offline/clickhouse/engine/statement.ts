import { QUERY_SETTINGS } from './engine-config.ts'

/** Parameters of ClickHouse's HTTP interface that are not settings. */
const INTERFACE_PARAMETERS: ReadonlySet<string> = new Set([
  'query', 'database', 'query_id', 'session_id', 'session_check', 'session_timeout', 'default_format', 'user', 'password', 'role', 'quota_key', 'compress', 'decompress',
  'enable_http_compression', 'http_zlib_compression_level', 'http_write_exception_in_output_format', 'send_progress_in_http_headers', 'http_headers_progress_interval_ms',
  'wait_end_of_query', 'buffer_size', 'add_http_cors_header', 'client_protocol_version', 'close_session', 'stacktrace',
])
const NAME = /^[A-Za-z_][A-Za-z0-9_.]*$/

/** What a request's parameters ask for, beside the statement itself. */
export interface StatementContext {
  readonly database: string
  readonly queryId: string | undefined
  readonly defaultFormat: string
  readonly settings: ReadonlyMap<string, string>
  /** Values of `{name:Type}`, escaped as ClickHouse's clients escape them. */
  readonly parameters: ReadonlyMap<string, string>
}

export function contextOf (search: URLSearchParams): StatementContext {
  const settings = new Map<string, string>(Object.entries(QUERY_SETTINGS))
  const parameters = new Map<string, string>()
  for (const [name, value] of search) {
    if (name.startsWith('param_')) parameters.set(name.slice(6), value)
    else if (!INTERFACE_PARAMETERS.has(name)) settings.set(name, value)
  }
  return { database: search.get('database') ?? '', queryId: search.get('query_id') ?? undefined, defaultFormat: search.get('default_format') ?? 'TabSeparated', settings, parameters }
}

/** Raised for a name that cannot be a setting's or a parameter's: it would be spliced into SQL. */
export class BadNameError extends Error {}

function checkedName (name: string): string {
  if (!NAME.test(name)) throw new BadNameError('a setting or parameter has a name that is none')
  return name
}

export function quoted (value: string): string { return `'${value.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'` }

/** The statements that make a fresh connection ready for this request. `readonly` is last: after it nothing can be set. */
export function prefixOf (context: StatementContext): string {
  const items = [...context.parameters].map(([name, value]) => `param_${checkedName(name)}=${quoted(value)}`)
  for (const [name, value] of context.settings) if (name !== 'readonly') items.push(`${checkedName(name)}=${quoted(value)}`)
  const readonly = context.settings.get('readonly')
  if (readonly !== undefined && readonly !== '0') items.push(`readonly=${quoted(readonly)}`)
  const use = context.database === '' || context.database === 'default' ? '' : `USE \`${context.database.replace(/[\\`]/g, '\\$&')}\`;\n`
  return items.length === 0 ? use : `${use}SET ${items.join(', ')};\n`
}

/**
 * What the engine is to do with a request. `load`: an insert whose rows are the body (the engine reads them from a file: given inline,
 * it ends a binary body at the first line break or semicolon, and says nothing). `read`: an answer in a stated format, written to a file
 * by the engine and streamed from there, so it has no size limit and an error comes before the first byte. `run`: anything else.
 */
export type Statement =
  | { readonly kind: 'load', readonly head: string, readonly settings: string, readonly format: string }
  | { readonly kind: 'read', readonly head: string, readonly format: string }
  | { readonly kind: 'run', readonly sql: string, readonly writes: boolean }

const INSERT_FORMAT = /^(INSERT\s+INTO\s+[\s\S]+?)(\s+SETTINGS\s[\s\S]+?)?\s+FORMAT\s+([A-Za-z]\w*)\s*;?\s*$/i
const READ_FORMAT = /^([\s\S]*\S)\s+FORMAT\s+([A-Za-z]\w*)\s*;?\s*$/i
const READS = /^(SELECT|WITH|SHOW|DESC|DESCRIBE|EXPLAIN|EXISTS|VALUES|\()/i

/** A statement's text without the comments and blanks before it. */
function fromFirstWord (sql: string): string { return sql.replace(/^(\s+|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/)+/, '') }

export function classify (sql: string, hasBody: boolean): Statement {
  const text = fromFirstWord(sql)
  const insert = hasBody ? INSERT_FORMAT.exec(text) : null
  if (insert !== null) return { kind: 'load', head: insert[1] as string, settings: insert[2] ?? '', format: insert[3] as string }
  const reads = READS.test(text)
  const read = reads ? READ_FORMAT.exec(text) : null
  if (read !== null) return { kind: 'read', head: read[1] as string, format: read[2] as string }
  return { kind: 'run', sql: text, writes: !reads }
}

const NOT_CODE = /'(?:[^'\\]|\\[\s\S])*'|`(?:[^`\\]|\\[\s\S])*`|"(?:[^"\\]|\\[\s\S])*"|\$(\w*)\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\//g

/** Why a statement is refused before the engine sees it, as ClickHouse's server does: it is several, or it names files of the client's. */
export function objection (sql: string): string | undefined {
  const code = sql.replace(NOT_CODE, ' ')
  if (/;\s*\S/.test(code)) return 'Multi-statements are not allowed'
  if (/\bINTO\s+OUTFILE\b|\bFROM\s+INFILE\b/i.test(code)) return 'INTO OUTFILE and FROM INFILE are not allowed'
  return undefined
}

const COMPRESSIONS: Readonly<Record<string, string>> = { gzip: 'gzip', deflate: 'deflate', br: 'br', zstd: 'zstd', lz4: 'lz4', xz: 'xz' }

/** `undefined`: a content encoding that the engine does not read. */
export function compressionClause (contentEncoding: string | undefined): string | undefined {
  if (contentEncoding === undefined || contentEncoding === '' || contentEncoding === 'identity') return ''
  const compression = COMPRESSIONS[contentEncoding]
  return compression === undefined ? undefined : ` COMPRESSION '${compression}'`
}
