import { LatidoError } from '../../../streams/errors/index.ts'

export interface DatasetFile { readonly name: string, readonly rows: number, readonly bytes: number, readonly sha256: string }
export interface DatasetColumn { readonly name: string, readonly type: string, readonly unit: string, readonly from: 'label' | 'key' | 'feature', readonly view?: string }
export interface DatasetView { readonly name: string, readonly version: number, readonly fingerprint: string, readonly ttlMs: number }

/** What a version of a data set is and what it was made of, as `manifest.json` beside its files. The same inputs give the same files. */
export interface DatasetManifest {
  readonly format: 1
  readonly name: string
  readonly version: number
  /** ISO 8601, by the clock of who made it. */
  readonly created: string
  readonly source: 'served' | 'computed'
  /** Nothing that arrived later was used. */
  readonly arrivedBy: string
  readonly labels: { readonly file: string, readonly sha256: string, readonly rows: number }
  readonly views: readonly DatasetView[]
  readonly columns: readonly DatasetColumn[]
  readonly rows: number
  readonly files: readonly DatasetFile[]
  /** ClickHouse's version. */
  readonly engine: string
}

export const MANIFEST_FILE = 'manifest.json'

export function manifestText (manifest: DatasetManifest): string { return `${JSON.stringify(manifest, null, 2)}\n` }

/** Throws DATASET_DAMAGED. */
export function parseManifest (text: string, where: string): DatasetManifest {
  const damaged = (): never => { throw new LatidoError('DATASET_DAMAGED', `the manifest of ${where} cannot be read`, 'restore it from its source, or build the data set again') }
  let value: unknown
  try { value = JSON.parse(text) } catch { return damaged() }
  if (!isManifest(value)) return damaged()
  return value
}

function isManifest (value: unknown): value is DatasetManifest {
  if (typeof value !== 'object' || value === null) return false
  const { format, name, version, files, views, columns, labels, rows } = value as Partial<Record<keyof DatasetManifest, unknown>>
  return format === 1 && typeof name === 'string' && Number.isInteger(version) && typeof rows === 'number' && Array.isArray(views) && Array.isArray(columns) && typeof labels === 'object' && labels !== null && Array.isArray(files) && files.every(isFile)
}

/** A name that leads out of the folder is none. */
function isFile (value: unknown): value is DatasetFile {
  if (typeof value !== 'object' || value === null) return false
  const { name, rows, bytes, sha256 } = value as Partial<Record<keyof DatasetFile, unknown>>
  return typeof name === 'string' && /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name) && typeof rows === 'number' && typeof bytes === 'number' && typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256)
}
