import { existsSync, mkdirSync } from 'node:fs'
import { type FileFormat, type FileProgress, FILES_IN_FLIGHT_MAX, FILES_OPTIONS, FORMAT_NAMES, type FormatName, formatOf, type Imported, runImport, type RunningImport } from '../../../connectors/files/index.ts'
import { isLatidoError, LatidoError } from '../../../streams/errors/index.ts'
import type { Clock } from '../../../streams/time/index.ts'
import { type Config, type ConfiguredKind, feedsInvalid, type LoadedFeed, readCodesOf, readFeed } from '../../config/index.ts'
import { fileLogger } from '../../telemetry/index.ts'
import { Closers } from '../closers.ts'
import { connectorKinds } from './connectors.ts'
import { openDataDir, type DataDir } from '../data-dir.ts'
import { RunningFeeds } from '../feeds/index.ts'
import { FILES_PARTS } from './files-connector.ts'
import { openOwnIntake } from './own-intake.ts'
import { openLogStores } from '../stores.ts'
import { keyFileOf, openVault } from './vault.ts'

export interface ImportRequest {
  readonly format: string
  readonly path: string
  readonly feed: string
  readonly config: Config
  readonly clock: Clock
  /** Aborted: what is on its way is finished, and the next run goes on from there. */
  readonly signal: AbortSignal
  readonly say: (line: string) => void
  readonly onProgress: (progress: FileProgress) => void
}

export interface ImportSummary {
  readonly imported: Imported | 'stopped'
  readonly seconds: number
  /** What became of this run's records: `published`, `duplicate`, `refused-CAUSE`. */
  readonly counts: ReadonlyMap<string, number>
}

/**
 * Takes a file to the log of the configuration with an intake of its own. Nobody else may use the data directory; on Kafka instances run beside it, on
 * theirs. Throws DATA_DIR_IN_USE, CONFIG_INVALID, FILE_UNREADABLE and FILE_INVALID, and what opening the log does; what stood before a fault in the file was
 * taken.
 */
export async function importFile (request: ImportRequest): Promise<ImportSummary> {
  const { config, clock, signal, path, say, onProgress } = request
  const startedMs = clock.monotonicMs()
  await using closers = new Closers()
  const dir = closers.use(openFreeDataDir(config))
  const { feeds, folder } = await openFeeds(dir, request, closers)
  const { loaded, format } = await feedOf(folder, request)
  let running: RunningImport | undefined
  const configured: ConfiguredKind = { prepare: parts => {
    const { feed, guard } = loaded.configured.prepare(parts)
    return { feed, guard, start: context => { guard(context); running = runImport({ ...context, feed, say }, { path, format, inFlightMax: FILES_IN_FLIGHT_MAX, onProgress }); return Promise.resolve(running.connector) } }
  } }
  const feed = await feeds.start({ ...loaded, configured })
  const stopped = new Promise<'stopped'>(resolve => { signal.addEventListener('abort', () => { resolve('stopped') }) })
  const imported = await Promise.race([running!.done, stopped])
  if (imported === 'stopped') await feed[Symbol.asyncDispose]()
  return { imported, seconds: (clock.monotonicMs() - startedMs) / 1_000, counts: feed.counters }
}

function openFreeDataDir ({ dataDir, kafka }: Config): DataDir {
  try {
    return openDataDir(dataDir)
  } catch (e) {
    if (!isLatidoError(e) || e.code !== 'DATA_DIR_IN_USE') throw e
    throw new LatidoError('DATA_DIR_IN_USE', e.message, kafka === undefined ? 'stop it for the import; or let it take the file itself, from the folder of a feed of the kind "files" (docs/connectors/files.md)' : 'give the import a directory of its own with --data-dir, and the installation\'s key with --key-file', e)
  }
}

