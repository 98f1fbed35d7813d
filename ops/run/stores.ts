import { residentStore } from '../../features/serving/index.ts'
import { type OnlineStore, openEmbeddedOnlineStore, type WaitingStore } from '../../features/online/index.ts'
import { openSnapshotStore, openTopicSnapshots, type SnapshotStore } from '../../streams/engine/index.ts'
import { type Lookup, rememberedRegistry, SchemaBook, topicSpecs } from '../../streams/events/index.ts'
import { type Log, openEmbeddedLog, openKafkaLog } from '../../streams/log/index.ts'
import type { Clock, DurationMs } from '../../streams/time/index.ts'
import type { LogStatus } from '../../dashboards/server/index.ts'
import type { Config, KafkaConfig } from '../config/index.ts'
import type { Closers } from './closers.ts'
import { openCodecs, type Codecs } from './codecs.ts'
import type { DataDir } from './data-dir.ts'
import { bindToLog, clusterTopics, kafkaOptionsOf, openProvisioning, openSchemaStorage, prefixedLog, refuseUnprovisioned } from './log/index.ts'
import { embeddedOwner } from './online/index.ts'

/** A log with its topics, and how what stands on them is written and read. */
export interface LogStores extends Codecs {
  readonly log: Log
  /** Which log it is, and what chose it. */
  readonly driver: LogStatus['driver']
  readonly why: string
}

export interface Stores extends LogStores {
  readonly online: OnlineStore
  /** The process is to stop: writes that wait for the online store fail. */
  readonly stopWaiting: () => void
  readonly snapshots: SnapshotStore
}

export interface StoreOptions {
  readonly clock: Clock
  readonly partitions: number
  readonly retentionMs: DurationMs
  readonly replay: boolean
  readonly openOnline?: OpenOnline | undefined
}

/** Opens another online store than the embedded one; `owner` says which log's rows it has. */
export type OpenOnline = (owner: string) => Promise<WaitingStore>

/** Opens the embedded log with its topics, the schemas, and the online store. */
export async function openStores (dir: DataDir, options: StoreOptions, closers: Closers): Promise<Stores> {
  const stores = await openEmbedded(dir, options, closers)
  return { ...stores, snapshots: closers.use(openSnapshotStore(dir.path('snapshots'))), ...await openOnline(dir, options.openOnline, () => embeddedOwner(dir), closers) }
}

/** The log of the configuration alone, for one who only writes to it. Throws what `openStores` and `openKafkaStores` do. */
export async function openLogStores (dir: DataDir, config: Config, clock: Clock, closers: Closers): Promise<LogStores> {
  const { kafka, partitions, retentionMs } = config
  return kafka === undefined ? await openEmbedded(dir, { clock, partitions, retentionMs, replay: false }, closers) : (await openCluster(dir, config, kafka, { clock, onLookup: () => {} }, closers)).stores
}

async function openEmbedded (dir: DataDir, options: Omit<StoreOptions, 'openOnline'>, closers: Closers): Promise<LogStores> {
  bindToLog(dir, 'embedded')
  const log = closers.use(await openEmbeddedLog({ directory: dir.path('log'), clock: options.clock }))
  await log.ensureTopics(topicSpecs(options))
  const book = await SchemaBook.open({ url: 'mock://latido', storage: closers.use(openSchemaStorage(dir.path('schemas'))) })
  return { log, driver: 'embedded', why: '', ...await openCodecs(book) }
}

/**
 * The same on a Kafka cluster. Checks topics and schemas first, and refuses what would break a rule (TOPIC_MISMATCH, NOT_PROVISIONED,
 * SCHEMA_INCOMPATIBLE, REGISTRY_MISMATCH); changes nothing there.
 */
export async function openKafkaStores (dir: DataDir, config: Config, kafka: KafkaConfig, options: ClusterOptions & { readonly openOnline?: OpenOnline | undefined }, closers: Closers): Promise<Stores> {
  const { stores, name } = await openCluster(dir, config, kafka, options, closers)
  const snapshots = closers.use(openTopicSnapshots({ log: stores.log, clock: options.clock, directory: dir.path('snapshots') }))
  return { ...stores, snapshots, ...await openOnline(dir, options.openOnline, () => name, closers) }
}

interface ClusterOptions { readonly clock: Clock, readonly onLookup: (id: number, became: Lookup) => void }

async function openCluster (dir: DataDir, config: Config, kafka: KafkaConfig, { clock, onLookup }: ClusterOptions, closers: Closers): Promise<{ readonly stores: LogStores, readonly name: string }> {
  const { topicPrefix } = kafka
  await using provisioning = await openProvisioning(config, kafka, clock)
  refuseUnprovisioned(await provisioning.plan())
  const name = `kafka ${await provisioning.clusterId()} ${topicPrefix}`
  bindToLog(dir, name)
  const storage = closers.use(openSchemaStorage(dir.path('schemas')))
  const book = await SchemaBook.over(rememberedRegistry(provisioning.registry, storage), { clock, topicPrefix, onLookup })
  const { log: cluster, driver, why } = await openKafkaLog(kafkaOptionsOf(kafka, clock))
  const log = prefixedLog(closers.use(cluster), topicPrefix)
  await log.ensureTopics(clusterTopics(config))
  return { stores: { log, driver, why, ...await openCodecs(book) }, name }
}

async function openOnline (dir: DataDir, open: OpenOnline | undefined, owner: () => string, closers: Closers): Promise<Pick<Stores, 'online' | 'stopWaiting'>> {
  if (open === undefined) return { online: closers.use(residentStore(openEmbeddedOnlineStore(dir.path('online')))), stopWaiting: () => {} }
  const online = closers.use(await open(owner()))
  return { online, stopWaiting: () => { online.giveUp() } }
}
