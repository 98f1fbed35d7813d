import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { existsSync } from 'node:fs'
import type { Connector } from '../../connectors/kit/index.ts'
import { runSimulator, seededRandom } from '../../connectors/simulator/index.ts'
import { type PipelineStatus, startDashboards } from '../../dashboards/server/index.ts'
import { type OfflineStore, type OfflineWriter, runOfflineWriter } from '../../features/offline/index.ts'
import type { FeatureView } from '../../features/define/index.ts'

import { LatidoError, messageOf } from '../../streams/errors/index.ts'
import type { Lookup } from '../../streams/events/index.ts'
import type { Clock } from '../../streams/time/index.ts'
import { type Config, redacted } from '../config/index.ts'
import { fileLogger, type Logger, type Metrics, openMetrics } from '../telemetry/index.ts'
import { Closers } from './closers.ts'
import { openConnectors, openOwnIntake, openVault, readConfiguredFeeds } from './intake/index.ts'
import { openCdsHooks, openSenders, retryOf } from './outbound/index.ts'
import { acknowledge, Changes, dashboardSources } from './dashboard-sources.ts'
import { Board, BoardProjector, boardRescanMs, openBoardIndex, watchedStore } from './board/index.ts'
import { openDataDir, type DataDir } from './data-dir.ts'
import { OFFLINE_TOPICS, offlineDecode, openOfflineStore, SkewMonitor, startRollups } from './offline/index.ts'
import { meteredLog } from './log/index.ts'
import { openPipeline } from './pipeline.ts'
import { openRedisOnline, openServing } from './online/index.ts'
import { PipelineMonitor } from './status.ts'
import { openKafkaStores, openStores, type Stores } from './stores.ts'
import { dependentsOf, loadOwnViews, openViewSet, runningCatalogue, ViewBuilds, withStandard } from './views/index.ts'
import { DeadLetterReader, Desk } from './dead-letters/index.ts'
import { VERSION } from './version.ts'

const SAMPLE_MS = 1_000
const RETENTION_MS = 60_000
/** A cluster is asked less often: each sample asks each partition. */
const KAFKA_SAMPLE_MS = 3_000
const KAFKA_RETENTION_MS = 600_000

export interface RunningLatido extends AsyncDisposable {
  readonly url: string
  readonly endpoints: readonly string[]
  /** Resolves never, or rejects with what ended the pipeline. */
  readonly failed: Promise<never>
}

/** The whole product in one process. `say` tells the person at the terminal what is happening. */
export async function startLatido (config: Config, clock: Clock, say: (line: string) => void): Promise<RunningLatido> {
  const closers = new Closers()
  try {
    return await open(config, clock, say, closers)
  } catch (e) {
    await closers[Symbol.asyncDispose]().catch(() => {})
    throw e
  }
}