/** The log, the vault and the intake as `latido start` opens them, and nothing else. */
async function openFeeds (dir: DataDir, { config, clock, say }: ImportRequest, closers: Closers): Promise<{ readonly feeds: RunningFeeds, readonly folder: string }> {
  const logger = fileLogger(dir.path('logs', 'latido.log'), config.logLevel)
  if (config.kafka !== undefined) refuseNewKey(keyFileOf(config, dir))
  const stores = await openLogStores(dir, config, clock, closers)
  const vault = await openVault({ config, dir, stores, clock, logger }, closers)
  let redisAway = false
  const intake = await openOwnIntake({ config, dir, stores, vault, clock, onCount: (_, what) => {
    if (what !== 'seen-away' || redisAway) return
    redisAway = true
    say('Redis does not answer: what other instances have published meanwhile may be taken once more')
  } }, closers)
  const folder = config.feeds === '' ? dir.path('feeds') : config.feeds
  if (config.feeds === '') mkdirSync(folder, { recursive: true })
  return { feeds: closers.use(new RunningFeeds({ intake, clock, logger, say: () => {}, folder, env: process.env })), folder }
}

/** A key of its own would make other pseudonyms: patients of the file would be nobody whom the instances know. */
function refuseNewKey (keyFile: string): void {
  if (!existsSync(keyFile)) throw new LatidoError('CONFIG_INVALID', 'the installation\'s key is not there, and another one would make other patients of the same people', 'name the key file of the instances on this cluster with --key-file')
}

/** A feed of files of that format; or one whose mapper reads the same messages when they are sent. */
const READS: Readonly<Record<string, FormatName>> = { hl7: 'hl7', fhir: 'fhir-ndjson' }

async function feedOf (folder: string, { format: said, feed: name, config }: ImportRequest): Promise<{ readonly loaded: LoadedFeed, readonly format: FileFormat }> {
  const format = FORMAT_NAMES.find(one => one === said)
  if (format === undefined) throw new LatidoError('CONFIG_INVALID', `there is no import of "${said}"`, `choose ${FORMAT_NAMES.join(', ')}`)
  if (config.feeds === '') return await plainFeed(folder, name, format, config)
  const read = readFeed(folder, name, await connectorKinds(config.feeds), config)
  if (read.kind === 'invalid') throw feedsInvalid(read.faults)
  const { feed: loaded } = read
  const [, options] = JSON.parse(loaded.optionsText) as [string, unknown]
  if (loaded.kind.kind !== 'files') {
    if (READS[loaded.kind.kind] !== format) throw new LatidoError('CONFIG_INVALID', `the feed ${name} is of the kind ${loaded.kind.kind} and cannot read ${format}`, `name a feed of the kind "files" with the format ${format}`)
    return { loaded, format: formatOf(FILES_OPTIONS.parse({ format }), FILES_PARTS) }
  }
  const parsed = FILES_OPTIONS.parse(options)
  if (parsed.format !== format) throw new LatidoError('CONFIG_INVALID', `the feed ${name} is of files of the format ${parsed.format}, not ${format}`, 'name another feed, or the other format')
  return { loaded, format: formatOf(parsed, FILES_PARTS) }
}

/** Without a folder of feeds: the format as it is by default, and a table of codes in the data directory if there is one. */
async function plainFeed (folder: string, name: string, format: FormatName, config: Config): Promise<{ readonly loaded: LoadedFeed, readonly format: FileFormat }> {
  if (format === 'csv') throw new LatidoError('CONFIG_INVALID', 'nothing says what the columns of the file mean', 'write a feed of the kind "files" and name it with --feed and --feeds (docs/connectors/files.md)')
  const kind = (await connectorKinds('')).find(one => one.kind === 'files')!
  const configured = kind.configure({ format })
  const { codes, faults } = readCodesOf(folder, name, new Map())
  if (faults.length > 0 || configured.kind === 'invalid') throw feedsInvalid(faults)
  return {
    loaded: { name, kind, configured: configured.configured, optionsText: '', mapping: { site: '', zone: config.zone, codes, units: new Map(), namespaces: new Map() } },
    format: formatOf(FILES_OPTIONS.parse({ format }), FILES_PARTS),
  }
}
