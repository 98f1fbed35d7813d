import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { MessageMapper } from '../../kit/index.ts'
import type { FileFormat, FileRecord, InOrder, TakenFile } from '../import/format.ts'
import { failure, readBytes } from '../read-bytes.ts'
import { linesOf } from './lines.ts'

/** What FHIR lends: this folder knows no resource. */
export interface FhirParts {
  readonly map: MessageMapper
  /** Remembers resources that others refer to, and makes of a line a message that can be read alone. */
  references (): FhirReferences
  /** Keeps an older version of a resource from following a newer one, now and at a retry, and withdraws what the newest no longer says. */
  readonly newestFirst: InOrder
}

export interface FhirReferences {
  remember (line: Buffer): void
  message (line: Buffer): Buffer
}

/** Files of these resources are looked through first: who and where, to which the others refer. */
const REFERRED = /^(Patient|Location|Medication)\b.*\.ndjson(\.gz)?$/

/** One FHIR R4 resource a line, as bulk exports are. A resource is known by its id and version, as one that a server sends. */
export function fhirNdjsonFormat ({ map, references, newestFirst }: FhirParts): FileFormat {
  return {
    name: 'fhir-ndjson',
    endings: /\.ndjson(\.gz)?$/i,
    map,
    inOrder: newestFirst,
    async * records (file: TakenFile): AsyncIterable<FileRecord> {
      const known = references()
      await lookThrough(dirname(file.path), known)
      for await (const { bytes, whole } of linesOf(file.content())) {
        const raw = known.message(bytes)
        known.remember(bytes)
        yield { raw, whole }
      }
    },
  }
}

async function lookThrough (folder: string, known: FhirReferences): Promise<void> {
  const names = await readdir(folder).catch((e: unknown) => { throw failure({ path: folder, name: 'the folder of the file' }, e) })
  for (const name of names.filter(one => REFERRED.test(one)).sort()) {
    for await (const { bytes } of linesOf(readBytes({ path: join(folder, name), name }))) known.remember(bytes)
  }
}
