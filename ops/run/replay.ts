import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { HistoricalSource } from '../../connectors/files/index.ts'
import { type OfflineWriter, openClickHouseOffline, runOfflineWriter, startEngine } from '../../features/offline/index.ts'
import { partitionFor } from '../../streams/codec/index.ts'
import type { RunningProcessor } from '../../streams/engine/index.ts'
import { LatidoError } from '../../streams/errors/index.ts'
import { TOPICS } from '../../streams/events/index.ts'
import type { Log, OutRecord, Producer } from '../../streams/log/index.ts'
import { ManualClock, systemClock } from '../../streams/time/index.ts'
import { IdentityVault } from '../security/index.ts'
import { fileLogger } from '../telemetry/index.ts'
import { Closers } from './closers.ts'
import { openDataDir, type DataDir } from './data-dir.ts'
import { OFFLINE_TOPICS, offlineDecode } from './offline/index.ts'
import { openPipeline } from './pipeline.ts'
import { openStores, type Stores } from './stores.ts'
import { definedViews, openViewSet, type ViewSet } from './views/index.ts'

const PARTITIONS = 4
const CHUNK_MESSAGES = 2_000
/** The machines hear of the time at least this often, in the time of the recording. */
const TICK_EVERY_MS = 60_000
/** The log of a replay keeps what is still being read, and little more. */
const RETENTION_MS = 2 * 3_600_000
const TRIM_EVERY_RECORDS = 400_000
/** Records that the offline store may be behind before the replay waits for it. */
const OFFLINE_LAG_MAX = 100_000
const OFFLINE_WAIT_MS = 50

export interface ReplayOptions {
  readonly dataDir: string
  readonly offline: 'embedded' | 'off'
  readonly model: string
  /** Folder of the user's own views; empty: none. */
  readonly features: string
  readonly driftWindowMs: number
  readonly onProgress: (share: number) => void
  readonly say: (line: string) => void
}

export interface ReplaySummary {
  readonly messages: number
  readonly patients: number
  readonly seconds: number
  readonly records: Readonly<Record<string, number>>
  readonly alerts: Readonly<Record<string, number>>
  readonly refused: Readonly<Record<string, number>>
  readonly offline: string
}

/**
 * Runs a recording through the whole pipeline with its own arrival times: log, features, scores, alerts, drift, offline store, in a data directory
 * of its own. The log's clock is the recording's; ticks come from here. Throws CONFIG_INVALID if the directory was used before.
 */
export async function replaySource (source: HistoricalSource, options: ReplayOptions): Promise<ReplaySummary> {
  if (existsSync(join(options.dataDir, 'log'))) throw new LatidoError('CONFIG_INVALID', `${options.dataDir} holds an earlier replay or a live log`, 'choose another --data-dir, or delete it')
  const startedMs = systemClock.monotonicMs()
  await using closers = new Closers()
  const dir = closers.use(openDataDir(options.dataDir))
  const logger = fileLogger(dir.path('logs', 'latido.log'), 'info')
  const clock = new ManualClock()
  // The log waits by the machine's clock; stamps come with the records.
  const stores = await openStores(dir, { clock: systemClock, partitions: PARTITIONS, retentionMs: RETENTION_MS, replay: true }, closers)
  const vault = closers.use(new IdentityVault({ directory: dir.path('identity'), keyFile: dir.path('keys', 'master.key'), publish: () => Promise.resolve() }))
  const alerts: Record<string, number> = {}
  const views = await openViewSet(stores.log, { views: await definedViews(options.features), dependents: [], mayPublish: 'yes', say: () => {} })
  const { processors } = await openPipeline(stores, {
    clock, logger, sealer: vault, model: options.model, views, alerts: {}, driftWindowMs: options.driftWindowMs, ownsTicks: false, engine: { snapshotIntervalMs: Number.POSITIVE_INFINITY },
    onAlert: ({ rule, raisedAt, changedAt }) => { if (raisedAt === changedAt) alerts[rule] = (alerts[rule] ?? 0) + 1 },
  }, closers)
  const offline = await openReplayOffline(dir, stores, views, options, closers)
  const feed = new Feed(source, stores, vault, clock, processors, offline)
  await feed.run(options.onProgress)
  await offline?.stop()
  const records: Record<string, number> = {}
  for (const { name } of stores.log.topics()) records[name] = await endOf(stores.log, name)
  return {
    messages: source.messages, patients: source.patients, seconds: (systemClock.monotonicMs() - startedMs) / 1_000, records, alerts, refused: Object.fromEntries(source.refused),
    offline: offline === undefined ? 'off' : `${offline.counters.records} records stored`,
  }
}

