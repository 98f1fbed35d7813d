import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { LatidoError } from '../../../streams/errors/index.ts'
import { failure, type NamedFile } from '../read-bytes.ts'

export const REQUIRED_TABLES = ['patients', 'admissions', 'icustays', 'chartevents', 'labevents'] as const
export const OPTIONAL_TABLES = ['outputevents'] as const
export type TableName = (typeof REQUIRED_TABLES)[number] | (typeof OPTIONAL_TABLES)[number]

export interface TableFile extends NamedFile { readonly bytes: number }

/**
 * The tables in a folder: `NAME.csv` or `NAME.csv.gz`, in lower case (demo) or capitals (full set). Plain wins over packed.
 * Throws FILE_UNREADABLE, and FILE_INVALID where a required table is missing.
 */
export async function findTables (directory: string): Promise<ReadonlyMap<TableName, TableFile>> {
  const names = await readdir(directory).catch((e: unknown) => { throw failure({ path: directory, name: basename(directory) }, e) })
  const found = new Map<TableName, TableFile>()
  for (const table of [...REQUIRED_TABLES, ...OPTIONAL_TABLES]) {
    const candidates = names.filter(name => [`${table}.csv`, `${table}.csv.gz`].includes(name.toLowerCase())).sort((a, b) => a.length - b.length)
    const [name] = candidates
    if (name !== undefined) found.set(table, { path: join(directory, name), name, bytes: (await stat(join(directory, name))).size })
  }
  const missing = REQUIRED_TABLES.filter(table => !found.has(table))
  if (missing.length > 0) throw new LatidoError('FILE_INVALID', `${basename(directory)} is not a MIMIC-III folder: ${missing.map(table => `${table}.csv[.gz]`).join(', ')} missing`, 'name the folder that holds the tables of MIMIC-III or of its demo')
  return found
}
