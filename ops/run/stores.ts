import { residentStore } from '../../features/serving/index.ts'
import { openEmbeddedOnlineStore, type OnlineStore, type WaitingStore } from '../../features/online/index.ts'
import { openSnapshotStore, openTopicSnapshots, type SnapshotStore } from '../../streams/engine/index.ts'
import { rememberedRegistry, SchemaBook, topicSpecs, type Lookup } from '../../streams/events/index.ts'
import { openEmbeddedLog, openKafkaLog, type Log } from '../../streams/log/index.ts'
import type { Clock, DurationMs } from '../../streams/time/index.ts'
import type { LogStatus } from '../../dashboards/server/index.ts'
import type { Config, KafkaConfig } from '../config/index.ts'
import type { Closers } from './closers.ts'
import { openCodecs, type Codecs } from './codecs.ts'
import type { DataDir } from './data-dir.ts'
import { kafkaOptionsOf } from './kafka-options.ts'
import { bindToLog } from './log-binding.ts'
import { prefixedLog } from './prefixed-log.ts'
import { embeddedOwner } from './redis-online.ts'
import { openProvisioning, refuseUnprovisioned } from './provision.ts'
import { openSchemaStorage } from './schema-storage.ts'
import { clusterTopics } from './topics.ts'

export interface Stores extends Codecs {
  readonly log: Log
  readonly online: OnlineStore
  /** The process is to stop: writes that wait for the online store fail. */
  readonly stopWaiting: () => void
  readonly snapshots: SnapshotStore
  /** Which log it is, and what chose it. */
  readonly driver: LogStatus['driver']
  readonly why: string
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
  bindToLog(dir, 'embedded')
  const log = closers.use(await openEmbeddedLog({ directory: dir.path('log'), clock: options.clock }))
  await log.ensureTopics(topicSpecs(options))
  const book = await SchemaBook.open({ url: 'mock://latido', storage: closers.use(openSchemaStorage(dir.path('schemas'))) })
  return { log, driver: 'embedded', why: '', ...await openCodecs(book), snapshots: closers.use(openSnapshotStore(dir.path('snapshots'))), ...await openOnline(dir, options.openOnline, () => embeddedOwner(dir), closers) }
}

/**
 * The same on a Kafka cluster. Checks topics and schemas first, and refuses what would break a rule (TOPIC_MISMATCH, NOT_PROVISIONED,
 * SCHEMA_INCOMPATIBLE, REGISTRY_MISMATCH); changes nothing there.
 */
export async function openKafkaStores (dir: DataDir, config: Config, kafka: KafkaConfig, options: { readonly clock: Clock, readonly onLookup: (id: number, became: Lookup) => void, readonly openOnline?: OpenOnline | undefined }, closers: Closers): Promise<Stores> {
  const { clock, onLookup } = options
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
  const snapshots = closers.use(openTopicSnapshots({ log, clock, directory: dir.path('snapshots') }))
  return { log, driver, why, ...await openCodecs(book), snapshots, ...await openOnline(dir, options.openOnline, () => name, closers) }
}

async function openOnline (dir: DataDir, open: OpenOnline | undefined, owner: () => string, closers: Closers): Promise<Pick<Stores, 'online' | 'stopWaiting'>> {
  if (open === undefined) return { online: closers.use(residentStore(openEmbeddedOnlineStore(dir.path('online')))), stopWaiting: () => {} }
  const online = closers.use(await open(owner()))
  return { online, stopWaiting: () => { online.giveUp() } }
}