async function openReplayOffline (dir: DataDir, stores: Stores, views: ViewSet, options: ReplayOptions, closers: Closers): Promise<OfflineWriter | undefined> {
  if (options.offline === 'off') return undefined
  const started = await startEngine({ directory: dir.path('offline'), clock: systemClock })
  if (started.kind === 'off') { options.say(`offline store off: ${started.why}`); return undefined }
  const engine = closers.use(started.engine)
  const store = closers.use(await openClickHouseOffline({ url: () => engine.url, username: 'latido', password: engine.token, clock: systemClock }))
  for (const view of views.views) await store.registerView(view.name, view.version, view.names, view.units)
  const consumer = closers.use(stores.log.consumer({ group: 'latido-offline', instance: randomUUID(), topics: OFFLINE_TOPICS, from: 'earliest' }))
  return closers.use(runOfflineWriter({ consumer, store, decode: offlineDecode(stores.codecs, stores.vectors, stores.inference), clock: systemClock }))
}

/** Moves a recording into the log a chunk at a time, and lets every processor finish each chunk. */
class Feed {
  readonly #source: HistoricalSource
  readonly #stores: Stores
  readonly #vault: IdentityVault
  readonly #clock: ManualClock
  readonly #processors: readonly RunningProcessor[]
  readonly #offline: OfflineWriter | undefined
  readonly #producer: Producer
  #pending: OutRecord[][] = Array.from({ length: PARTITIONS }, () => [])
  readonly #identities: Promise<unknown>[] = []
  #count = 0
  #ticked = 0
  #trimmedAt = 0

  constructor (source: HistoricalSource, stores: Stores, vault: IdentityVault, clock: ManualClock, processors: readonly RunningProcessor[], offline: OfflineWriter | undefined) {
    this.#source = source
    this.#stores = stores
    this.#vault = vault
    this.#clock = clock
    this.#processors = processors
    this.#offline = offline
    this.#producer = stores.log.producer()
  }

  async run (onProgress: (share: number) => void): Promise<void> {
    for await (const { patientId, arrival, event } of this.#source) {
      if (arrival - this.#ticked >= TICK_EVERY_MS) this.#tick(arrival)
      this.#clock.set(arrival)
      const key = Buffer.from(this.#vault.pseudonymOf(patientId))
      this.#identities.push(this.#vault.identify({ id: patientId }))
      this.#pending[partitionFor(key, PARTITIONS)]!.push({ key, value: this.#stores.codecs.encode(event), timestamp: arrival })
      if (++this.#count % CHUNK_MESSAGES !== 0) continue
      await this.#flush()
      onProgress(this.#source.progress())
    }
    this.#tick(this.#clock.now() + TICK_EVERY_MS)
    await this.#flush()
    onProgress(1)
  }

  #tick (at: number): void {
    const value = this.#stores.codecs.encode({ type: 'tick' })
    for (const records of this.#pending) records.push({ key: null, value, timestamp: at })
    this.#ticked = at
  }

  async #flush (): Promise<void> {
    const pending = this.#pending
    this.#pending = pending.map(() => [])
    await Promise.all(this.#identities.splice(0))
    await Promise.all(pending.map((records, partition) => records.length === 0 ? undefined : this.#producer.append({ topic: TOPICS.events, partition }, records)))
    for (const processor of this.#processors) while (await processor.step(0) > 0);
    await this.#awaitOffline(OFFLINE_LAG_MAX)
    const end = await endOf(this.#stores.log, TOPICS.features)
    if (end - this.#trimmedAt < TRIM_EVERY_RECORDS) return
    this.#trimmedAt = end
    await this.#awaitOffline(0)
    await this.#stores.log.enforceRetention(this.#clock.now())
  }

  /** Lets the offline store catch up: nothing is trimmed that it has not read. */
  async #awaitOffline (lagMax: number): Promise<void> {
    if (this.#offline === undefined) return
    while (await this.#offlineLag() > lagMax) await Promise.race([systemClock.sleep(OFFLINE_WAIT_MS), this.#offline.done])
  }

  async #offlineLag (): Promise<number> {
    let lag = 0
    for (const topic of OFFLINE_TOPICS) {
      for (let partition = 0; partition < this.#stores.log.partitionsOf(topic); partition++) {
        const of = { topic, partition }
        lag += (await this.#stores.log.range(of)).end - (await this.#stores.log.committedOffset('latido-offline', of) ?? 0)
      }
    }
    return lag
  }
}

async function endOf (log: Log, topic: string): Promise<number> {
  let end = 0
  for (let partition = 0; partition < log.partitionsOf(topic); partition++) end += (await log.range({ topic, partition })).end
  return end
}
