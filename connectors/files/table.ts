import { LatidoError } from '../../streams/errors/index.ts'
import { readBytes, type NamedFile } from './read-bytes.ts'
import type { Refusals } from './refusals.ts'
import { RowScanner, type Row, type RowSink } from './row-scanner.ts'

/** Positions of a table's columns by name; -1 for an optional one that is not there. */
export type ColumnIndex<Name extends string> = Readonly<Record<Name, number>>

export interface TableSpec<Name extends string> {
  readonly delimiter: ',' | '|'
  readonly required: readonly Name[]
  readonly optional?: readonly Name[]
  /** Compare column names without regard to case (MIMIC-III writes both). */
  readonly ignoreCase?: boolean
  /** What the table is, for the message when the header is another. */
  readonly what: string
}

/**
 * Reads a table with a header line, row by row. Rows with another number of fields than the header are refused as malformed.
 * Throws FILE_UNREADABLE, and FILE_INVALID when the header lacks a required column or the file has none.
 */
export async function readTable<Name extends string> (file: NamedFile, spec: TableSpec<Name>, refusals: Refusals, onRow: (row: Row, columns: ColumnIndex<Name>) => void, onRead?: (bytes: number) => void): Promise<void> {
  const sink = new TableSink(file, spec, refusals, onRow)
  const scanner = new RowScanner(spec.delimiter, sink)
  for await (const chunk of readBytes(file, onRead)) scanner.push(chunk)
  scanner.end()
  sink.finish()
}

/** The same over bytes that are already here. */
export function scanTable<Name extends string> (file: NamedFile, content: Buffer, spec: TableSpec<Name>, refusals: Refusals, onRow: (row: Row, columns: ColumnIndex<Name>) => void): void {
  const sink = new TableSink(file, spec, refusals, onRow)
  const scanner = new RowScanner(spec.delimiter, sink)
  scanner.push(content)
  scanner.end()
  sink.finish()
}

class TableSink<Name extends string> implements RowSink {
  #columns: ColumnIndex<Name> | undefined
  #width = 0
  readonly #file: NamedFile
  readonly #spec: TableSpec<Name>
  readonly #refusals: Refusals
  readonly #onRow: (row: Row, columns: ColumnIndex<Name>) => void

  constructor (file: NamedFile, spec: TableSpec<Name>, refusals: Refusals, onRow: (row: Row, columns: ColumnIndex<Name>) => void) {
    this.#file = file
    this.#spec = spec
    this.#refusals = refusals
    this.#onRow = onRow
  }

  row (row: Row): void {
    if (this.#columns === undefined) {
      this.#columns = this.#header(row)
      this.#width = row.fields
    } else if (row.fields !== this.#width) this.#refusals.refuse('malformed', `${where(this.#file, row.line)}: ${row.fields} fields instead of ${this.#width}`, row.raw())
    else this.#onRow(row, this.#columns)
  }

  broken (cause: 'malformed' | 'too-large', raw: Buffer, line: number): void {
    if (this.#columns === undefined) throw this.#notTheTable('its first line has no end')
    this.#refusals.refuse(cause, `${where(this.#file, line)}: ${cause === 'too-large' ? 'the line has no end' : 'a quote is never closed'}`, raw)
  }

  finish (): void { if (this.#columns === undefined) throw this.#notTheTable('it has no header line') }

  #header (row: Row): ColumnIndex<Name> {
    const { required, optional = [], ignoreCase = false } = this.#spec
    const found = Array.from({ length: Math.min(row.fields, row.starts.length) }, (_, field) => ignoreCase ? row.text(field).toLowerCase() : row.text(field))
    const missing = required.filter(name => !found.includes(name))
    if (missing.length > 0) throw this.#notTheTable(`column ${missing[0]} is missing${missing.length > 1 ? ` and ${missing.length - 1} more` : ''}`)
    return Object.fromEntries([...required, ...optional].map(name => [name, found.indexOf(name)])) as Record<Name, number>
  }

  #notTheTable (why: string): LatidoError {
    return new LatidoError('FILE_INVALID', `${this.#file.name} is not ${this.#spec.what}: ${why}`, 'check that this is the file you meant')
  }
}

/** `chartevents.csv.gz, line 12, column valuenum`. */
export function where (file: NamedFile, line: number, column?: string): string {
  return `${file.name}, line ${line}${column === undefined ? '' : `, column ${column}`}`
}
