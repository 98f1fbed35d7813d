import type { Delimiter } from '../row-scanner.ts'

/** A row with what it needs to be read alone. `column`: only this value of it counts, the others were taken. */
export interface CsvRow {
  readonly identity: string
  readonly record: number
  readonly line: number
  readonly column: number | undefined
  /** Why it cannot be read; empty: it can. */
  readonly broken: string
  readonly header: readonly string[]
  readonly fields: readonly string[]
}

const MARK = 'latido-csv'

/** `latido-csv IDENTITY RECORD LINE COLUMN BROKEN`, the header as JSON, and the row as it stands in the file. */
export function writeRow (identity: string, record: number, line: number, header: string, row: Buffer, { column, broken = '' }: { readonly column?: number, readonly broken?: string } = {}): Buffer {
  return Buffer.concat([Buffer.from(`${MARK} ${identity} ${record} ${line} ${column ?? '-'} ${broken}\n${header}\n`), row])
}

/** The same row, of which one value counts. */
export function onlyColumn (raw: Buffer, column: number): Buffer {
  const end = raw.indexOf(10)
  const [mark = '', identity = '', record = '', line = ''] = raw.toString('utf8', 0, end).split(' ')
  return Buffer.concat([Buffer.from(`${mark} ${identity} ${record} ${line} ${column} `), raw.subarray(end)])
}

/** Reads rows of one feed; headers repeat, and are kept. */
export function rowReader (delimiter: Delimiter): (raw: Buffer) => CsvRow | undefined {
  let lastText = ''
  let lastHeader: readonly string[] = []
  return raw => {
    const [first, second] = [raw.indexOf(10), raw.indexOf(10, raw.indexOf(10) + 1)]
    if (first < 0 || second < 0) return undefined
    const [mark, identity = '', record = '', line = '', column = '', ...broken] = raw.toString('utf8', 0, first).split(' ')
    if (mark !== MARK) return undefined
    const headerText = raw.toString('utf8', first + 1, second)
    if (headerText !== lastText) {
      lastHeader = JSON.parse(headerText) as readonly string[]
      lastText = headerText
    }
    return { identity, record: Number(record), line: Number(line), column: column === '-' ? undefined : Number(column), broken: broken.join(' '), header: lastHeader, fields: fieldsOf(raw.toString('utf8', second + 1), delimiter) }
  }
}

/** RFC 4180; the row was cut out of its file, so its quotes close. */
export function fieldsOf (row: string, delimiter: Delimiter): readonly string[] {
  if (!row.includes('"')) return row.split(delimiter)
  const fields: string[] = []
  for (let i = 0; ; i++) {
    let field = ''
    if (row[i] === '"') {
      for (i++; i < row.length; i++) {
        if (row[i] !== '"') { field += row[i]; continue }
        if (row[i + 1] !== '"') break
        field += '"'
        i++
      }
      i = endOf(row, delimiter, i)
    } else {
      const end = endOf(row, delimiter, i)
      field = row.slice(i, end)
      i = end
    }
    fields.push(field)
    if (i >= row.length) return fields
  }
}

function endOf (row: string, delimiter: Delimiter, from: number): number {
  const end = row.indexOf(delimiter, from)
  return end < 0 ? row.length : end
}
