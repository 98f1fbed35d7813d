import { LatidoError } from '../../../streams/errors/index.ts'
import type { FileRecord, TakenFile } from '../import/format.ts'
import { RowScanner, type Row } from '../row-scanner.ts'
import { writeRow } from './row.ts'
import { columnsOf, type CsvSpec } from './spec.ts'

/** The rows of a CSV file, each with its header and its line. Throws FILE_INVALID where the header is not that of the feed. */
export async function * csvRecords (file: TakenFile, spec: CsvSpec): AsyncIterable<FileRecord> {
  const found: { readonly row: Buffer, readonly line: number, readonly fields: number, readonly broken: string }[] = []
  let header: string | undefined
  let width = 0
  const scanner = new RowScanner(spec.delimiter, {
    row: row => {
      if (header !== undefined) { found.push({ row: Buffer.from(row.raw()), line: row.line, fields: row.fields, broken: '' }); return }
      header = headerOf(row, spec, file.name)
      width = row.fields
    },
    broken: (cause, raw, line) => {
      if (header === undefined) throw invalid(file.name, 'its first line has no end', 'check that it is a CSV file')
      found.push({ row: Buffer.from(raw), line, fields: 0, broken: cause === 'too-large' ? 'the line has no end' : 'a quote is never closed' })
    },
  })
  let record = 0
  const take = function * (whole: boolean): Iterable<FileRecord> {
    for (const { row, line, fields, broken } of found.splice(0)) {
      const why = broken !== '' ? broken : fields === width ? '' : `${fields} fields instead of ${width}`
      yield { raw: writeRow(file.identity, ++record, line, header!, row, { broken: why }), whole }
    }
  }
  for await (const chunk of file.content()) {
    scanner.push(chunk)
    yield * take(true)
  }
  scanner.end()
  if (header === undefined) throw invalid(file.name, 'it has no header line', 'check that it is a CSV file')
  yield * take(false)
}

/** As JSON, on one line. */
function headerOf (row: Row, spec: CsvSpec, name: string): string {
  const columns = Array.from({ length: Math.min(row.fields, row.starts.length) }, (_, field) => row.text(field).trim())
  const needed = columnsOf(spec)
  const missing = needed.filter(one => !columns.includes(one))
  if (missing.length > 0 && columns.length === 1) throw invalid(name, `its header has one column, and ${needed.length} are named`, 'check the delimiter in the feed\'s file')
  if (missing.length > 0) throw invalid(name, `its header lacks the column "${missing[0]}"${missing.length > 1 ? ` and ${missing.length - 1} more` : ''}`, 'check the names of columns in the feed\'s file')
  const twice = needed.find(one => columns.indexOf(one) !== columns.lastIndexOf(one))
  if (twice !== undefined) throw invalid(name, `its header has the column "${twice}" twice`, 'give each column a name of its own')
  return JSON.stringify(columns)
}

function invalid (name: string, why: string, action: string): LatidoError { return new LatidoError('FILE_INVALID', `${name} is not as the feed says: ${why}`, action) }
