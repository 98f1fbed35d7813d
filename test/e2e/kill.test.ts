import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runOfflineWriter, startEngine } from '../../features/offline/index.ts'
import { openEmbeddedOnlineStore } from '../../features/online/index.ts'
import { onlineValue, tableOf } from '../../features/serving/index.ts'
import { STANDARD_VIEWS } from '../../features/views/index.ts'
import { ALERT_DEFAULTS } from '../../inference/alerts/index.ts'
import { loadModels } from '../../ops/run/models.ts'
import { Closers } from '../../ops/run/closers.ts'
import { OFFLINE_TOPICS, offlineDecode } from '../../ops/run/offline/index.ts'
import { patientKeyOf, TOPICS } from '../../streams/events/index.ts'
import { systemClock } from '../../streams/time/index.ts'
import { storeOn } from '../kit/offline-store.ts'
import { SeededRandom } from '../kit/random.ts'
import { freePorts } from '../kit/servers/index.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { openLeftovers, pipelineOf, startCli, until, type Cli, type CliOptions, type Leftovers } from './kit/index.ts'
import { replayCalmly, type Calm } from './kit/replay.ts'
import { runHospital, runMonitor, type Acknowledged } from './kit/senders.ts'

const SEED = Number(process.env['LATIDO_KILL_SEED'] ?? 1)
const KILLS = Number(process.env['LATIDO_KILLS'] ?? 5)
const PARTITIONS = 2
const DWELL_MS = 500
const NO_DATA_MS = 2_000
/** Ticks of a partition, one a second, after which nothing more comes of silence: no alert for want of data, no vector of a view that speaks each 10 s. */
const QUIET_TICKS = 15

/** Starts; now and then it is killed before it is ready, once. */
async function startUnderFire (options: CliOptions, random: SeededRandom): Promise<Cli> {
  if (random.chance(0.4)) {
    const early = startCli(options)
    early.catch(() => undefined)
    await systemClock.sleep(300 + random.below(1_500))
    await early.then(cli => cli.end('SIGKILL'), () => undefined)
  }
  return await startCli(options)
}

/** `kill -9` again and again while messages come; at the end everything is worked off and it is stopped like a person would. Answers the acknowledged messages. */
async function liveDangerously (dataDir: string): Promise<Acknowledged> {
  const random = new SeededRandom(SEED)
  const [mllpPort = 0, mqttPort = 0] = await freePorts(2)
  const options: CliOptions = { dataDir, mllpPort, mqttPort, flags: ['--partitions', String(PARTITIONS), '--alert-dwell', `${DWELL_MS} ms`, '--no-data-after', `${NO_DATA_MS} ms`] }
  const acknowledged: Acknowledged = new Set()
  const stop = new AbortController()
  let cli = await startCli(options)
  const senders = [
    ...['HA', 'HB'].map((name, i) => runHospital(name, mllpPort, new SeededRandom(SEED * 100 + i), acknowledged, stop.signal)),
    ...['m1', 'm2', 'm3'].map((name, i) => runMonitor(name, mqttPort, new SeededRandom(SEED * 200 + i), acknowledged, stop.signal)),
  ]
  for (let kill = 0; kill < KILLS; kill++) {
    const until0 = acknowledged.size + 40 + random.below(160)
    await until('messages', () => acknowledged.size >= until0 ? true : undefined)
    await systemClock.sleep(random.below(50))
    await cli.end('SIGKILL')
    cli = await startUnderFire(options, random)
  }
  const last = acknowledged.size + 100
  await until('messages', () => acknowledged.size >= last ? true : undefined)
  stop.abort()
  await Promise.all(senders)
  const eventsOf = async (): Promise<number> => (await pipelineOf(cli.url)).topics.find(({ topic }) => topic === TOPICS.events)!.records
  const quiet = await eventsOf() + QUIET_TICKS * PARTITIONS
  await until('ticks', async () => await eventsOf() >= quiet ? true : undefined)
  await until('no lag', async () => (await pipelineOf(cli.url)).processors.every(p => (p.lag ?? 0) <= PARTITIONS) ? true : undefined)
  expect(await cli.end('SIGINT')).toEqual({ code: 0, signal: null })
  return acknowledged
}

