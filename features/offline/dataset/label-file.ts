import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import { LatidoError, messageOf } from '../../../streams/errors/index.ts'
import { parquetColumns, type ParquetColumn } from './parquet-columns.ts'

export interface LabelFileOptions {
  readonly path: string
  /** The column with the entity's pseudonym. Default `patient`. */
  readonly patientColumn?: string
  /** The column with the label's time, an arrival time. Default `time`. */
  readonly timeColumn?: string
  /** IANA zone of times that say none; without it they are refused. */
  readonly zone?: string
}

/** A label file whose head is read and whose columns are sound. */
export interface LabelFile {
  readonly path: string
  /** Without its folder: what messages call it. */
  readonly name: string
  readonly format: 'csv' | 'parquet'
  readonly sha256: string
  readonly columns: readonly ParquetColumn[]
  readonly patientColumn: string
  readonly timeColumn: string
  readonly zone: string
}

/** Names that the data set itself uses. */
const RESERVED: ReadonlySet<string> = new Set(['label_id', 'patient', 'label_time'])
const HEAD_BYTES_MAX = 1 << 20

/** Reads a label file's head. Throws FILE_INVALID (not there, empty, damaged) or LABELS_INVALID (its columns). */
export async function openLabelFile (options: LabelFileOptions): Promise<LabelFile> {
  const { path, patientColumn = 'patient', timeColumn = 'time', zone = '' } = options
  const name = basename(path)
  const format = /\.parquet$/i.test(name) ? 'parquet' : 'csv'
  const file = await openFile(path, name)
  try {
    if ((await file.stat()).size === 0) throw new LatidoError('FILE_INVALID', `${name} is empty`, 'give a file with a header and rows')
    const columns = format === 'parquet' ? await parquetColumns(file, name) : await csvColumns(file, name)
    refuseColumns(name, columns, patientColumn, timeColumn, zone)
    return { path, name, format, sha256: await sha256Of(path), columns, patientColumn, timeColumn, zone }
  } finally {
    await file.close()
  }
}

async function openFile (path: string, name: string): Promise<FileHandle> {
  try {
    const file = await open(path, 'r')
    if ((await file.stat()).isFile()) return file
    await file.close()
  } catch (e) {
    throw new LatidoError('FILE_INVALID', `${name} cannot be read (${e instanceof Error && 'code' in e ? String(e.code) : messageOf(e)})`, 'check the path and its permissions')
  }
  throw new LatidoError('FILE_INVALID', `${name} is not a file`, 'give a CSV or Parquet file')
}

function refuseColumns (name: string, columns: readonly ParquetColumn[], patientColumn: string, timeColumn: string, zone: string): void {
  const refuse = (what: string, action: string): never => { throw new LatidoError('LABELS_INVALID', `${name}: ${what}`, action) }
  const names = columns.map(column => column.name)
  const again = names.find((column, i) => names.indexOf(column) !== i)
  if (again !== undefined) refuse(`two columns are called "${again}"`, 'give each column a name of its own')
  if (names.includes('')) refuse('a column has no name', 'give each column a name')
  for (const [column, option] of [[patientColumn, '--patient-column'], [timeColumn, '--time-column']] as const) {
    if (!names.includes(column)) refuse(`there is no column "${column}"`, `it has ${names.slice(0, 20).join(', ')}; say which with ${option}`)
  }
  if (patientColumn === timeColumn) refuse('patient and time are one column', 'say which is which with --patient-column and --time-column')
  const reserved = names.find(column => RESERVED.has(column) && column !== patientColumn && column !== timeColumn)
  if (reserved !== undefined) refuse(`a label is called "${reserved}", which the data set uses itself`, 'rename the column')
  const other = columns.find(column => column.type === 'other')
  if (other !== undefined) refuse(`column "${other.name}" is nested or of a type that is not read`, 'keep to numbers, text, flags, dates and times')
  const time = columns.find(column => column.name === timeColumn)!
  if (time.type === 'local' && zone === '') refuse(`the times of column "${timeColumn}" have no zone`, 'write them as instants, or say their zone with --zone')
  if (time.type !== 'local' && time.type !== 'time' && time.type !== 'text' && time.type !== 'integer') refuse(`column "${timeColumn}" holds no times`, 'give instants, ISO 8601 with a zone, or milliseconds since 1970')
}

/** The header of a CSV file (RFC 4180), every column as text: its types are found when it is loaded. */
async function csvColumns (file: FileHandle, name: string): Promise<readonly ParquetColumn[]> {
  const head = Buffer.alloc(HEAD_BYTES_MAX)
  const { bytesRead } = await file.read(head, 0, HEAD_BYTES_MAX, 0)
  const text = head.toString('utf8', 0, bytesRead).replace(/^\uFEFF/, '')
  const end = text.search(/\r?\n/)
  const line = end < 0 ? text : text.slice(0, end)
  if (line.includes('\0') || line.trim() === '') throw new LatidoError('FILE_INVALID', `${name} does not begin with the header of a CSV file`, 'give a CSV file with a header, or Parquet as .parquet')
  const names = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => (quoted?.replaceAll('""', '"') ?? plain ?? '').trim())
  return names.map(column => ({ name: column, type: 'text' }))
}

async function sha256Of (path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk)
  return hash.digest('hex')
}
