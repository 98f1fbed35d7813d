import { IGNORE, type CodeMeaning } from '../../../connectors/kit/index.ts'
import { CONCEPTS, isConceptId, toCanonical } from '../../../streams/events/index.ts'
import type { FeedFault } from './fault.ts'

/** A row of a feed's table of codes. */
export interface CodeRow {
  /** As the feed names the system; empty: the code whatever its system. */
  readonly system: string
  readonly code: string
  /** Its id, or `ignore`. */
  readonly concept: string
  /** Of values that come without a unit, or with one that the feed means otherwise; empty: as sent. */
  readonly unit: string
}

export interface CodesFile {
  /** By `system|code`, or by `code` alone; upper case. */
  readonly codes: ReadonlyMap<string, CodeMeaning>
  /** As they stand in the file, in its order. */
  readonly rows: readonly CodeRow[]
  readonly faults: readonly FeedFault[]
}

export const CODES_HEADER = 'system,code,concept,unit'
const COLUMNS = CODES_HEADER.split(',')
const ROWS_MAX = 100_000
const FIELD_CHARACTERS_MAX = 200

/**
 * Reads `NAME.codes.csv`: a line each, commas, quotes as in RFC 4180 but never over a line's end; lines that begin with `#` are comments.
 * The header comes first. Every fault is told with its line.
 */
export function readCodes (file: string, text: string, units: ReadonlyMap<string, string>): CodesFile {
  const codes = new Map<string, CodeMeaning>()
  const rows: CodeRow[] = []
  const lines = new Map<string, number>()
  const faults: FeedFault[] = []
  let header = false
  for (const [i, line] of text.replace(/^\ufeff/, '').split(/\r?\n/).entries()) {
    if (isComment(line)) continue
    const fault = (why: string): void => { faults.push({ file, line: i + 1, why }) }
    if (lines.size >= ROWS_MAX) { fault(`more than ${ROWS_MAX} rows`); break }
    const fields = fieldsOf(line)
    if (fields === undefined) { fault('a quote is never closed, or stands in the middle of a field'); continue }
    if (!header) {
      header = true
      if (fields.join(',') !== CODES_HEADER) { fault(`the header is not "${CODES_HEADER}"`); break }
      continue
    }
    const row = rowOf(fields)
    const why = row === undefined ? `${fields.length} fields instead of ${COLUMNS.length}` : faultOf(row, units)
    if (row === undefined || why !== undefined) { fault(why!); continue }
    const key = codeKey(row)
    const before = lines.get(key)
    if (before !== undefined) { fault(`code "${row.code}" of system "${row.system}" stands in line ${before} already`); continue }
    lines.set(key, i + 1)
    codes.set(key, meaningOf(row))
    rows.push(row)
  }
  if (!header) faults.push({ file, line: 1, why: `the header "${CODES_HEADER}" is missing` })
  return { codes, rows, faults }
}

/** The same text with the rows in it: a code that is there is changed in its place, a new one comes last; comments, line ends and everything else stay. */
export function writeCodes (text: string, rows: readonly CodeRow[]): string {
  const wanted = new Map(rows.map(row => [codeKey(row), row]))
  const lines = (text.trim() === '' ? CODES_HEADER : text.replace(/^\ufeff/, '').replace(/(\r?\n)+$/, '')).split(/\r?\n/)
  const changed = lines.map(line => {
    const row = isComment(line) ? undefined : rowOf(fieldsOf(line) ?? [])
    const now = row === undefined ? undefined : wanted.get(codeKey(row))
    if (now === undefined) return line
    wanted.delete(codeKey(now))
    return lineOf(now)
  })
  return [...changed, ...[...wanted.values()].map(lineOf), ''].join(text.includes('\r\n') ? '\r\n' : '\n')
}

/** The same text without the row of a code; comments, line ends and everything else stay. */
export function removeCode (text: string, code: Pick<CodeRow, 'system' | 'code'>): string {
  const isRow = (line: string): boolean => {
    const row = isComment(line) ? undefined : rowOf(fieldsOf(line) ?? [])
    return row !== undefined && codeKey(row) === codeKey(code)
  }
  return text.split(/(?<=\n)/).filter(line => !isRow(line.replace(/\r?\n$/, ''))).join('')
}

/** What is wrong with a row, or undefined. */
export function faultOf ({ system, code, concept, unit }: CodeRow, units: ReadonlyMap<string, string>): string | undefined {
  if (code === '') return 'the code is empty'
  if (system.includes('|') || /[\r\n]/.test(system + code)) return 'a system has no "|", and a code no line end'
  if ([system, code, concept, unit].some(field => field.length > FIELD_CHARACTERS_MAX)) return `a field has more than ${FIELD_CHARACTERS_MAX} characters`
  if (concept === IGNORE) return unit === '' ? undefined : 'a code that is ignored has no unit'
  if (!isConceptId(concept)) return `there is no concept "${concept}"; docs/clinical-limits.md lists them`
  if (toCanonical(concept, 1, units.get(unit) ?? unit) === undefined) return `"${unit}" is no unit of ${concept}, which is kept in ${CONCEPTS[concept].unit}`
  return undefined
}

export function codeKey ({ system, code }: Pick<CodeRow, 'system' | 'code'>): string { return (system === '' ? code : `${system}|${code}`).toUpperCase() }

function meaningOf ({ concept, unit }: CodeRow): CodeMeaning {
  if (concept === IGNORE) return IGNORE
  if (!isConceptId(concept)) throw new Error('assertion failed: a row was checked')
  return unit === '' ? { concept } : { concept, unit }
}

function isComment (line: string): boolean { return line.trim() === '' || line.startsWith('#') }

/** A row may leave out the empty unit at its end. */
function rowOf (fields: readonly string[]): CodeRow | undefined {
  if (fields.length !== COLUMNS.length && fields.length !== COLUMNS.length - 1) return undefined
  const [system = '', code = '', concept = '', unit = ''] = fields.map(field => field.trim())
  return { system, code, concept, unit }
}

const FIELD = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y

function fieldsOf (line: string): readonly string[] | undefined {
  const fields: string[] = []
  FIELD.lastIndex = 0
  for (;;) {
    const found = FIELD.exec(line)
    if (found === null) return undefined
    fields.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '')
    if (found[3] === '') return fields
  }
}

function lineOf ({ system, code, concept, unit }: CodeRow): string {
  const line = [system, code, concept, unit].map(field => /[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field).join(',')
  return line.startsWith('#') ? `"${system}"${line.slice(system.length)}` : line
}