async function open (config: Config, clock: Clock, say: (line: string) => void, closers: Closers): Promise<RunningLatido> {
  const configured = await readConfiguredFeeds(config) // before the stores are opened, which takes its time
  const dir = closers.use(openDataDir(config.dataDir))
  const logger = fileLogger(dir.path('logs', 'latido.log'), config.logLevel)
  logger.info({ config: redacted(config) }, 'starting')
  const metrics = openMetrics()
  const own = await loadOwnViews(config.features)
  const defined = withStandard(own)
  const stores = await openLog(config, dir, clock, say, logger, metrics, closers)
  const views = await openViewSet(stores.log, { views: defined, dependents: await dependentsOf(config.model, defined), mayPublish: config.kafka === undefined ? 'yes' : 'no', say })
  const served = (): readonly FeatureView[] => views.patientViews.filter(view => view.version === views.aliases.versionOf(view.name))
  const changes = new Changes(clock)
  const vault = await openVault({ config, dir, stores, clock, logger, onLearned: () => { changes.mark() } }, closers)
  const failure = new Failure()
  const index = closers.use(await openBoardIndex(config, clock, logger))
  const board = new Board({ online: stores.online, index, clock, views: served, ...boardRescanMs(config) })
  const projector = closers.use(await BoardProjector.start({ board, index, clock, logger }))
  const online = watchedStore(stores.online, patients => { board.changed(patients); projector.changed(patients); changes.mark() })

  say('starting the offline store')
  const offline = await openOffline(config, dir, stores, views.views, clock, logger, metrics, closers, failure)
  say(offline.store === undefined ? `offline store off: ${offline.why}` : 'offline store on')

  say('restoring state and starting the processors')
  let monitor: PipelineMonitor | undefined
  const pipeline = await openPipeline({ ...stores, online }, {
    clock, logger, sealer: vault, model: config.model, views, driftWindowMs: config.driftWindowMs, ownsTicks: true,
    alerts: { dwellMs: config.alertDwellMs, noDataAfterMs: config.noDataAfterMs },
    onApplied: applied => monitor?.applied(applied),
    onAlert: change => {
      metrics.alerts.inc({ rule: change.rule, state: change.state })
      metrics.alertLatency.observe(Math.max(0, clock.now() - change.changedAt) / 1_000)
    },
  }, closers)
  const letters = new DeadLetterReader({ log: stores.log, codecs: stores.codecs, foreignRecords: stores.driver !== 'embedded' })
  const running = (monitor = new PipelineMonitor({ log: stores.log, driver: stores.driver, why: stores.why, clock, letters, metrics, processors: pipeline.processors }))
  for (const processor of pipeline.processors) failure.watch(processor.run())
  closers.use({ [Symbol.dispose]: stores.stopWaiting }) // before the processors are stopped
  closers.use(new ViewBuilds({ log: stores.log, set: views, clock, say, onFailure: e => { failure.fail(e) } }))
  say(pipeline.models.sepsis === undefined ? 'no sepsis model: scores are off' : `sepsis model ${pipeline.models.sepsis.version} scores every vector`)

  const takes = config.connectors === 'on'
  const intake = takes || config.hl7Out !== '' || config.fhirOut !== '' ? await openOwnIntake({ config, dir, stores, vault, clock, onCount: (source, what, n) => { running.count(source, what, n) } }, closers) : undefined
  const opened = intake === undefined || !takes ? undefined : await openConnectors({ config, configured, dir, intake, clock, metrics, logger, say }, closers)
  const senders = intake === undefined ? [] : await openSenders(config, { stores, vault, intake, clock, views: served, say }, closers)
  const hooks = config.cdsHooks === '' ? [] : [closers.use(await openCdsHooks(config.cdsHooks, {
    vault, clock, patient: key => board.patient(key), count: (source, what, n = 1) => { running.count(source, what, n) },
    acknowledge: async (alertId, by) => (await acknowledge(stores, board, alertId, by)).kind === 'accepted',
  }))]
  const connectors = (): readonly Connector[] => [...opened?.connectors() ?? [], ...senders, ...hooks]
  const desk = new Desk({ letters, log: stores.log, codecs: stores.codecs, sealer: vault, clock, logger, feedOf: name => opened?.feeds.feedOf(name) ?? retryOf(senders, name), onOpened: () => { metrics.deadLettersOpened.inc() } })
  let ready = false
  const dashboards = closers.use(await startDashboards({
    host: config.host, port: config.httpPort, allowExposed: config.allowExposed, logger, webRoot: webRoot(),
    features: openServing({ store: stores.online, views: views.views, names: views.aliases, clock, metrics }),
    sources: dashboardSources({
      clock, version: VERSION, log: stores.log, codecs: stores.codecs, online: stores.online, board, views: served, catalogue: await runningCatalogue(views, config.model, own), search: query => projector.search(query), vault, metrics, offline: offline.store, changes, ready: () => ready,
      pipeline: () => running.status(connectors(), offline.status()), connectors, feeds: opened?.feeds, deadLetters: desk,
    }),
  }))
  const embedded = stores.driver === 'embedded'
  const sampled = running.sample()
  if (embedded) await sampled; else failure.watch(sampled) // a cluster that is slow to answer what the page shows holds nothing up
  closers.use(every(clock, embedded ? SAMPLE_MS : KAFKA_SAMPLE_MS, () => { void running.sample().catch(e => { failure.fail(e) }) }))
  closers.use(every(clock, embedded ? RETENTION_MS : KAFKA_RETENTION_MS, () => { void stores.log.enforceRetention().catch(e => { if (embedded) failure.fail(e); else logger.warn({ cause: messageOf(e) }, 'old records could not be deleted; tried again later') }) }))
  const listening = opened?.connectors() ?? [] // never where we send to
  if (config.simulate === 'ward' && listening.length > 0) {
    say(`simulating a ward of ${config.patients} patients${config.speed === 1 ? '' : ` at ${config.speed} times the speed of life`}`)
    closers.use(runSimulator({ clock, random: seededRandom(config.seed), hl7: target(listening, 'mllp:'), mqtt: target(listening, 'mqtt:'), patients: config.patients, speed: config.speed }))
  }
  ready = true
  logger.info({ url: dashboards.url }, 'ready')
  return {
    url: dashboards.url,
    endpoints: connectors().map(c => c.endpoint),
    failed: failure.promise,
    [Symbol.asyncDispose]: async () => {
      ready = false
      logger.info({}, 'stopping')
      await closers[Symbol.asyncDispose]()
      logger.info({}, 'stopped')
    },
  }
}

