import { mkdirSync } from 'node:fs'
import { orthancConnector } from '../../../connectors/dicom/index.ts'
import { fhirConnector } from '../../../connectors/fhir/index.ts'
import { hl7Connector, startHl7 } from '../../../connectors/hl7/index.ts'
import { type Connector, type OpenIntake, PLAIN_MAPPING } from '../../../connectors/kit/index.ts'
import { mqttBrokerConnector, mqttConnector } from '../../../connectors/mqtt/index.ts'
import { telemedicineConnector } from '../../../connectors/telemedicine/index.ts'
import { assert, LatidoError } from '../../../streams/errors/index.ts'
import type { Clock } from '../../../streams/time/index.ts'
import { anyKind, type AnyKind, type Config, feedsInvalid, type LoadedFeed, readCodesOf, readFeeds } from '../../config/index.ts'
import type { Logger, Metrics } from '../../telemetry/index.ts'
import type { Closers } from '../closers.ts'
import type { DataDir } from '../data-dir.ts'
import { RunningFeeds } from '../feeds/index.ts'
import { filesConnector } from './files-connector.ts'
import { ownKinds } from '../own-connectors/index.ts'

/** The kinds of connectors that a feed may name. A new one is a line here: `anyKind(nameConnector)`. */
export const CONNECTOR_KINDS: readonly AnyKind[] = [
  anyKind(fhirConnector),
  anyKind(filesConnector),
  anyKind(hl7Connector),
  anyKind(mqttConnector),
  anyKind(mqttBrokerConnector),
  anyKind(orthancConnector),
  anyKind(telemedicineConnector),
]

/** Those, and the user's own in the folder of feeds. Throws CONNECTOR_INVALID. */
export async function connectorKinds (folder: string): Promise<readonly AnyKind[]> { return [...CONNECTOR_KINDS, ...(await ownKinds(folder, CONNECTOR_KINDS.map(({ kind }) => kind))).map(anyKind)] }

/** The feeds of the folder of --feeds, and the kinds that they may name. */
export interface ConfiguredFeeds { readonly kinds: readonly AnyKind[], readonly feeds: readonly LoadedFeed[] }

/** Reads them, and opens nothing; undefined where no folder is named, or no messages are taken. Throws CONFIG_INVALID or FILE_INVALID with all that is wrong, FILE_UNREADABLE, CONNECTOR_INVALID. */
export async function readConfiguredFeeds (config: Config): Promise<ConfiguredFeeds | undefined> {
  if (config.feeds === '' || config.connectors === 'off') return undefined
  const kinds = await connectorKinds(config.feeds)
  const { feeds, faults } = readFeeds(config.feeds, kinds, config)
  if (faults.length > 0) throw feedsInvalid(faults)
  if (feeds.length === 0) throw new LatidoError('CONFIG_INVALID', 'the folder of --feeds has no feed', 'write NAME.json there, or leave --feeds out for HL7 and MQTT on their ports')
  return { kinds, feeds }
}

export interface ConnectorParts {
  readonly config: Config
  /** The feeds of a folder; undefined: one of HL7 and one of MQTT, on the ports of the options. */
  readonly configured: ConfiguredFeeds | undefined
  readonly dir: DataDir
  readonly intake: OpenIntake
  readonly clock: Clock
  readonly metrics: Metrics
  readonly logger: Logger
  readonly say: (line: string) => void
}

export interface OpenConnectors {
  readonly feeds: RunningFeeds
  /** Those of the feeds as they run now. */
  connectors (): readonly Connector[]
}

/** Every configured feed with its connector. Throws FILE_INVALID where a table of codes in the data directory has faults, and what a connector throws. */
export async function openConnectors (parts: ConnectorParts, closers: Closers): Promise<OpenConnectors> {
  const { config, configured, dir, intake, clock, metrics, logger, say } = parts
  const folder = configured === undefined ? dir.path('feeds') : config.feeds
  if (configured === undefined) mkdirSync(folder, { recursive: true })
  const loaded = configured?.feeds ?? defaultFeeds(config, folder)
  const feeds = closers.use(new RunningFeeds({ intake, clock, logger, say, folder, env: process.env, onCount: (feed, what, n) => { metrics.feedMessages.inc({ feed, what }, n) }, ...configured === undefined ? { context: ({ name }) => name === 'mqtt' ? { table: <T>(table: string) => intake.table<T>(table) } : {} } : { files: { kinds: configured.kinds, defaults: config } } })) // devices were known before there were feeds
  for (const one of loaded) await feeds.start(one)
  return { feeds, connectors: () => feeds.connectors }
}

/** Without a folder of feeds: one of each, on the ports of the options; their tables of codes are in the data directory. */
function defaultFeeds (config: Config, folder: string): readonly LoadedFeed[] {
  const { host, mllpPort, mqttPort, mqttUser, mqttPasswordFile } = config
  return [
    defaultFeed('hl7', anyKind(config.allowExposed ? exposedHl7 : hl7Connector), { host, port: mllpPort }),
    defaultFeed('mqtt', anyKind(mqttConnector), { host, port: mqttPort, ...mqttUser === '' ? {} : { username: mqttUser, password: { file: mqttPasswordFile } } }),
  ].map(feed => {
    const { codes, faults } = readCodesOf(folder, feed.name, new Map())
    if (faults.length > 0) throw feedsInvalid(faults)
    return { ...feed, mapping: { ...PLAIN_MAPPING, zone: config.zone, codes } }
  })
}

/** --allow-exposed says that something else keeps strangers away. */
const exposedHl7: typeof hl7Connector = { ...hl7Connector, start: ({ feed, clock }, { host, port, limits, tls }) => startHl7({ host, port, feed, clock, limits, tls }) }

function defaultFeed (name: string, kind: AnyKind, options: object): Omit<LoadedFeed, 'mapping'> {
  const configured = kind.configure(options)
  assert(configured.kind === 'ok', `the options of the default feed ${name} are those of its kind`)
  return { name, kind, configured: configured.configured, optionsText: '' }
}