/** The messages of `latido.events`, as the senders name them, with how often each stands there. */
async function messagesOf (left: Leftovers): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>()
  for (let partition = 0; partition < PARTITIONS; partition++) {
    await left.walk(TOPICS.events, partition, record => {
      const decoded = left.codecs.decode(record)
      if (decoded.kind !== 'ok') throw new Error(decoded.detail)
      const event = decoded.value
      const id = event.type === 'observations' ? event.kind === 'device' ? `${event.source.slice('mqtt:'.length)}:${event.observations[0]!.eventTime}` : event.observations[0]!.resultId.split('|')[0]!
        : event.type === 'encounter' ? event.bed.replace(/(\d)$/, ':$1') : undefined
      if (id !== undefined) found.set(id, (found.get(id) ?? 0) + 1)
    })
  }
  return found
}

async function calmRun (left: Leftovers): Promise<readonly Calm[]> {
  await using closers = new Closers()
  const models = await loadModels('', STANDARD_VIEWS, closers)
  const options = { ...ALERT_DEFAULTS, dwellMs: DWELL_MS, noDataAfterMs: NO_DATA_MS, ...(models.sepsis === undefined ? {} : { sepsisThreshold: models.sepsis.threshold, sepsisBasis: `${models.sepsis.name}@${models.sepsis.version}` }) }
  return await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => replayCalmly(left, partition, models.serving, options)))
}

type Row = readonly [key: string, at: number, bytes: string]

/** In the order of each key: ticks come in other places, so keys may stand in another order to each other. */
function byKey (rows: readonly Row[]): Readonly<Record<string, readonly Row[]>> {
  const groups: Record<string, Row[]> = {}
  for (const row of rows) (groups[row[0]] ??= []).push(row)
  return groups
}

async function checkOutputs (left: Leftovers, calm: readonly Calm[]): Promise<void> {
  const forward = await left.codecs.on(TOPICS.features)
  for (const [partition, { features, alerts }] of calm.entries()) {
    const recorded = async (topic: string): Promise<readonly Row[]> => (await left.records(topic, partition)).filter(r => r.name !== 'latido.Tick').map(r => [r.key, r.timestamp, r.value.toString('base64')] as const)
    expect(await recorded(TOPICS.features), 'latido.features').toEqual(features.flatMap(({ key, at, out, through }) => out.type === 'arrival' ? [] : [[key, at, (out.type === 'vector' ? left.vectors.encode({ ...out, through }) : forward.encode(out)).toString('base64')]]))
    const changes = alerts.flatMap(({ key, at, out }) => out.type === 'change' ? [[key, at, left.inference.encodeAlert(out.change).toString('base64')] as const] : [])
    const scores = alerts.flatMap(({ key, at, out }) => out.type === 'score' ? [[key, at, left.inference.encodeScore(out.score).toString('base64')] as const] : [])
    expect(changes.length).toBeGreaterThan(0)
    expect(byKey(await recorded(TOPICS.alerts)), 'latido.alerts').toEqual(byKey(changes))
    expect(byKey(await recorded(TOPICS.scores)), 'latido.scores').toEqual(byKey(scores))
  }
}

/** What the API reads is the last that the calm run said. */
async function checkOnline (dataDir: string, calm: readonly Calm[]): Promise<void> {
  await using online = openEmbeddedOnlineStore(join(dataDir, 'online'))
  const table = async (name: string): Promise<unknown> => Object.fromEntries((await online.scan(name)).map(({ entity, value }) => [entity, value.toString('base64')]))
  const alerts = calm.flatMap(c => c.alerts).flatMap(({ key, out }) => out.type === 'open' ? [[key, Buffer.from(JSON.stringify(out.alerts)).toString('base64')]] : [])
  expect(await table('alerts')).toEqual(Object.fromEntries(alerts))
  for (const view of STANDARD_VIEWS) {
    const vectors = calm.flatMap(c => c.features).flatMap(({ key, out }) => out.type === 'vector' && out.view === view.name ? [[key, onlineValue(out).toString('base64')]] : [])
    expect(await table(tableOf(view)), view.name).toEqual(Object.fromEntries(vectors))
  }
}