/** The embedded log, or the Kafka cluster of the configuration, with the stores. */
async function openLog (config: Config, dir: DataDir, clock: Clock, say: (line: string) => void, logger: Logger, metrics: Metrics, closers: Closers): Promise<Stores> {
  const { kafka, redis } = config
  const openOnline = redis === undefined ? undefined : (owner: string) => { say(`connecting to Redis at ${redis.nodes.map(n => `${n.host}:${n.port}`).join(',')}`); return openRedisOnline(redis, owner, { clock, logger, metrics }) }
  if (kafka === undefined) {
    say(`opening the log and the stores in ${config.dataDir}`)
    const stores = await openStores(dir, { clock, partitions: config.partitions, retentionMs: config.retentionMs, replay: false, openOnline }, closers)
    return { ...stores, log: meteredLog(stores.log, metrics, clock) }
  }
  say(`checking topics and schemas at ${kafka.brokers.join(', ')}`)
  const onLookup = (id: number, became: Lookup): void => {
    metrics.schemaLookups.inc({ became })
    if (became === 'found') logger.info({ id }, 'a newer producer\'s schema was looked up'); else logger.warn({ id, became }, 'a schema id is not known; its records go to the dead letters')
  }
  const stores = await openKafkaStores(dir, config, kafka, { clock, onLookup, openOnline }, closers)
  say(`Kafka by driver ${stores.driver}: ${stores.why}`)
  logger.info({ driver: stores.driver, why: stores.why }, 'the log is open')
  return { ...stores, log: meteredLog(stores.log, metrics, clock) }
}

interface Offline { readonly store: OfflineStore | undefined, readonly why: string, status (): PipelineStatus['offline'] }

async function openOffline (config: Config, dir: DataDir, stores: Stores, views: readonly FeatureView[], clock: Clock, logger: Logger, metrics: Metrics, closers: Closers, failure: Failure): Promise<Offline> {
  const off = (why: string): Offline => ({ store: undefined, why, status: () => ({ state: 'off', why }) })
  const started = await openOfflineStore(config, dir, { clock, logger, views, mayBeAway: true }, closers)
  if (started.kind === 'off') return off(started.why)
  const { store } = started
  const consumer = closers.use(stores.log.consumer({ group: 'latido-offline', instance: randomUUID(), topics: OFFLINE_TOPICS, from: 'earliest' }))
  const writer: OfflineWriter = closers.use(runOfflineWriter({ consumer, store, decode: offlineDecode(stores.codecs, stores.vectors, stores.inference), clock, logger }))
  failure.watch(writer.done)
  closers.use(startRollups(store, clock, logger))
  if (config.skewEveryMs > 0) closers.use(new SkewMonitor({ sql: store.sql, views: views.filter(({ entity }) => entity === 'patient'), clock, metrics, logger, everyMs: config.skewEveryMs, caughtUp: () => writer.state === 'on' && started.state() === 'on' }))
  return { store, why: '', status: () => ({ state: writer.state === 'on' && started.state() === 'on' ? 'on' : 'away', why: writer.state === 'away' ? 'the store does not answer; the log waits' : '' }) }
}

/** The first failure of anything that runs in the background. */
class Failure {
  readonly promise: Promise<never>
  fail!: (cause: unknown) => void
  constructor () {
    this.promise = new Promise<never>((_resolve, reject) => { this.fail = reject })
    this.promise.catch(() => {})
  }

  watch (work: Promise<unknown>): void { work.catch(e => { this.fail(e) }) }
}

function every (clock: Clock, ms: number, run: () => void): Disposable {
  const stop = clock.every(ms, run)
  return { [Symbol.dispose]: stop }
}

/** Where the simulated ward sends. Throws CONFIG_INVALID where no feed listens for it. */
function target (connectors: readonly Connector[], protocol: 'mllp:' | 'mqtt:'): { host: string, port: number } {
  const url = connectors.map(({ endpoint }) => new URL(endpoint)).find(one => one.protocol === protocol)
  if (url === undefined) throw new LatidoError('CONFIG_INVALID', `the simulated ward has nowhere to send to: no feed listens on ${protocol}//`, 'say --simulate off, or add feeds of hl7 and mqtt')
  return { host: url.hostname, port: Number(url.port) }
}

/** The built pages: beside the compiled code, or in `dist` when run from source. */
function webRoot (): string | undefined {
  for (const place of ['../../web/', '../../dist/web/']) {
    const folder = fileURLToPath(new URL(place, import.meta.url))
    if (existsSync(`${folder}index.html`)) return folder
  }
  return undefined
}

