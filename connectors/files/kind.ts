import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { LatidoError } from '../../streams/errors/index.ts'
import { resultNamesIn } from '../hl7/index.ts'
import { runSource, type Connector, type ConnectorContext, type ConnectorHealth, type ConnectorKind } from '../kit/index.ts'
import { csvMapper, csvResultNames } from './csv/map.ts'
import { csvRecords } from './csv/records.ts'
import { fhirNdjsonFormat, type FhirParts } from './formats/fhir-ndjson.ts'
import { mimic3Format, physionet2019Format } from './formats/historical.ts'
import { hl7Format } from './formats/hl7.ts'
import { knowingDamage } from './import/damage.ts'
import { FilesSource } from './import/files-source.ts'
import type { FileFormat } from './import/format.ts'
import type { FileEntry } from './import/ledger.ts'
import { FILES_OPTIONS, type FilesOptions } from './options.ts'
import { failure, type NamedFile } from './read-bytes.ts'
import { wfdbMapper } from './wfdb/map.ts'
import { wfdbParts, wfdbRecords } from './wfdb/records.ts'

/** What other connectors lend to files. */
export interface FilesParts { readonly fhir: FhirParts }

/** Messages on their way to the log together. */
export const FILES_IN_FLIGHT_MAX = 256
/** Names of files that are still being copied. */
const UNFINISHED = /^\.|\.(part|partial|tmp|temp|filepart|crdownload)$|~$/i

/** How the files of a feed are read. */
export function formatOf ({ format, csv, wfdb, startAt }: FilesOptions, { fhir }: FilesParts): FileFormat {
  switch (format) {
    case 'csv': {
      if (csv === undefined) throw new LatidoError('CONFIG_INVALID', 'a feed of CSV files says what their columns mean', 'write options.csv in the feed\'s file')
      return { name: 'csv', endings: /\.(csv|tsv|psv|txt)(\.gz)?$/i, records: file => csvRecords(file, csv), map: csvMapper(csv) }
    }
    case 'fhir-ndjson': return fhirNdjsonFormat(fhir)
    case 'hl7': return hl7Format()
    case 'mimic3': return mimic3Format(Date.parse(startAt))
    case 'physionet2019': return physionet2019Format(Date.parse(startAt))
    case 'wfdb': return { name: 'wfdb', atOnce: true, endings: /\.hea$/i, parts: wfdbParts, records: file => wfdbRecords(file, wfdb), map: wfdbMapper(wfdb) }
  }
}

/** A folder into which files are dropped. */
export function filesKind (parts: FilesParts): ConnectorKind<FilesOptions> {
  return {
    kind: 'files',
    summary: 'a folder into which files are dropped: CSV, FHIR NDJSON, HL7, PhysioNet, WFDB numerics',
    options: FILES_OPTIONS,
    resultsIn: (raw, context, { format, csv }) => format === 'hl7' ? resultNamesIn(raw, context) : format === 'csv' && csv !== undefined ? csvResultNames(raw, csv, context) : [],
    mapper: options => knowingDamage(formatOf(options, parts).map, `file:${options.format}`),
    start: (context, options) => Promise.resolve(startFiles(context, options, formatOf(options, parts))),
  }
}

function startFiles (context: ConnectorContext, { folder, names, settleMs, pollEveryMs }: FilesOptions, format: FileFormat): Connector {
  const { clock, table, say } = context
  const feed = format.inOrder?.(context) ?? context.feed
  const wanted = patternOf(names)
  const source = new FilesSource({
    endpoint: folder === '' ? 'files:import' : `files:${folder}`, format, settleMs, entries: table<FileEntry>('files'), count: what => { feed.count(what) }, say: line => { say(`${feed.name}: ${line}`) },
    list: () => folder === '' ? Promise.resolve([]) : filesIn(folder, name => format.endings.test(name) && wanted.test(name)),
  })
  return withDamage(runSource(source, { feed, clock, positions: table<string>('position'), limits: { pollEveryMs, inFlightMax: FILES_IN_FLIGHT_MAX }, say }), source)
}

/** In order of name. Messages name no file: it may be named after a patient. */
async function filesIn (folder: string, takes: (name: string) => boolean): Promise<readonly NamedFile[]> {
  const found = await readdir(folder, { withFileTypes: true }).catch((e: unknown) => { throw failure({ path: folder, name: 'the folder of the feed' }, e) })
  return found.filter(one => one.isFile() && !UNFINISHED.test(one.name) && takes(one.name)).map(({ name }) => name).sort().map(name => ({ path: join(folder, name), name: 'a file' }))
}

function patternOf (names: string): RegExp { return new RegExp(`^${names.split('*').map(part => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`, 'i') }

/** A file that could not be read whole stands in the connector's health until it is mended. */
function withDamage (inner: Connector, source: FilesSource): Connector {
  const health = (): ConnectorHealth => {
    const now = inner.health()
    const { damaged } = source.ledger
    return now.why === '' && damaged > 0 ? { ...now, why: `${damaged} file${damaged === 1 ? '' : 's'} could not be read to the end` } : now
  }
  return { name: inner.name, endpoint: inner.endpoint, health, [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose]() }
}