/** What the stopped instance had not yet written comes again, as at its next start. */
async function catchUp ({ log, codecs, vectors, inference }: Leftovers, store: Awaited<ReturnType<typeof storeOn>>): Promise<void> {
  await using consumer = log.consumer({ group: 'latido-offline', instance: 'the next', topics: OFFLINE_TOPICS, from: 'earliest' })
  await using _ = runOfflineWriter({ consumer, store, decode: offlineDecode(codecs, vectors, inference), clock: systemClock })
  await until('all rows', async () => {
    for (const topic of OFFLINE_TOPICS) {
      for (let partition = 0; partition < log.partitionsOf(topic); partition++) {
        const { end } = await log.range({ topic, partition })
        if (end > 0 && (await log.committedOffset('latido-offline', { topic, partition }) ?? 0) < end) return undefined
      }
    }
    return true
  })
}

async function checkClickHouse (dataDir: string, left: Leftovers): Promise<void> {
  const started = await startEngine({ directory: join(dataDir, 'offline'), clock: systemClock })
  if (started.kind === 'off') { console.log(`SKIPPED: rows in ClickHouse (${started.why})`); return }
  await using engine = started.engine
  await using store = await storeOn(engine)
  await catchUp(left, store)
  const expected: Record<string, string[]> = { observations: [], encounters: [], features: [], scores: [], alerts: [] }
  for (const topic of [TOPICS.events, TOPICS.features, TOPICS.entityFeatures, TOPICS.scores, TOPICS.alerts]) {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      await left.walk(topic, partition, record => {
        const at = `${partition}/${record.offset}`
        const name = left.codecs.book.nameOf(record.valueBuffer, record.valueStart, record.valueEnd)
        const decoded = topic === TOPICS.events ? left.codecs.decode(record) : undefined
        if (decoded?.kind === 'ok' && decoded.value.type === 'observations') decoded.value.observations.forEach((_o, i) => { expected['observations']!.push(`${at}/${i}`) })
        if (decoded?.kind === 'ok' && decoded.value.type === 'encounter') expected['encounters']!.push(at)
        if (name === 'latido.FeatureVector') expected['features']!.push(`${at} ${topic === TOPICS.features ? 'patient' : 'ward'}`)
        if (topic === TOPICS.scores) expected['scores']!.push(at)
        if (topic === TOPICS.alerts) expected['alerts']!.push(at)
      })
    }
  }
  for (const [table, positions] of Object.entries(expected)) {
    const index = table === 'observations' ? ", '/', toString(`index`)" : table === 'features' ? ", ' ', entity" : ''
    const rows = await store.query(`SELECT concat(toString(\`partition\`), '/', toString(\`offset\`)${index}) AS at FROM ${table}`)
    expect(rows.map(r => String(r['at'])).sort(), table).toEqual(positions.sort())
  }
  console.log(`rows in ClickHouse: ${Object.entries(expected).map(([table, p]) => `${table} ${p.length}`).join(', ')}`)
}

it(`kill -9 of the process ${KILLS} times in the middle of messages: none acknowledged is lost, none counts twice, and everything is as without the kills (seed ${SEED})`, async () => {
  const dir = tempDir()
  const acknowledged = await liveDangerously(dir.path)
  await using left = await openLeftovers(dir.path)
  const messages = await messagesOf(left)
  expect([...acknowledged].filter(id => !messages.has(id)), 'acknowledged and lost').toEqual([])

  const calm = await calmRun(left)
  const twice = [...messages.values()].filter(n => n > 1).length
  console.log(`${acknowledged.size} messages acknowledged, ${messages.size} in the log, ${twice} of them twice`)
  const readings = await distinctReadings(left)
  expect(calm.reduce((n, c) => n + (c.applied.get('added') ?? 0), 0), 'readings counted').toBe(readings)

  await checkOutputs(left, calm)
  await checkOnline(dir.path, calm)
  await checkClickHouse(dir.path, left)
  await left[Symbol.asyncDispose]()
  dir.remove()
}, 900_000)

/** Valid readings by identity: the result, or for a device the series and its time. (At many times the speed of life heart rates jump as in no patient.) */
async function distinctReadings (left: Leftovers): Promise<number> {
  const readings = new Set<string>()
  for (let partition = 0; partition < PARTITIONS; partition++) {
    await left.walk(TOPICS.events, partition, record => {
      const decoded = left.codecs.decode(record)
      if (decoded.kind !== 'ok' || decoded.value.type !== 'observations') return
      for (const o of decoded.value.observations) if (o.quality === 'valid') readings.add(`${patientKeyOf(record)} ${o.concept} ${o.resultId === '' ? o.eventTime : o.resultId}`)
    })
  }
  return readings.size
}
