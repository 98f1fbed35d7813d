import { join } from 'node:path'
import { startEngine } from '../../features/offline/index.ts'
import { TOPICS } from '../../streams/events/index.ts'
import { systemClock } from '../../streams/time/index.ts'
import { api, openLeftovers, pipelineOf, startCli, until, type Cli, type WireAlert } from '../e2e/kit/index.ts'
import { storeOn } from '../kit/offline-store.ts'
import { SeededRandom } from '../kit/random.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { DeviceFleet } from './device-fleet.ts'
import { quantile, type Benchmark, type BenchOptions, type Measure } from './measure.ts'
import { treeOf, type Usage } from './processes.ts'

const OBSERVATIONS_A_SECOND = 5_000
const DWELL_MS = 1_000
/** Of the alerts by the API: the answer is at most this much older than it looks. */
const POLL_MS = 25
const CODES = ['147842', '151562', '150456', '150033', '150034', '150035'] as const
const WELL = [88, 15, 96, 122, 70, 87] as const
/** Shorter runs only show that it works: fewer monitors, the rate that `sent` says. */
const FULL_FROM_SECONDS = 5
const SHORT_OBSERVATIONS_A_SECOND = 300
/** NEWS2 3 + 3 + 3: the third numeric completes the emergency. Within a second of the last, no rate changes so fast that it would be an artefact. */
const ILL = [132, 28, 91, 122, 70, 87] as const
const UNITS = ['/min', '/min', '%', 'mm[Hg]', 'mm[Hg]', 'mm[Hg]'] as const
const COMPLETES = 2
const ILL_SHARE = 0.15
const OFFLINE_FLUSHES_MS = 6_000
/** How long late alerts are waited for. */
const ALERTS_WITHIN_MS = 60_000

export const burst: Benchmark = { summary: '5,000 observations a second through MQTT, six a message', run: options => run(options, CODES.length) }
export const burstSingle: Benchmark = { summary: '5,000 observations a second through MQTT, each a message', run: options => run(options, 1) }

interface Burst {
  readonly latenciesMs: readonly number[]
  readonly ill: number
  readonly sent: number
  readonly lost: number
  readonly lostOffline: number
  readonly rate: number
  readonly behindMsMax: number
  readonly used: Usage | undefined
}

/**
 * A real process, a connection for each of 833 monitors at 1 Hz, an open ward board. Patients deteriorate at random moments.
 * `publish to alert` is from the publish of the numeric that completes the condition, plus the configured dwell of 1 s, until
 * GET /api/alerts shows the alert (asked each 25 ms, which is part of the figure); `raw` is with the dwell.
 */
async function run (options: BenchOptions, perMessage: number): Promise<readonly Measure[]> {
  const { seconds = 60, runs = 1, say } = options
  const bursts: Burst[] = []
  for (let n = 0; n < runs; n++) bursts.push(await oneBurst(seconds, perMessage, n + 1, say))
  const of = (name: string, unit: string, read: (b: Burst) => number, target?: string): Measure => ({ name: `burst, ${perMessage} a message: ${name}`, unit, values: bursts.map(read), ...target === undefined ? {} : { target } })
  return [
    of('sent', 'observations/s', b => b.rate),
    of('lost, of the log', 'observations', b => b.lost, '0'),
    of('lost, of ClickHouse', 'observations', b => b.lostOffline, '0'),
    of('patients without their alert', 'patients', b => b.ill - b.latenciesMs.length, '0'),
    of('publish to alert, p50', 'ms', b => quantile(b.latenciesMs, 0.5)),
    of('publish to alert, p99', 'ms', b => quantile(b.latenciesMs, 0.99), 'under 1000'),
    of('publish to alert, max', 'ms', b => Math.max(...b.latenciesMs)),
    of('publish to alert raw, p99', 'ms', b => quantile(b.latenciesMs, 0.99) + DWELL_MS),
    of('sender late by at most', 'ms', b => b.behindMsMax),
    ...bursts.some(b => b.used === undefined) ? [] : [
      of('processor time a thousand observations, all processes', 'ms', b => b.used!.cpuSeconds / b.sent * 1e6),
      of('resident, all processes', 'MB', b => b.used!.residentBytes / 1e6),
    ],
  ]
}

async function oneBurst (seconds: number, perMessage: number, seed: number, say: (line: string) => void): Promise<Burst> {
  const dir = tempDir()
  const nodeFlags = (process.env['LATIDO_BENCH_NODE_FLAGS'] ?? '').split(' ').filter(flag => flag !== '')
  const cli = await startCli({ dataDir: dir.path, nodeFlags, flags: ['--alert-dwell', `${DWELL_MS} ms`] })
  const devices = Math.round((seconds < FULL_FROM_SECONDS ? SHORT_OBSERVATIONS_A_SECOND : OBSERVATIONS_A_SECOND) / CODES.length)
  const plan = illnesses(devices, seconds, new SeededRandom(seed))
  const before = treeOf(cli.pid)
  let observed: Observed
  let played: Played
  {
    using fleet = await DeviceFleet.open(cli.mqttPort, devices)
    await using board = await openBoard(cli.url)
    say(`${devices} monitors connected, ${plan.size} patients will deteriorate`)
    const watching = new AbortController()
    const seen = new Map<string, number>()
    const watched = watch(cli, seen, watching.signal)
    played = await play(fleet, devices, seconds, perMessage, plan)
    await until('all acknowledgements', () => fleet.acknowledged >= fleet.sent ? true : undefined, 120_000).catch(() => { say(`only ${fleet.acknowledged} of ${fleet.sent} messages were acknowledged`) })
    await until('every alert', () => seen.size >= plan.size ? true : undefined, ALERTS_WITHIN_MS).catch(() => undefined)
    watching.abort()
    await watched
    observed = seen
    if (board.closed || fleet.failures > 0) say(`${fleet.failures} connections failed${board.closed ? ', and the board' : ''}`)
  }
  const after = treeOf(cli.pid)
  await until('no lag', async () => (await pipelineOf(cli.url)).processors.every(p => (p.lag ?? 0) <= 8) ? true : undefined, 120_000)
  await systemClock.sleep(OFFLINE_FLUSHES_MS)
  await cli.end('SIGINT')
  const found = await count(dir.path)
  dir.remove()
  const sent = played.observations
  say(`slowest alerts: ${slowest(played, observed)}`)
  return {
    sent, ill: plan.size, rate: sent / played.tookSeconds, behindMsMax: played.behindMsMax, lost: sent - found.inLog, lostOffline: found.offline === undefined ? 0 : sent - found.offline,
    latenciesMs: latencies(played, observed).map(l => l.ms),
    used: after === undefined || before === undefined ? undefined : { ...after, cpuSeconds: after.cpuSeconds - before.cpuSeconds },
  }
}

interface Latency { readonly second: number, readonly ms: number }

function latencies ({ startedMs, completedMs }: Played, observed: Observed): readonly Latency[] {
  return [...completedMs].flatMap(([device, ms]) => { const at = observed.get(idOf(device)); return at === undefined ? [] : [{ second: (ms - startedMs) / 1_000, ms: at - ms - DWELL_MS }] })
}

/** When in the burst the slowest were: a stall shows as neighbours. */
function slowest (played: Played, observed: Observed): string {
  return latencies(played, observed).toSorted((a, b) => b.ms - a.ms).slice(0, 8).map(l => `${l.ms.toFixed(0)} ms at ${l.second.toFixed(1)} s`).join(', ')
}

function idOf (device: number): string { return `BURST-${device}` }

/** Device to the second in which it deteriorates, a second or more before the end, so that each sends it. */
function illnesses (devices: number, seconds: number, random: SeededRandom): ReadonlyMap<number, number> {
  const plan = new Map<number, number>()
  for (let device = 0; device < devices; device++) if (random.chance(ILL_SHARE)) plan.set(device, (0.1 + 0.9 * random.next()) * (seconds - 1))
  return plan
}

interface Played { readonly startedMs: number, readonly observations: number, readonly tookSeconds: number, readonly behindMsMax: number, readonly completedMs: ReadonlyMap<number, number> }

/** Each device sends its six numerics once a second, the devices spread evenly over it. */
async function play (fleet: DeviceFleet, devices: number, seconds: number, perMessage: number, plan: ReadonlyMap<number, number>): Promise<Played> {
  const total = Math.round(devices * seconds)
  const completedMs = new Map<number, number>()
  const startedMs = systemClock.monotonicMs()
  const startedAt = systemClock.now()
  let behindMsMax = 0
  for (let n = 0; n < total; n++) {
    const dueMs = startedMs + n / devices * 1_000
    const aheadMs = dueMs - systemClock.monotonicMs()
    if (aheadMs > 1) await systemClock.sleep(aheadMs)
    behindMsMax = Math.max(behindMsMax, systemClock.monotonicMs() - dueMs)
    const device = n % devices
    const ill = (plan.get(device) ?? Infinity) <= (dueMs - startedMs) / 1_000
    const time = Math.round(startedAt + n / devices * 1_000) // a monitor stamps what it measures in time, though the sender be late
    const values = ill ? ILL : WELL
    for (let from = 0; from < CODES.length; from += perMessage) {
      const numerics = CODES.slice(from, from + perMessage).map((code, i) => ({ code, value: values[from + i], unit: UNITS[from + i] }))
      fleet.publish(device, JSON.stringify({ patient: idOf(device), time, seq: n * CODES.length + from, numerics }))
      if (ill && COMPLETES >= from && COMPLETES < from + perMessage && !completedMs.has(device)) completedMs.set(device, systemClock.monotonicMs())
    }
  }
  return { startedMs, observations: total * CODES.length, tookSeconds: (systemClock.monotonicMs() - startedMs) / 1_000, behindMsMax, completedMs }
}

/** Patient to the monotonic time at which the API first showed the emergency. */
type Observed = ReadonlyMap<string, number>

async function watch (cli: Cli, seen: Map<string, number>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const alerts = await api<WireAlert[]>(cli.url, '/api/alerts?state=active&limit=10000')
    const now = systemClock.monotonicMs()
    for (const { patientId, rule } of alerts) if (rule === 'news2-emergency' && !seen.has(patientId)) seen.set(patientId, now)
    await systemClock.sleep(POLL_MS)
  }
}

/** One page of the ward board is open, as it would be. */
async function openBoard (url: string): Promise<{ closed: boolean } & AsyncDisposable> {
  const abort = new AbortController()
  const { body } = await fetch(new URL('/api/live', url), { signal: abort.signal })
  const board = { closed: false, [Symbol.asyncDispose]: async () => { abort.abort(); await reading } }
  const read = async (): Promise<void> => { for await (const _ of body!) { /* the page draws it */ } }
  const reading = read().catch(() => undefined).then(() => { if (!abort.signal.aborted) board.closed = true })
  return board
}

/** Distinct observations in the log, and rows in ClickHouse. */
async function count (dataDir: string): Promise<{ readonly inLog: number, readonly offline: number | undefined }> {
  await using left = await openLeftovers(dataDir)
  let inLog = 0
  for (let partition = 0; partition < left.log.partitionsOf(TOPICS.events); partition++) {
    await left.walk(TOPICS.events, partition, record => {
      const decoded = left.codecs.decode(record)
      if (decoded.kind === 'ok' && decoded.value.type === 'observations') inLog += decoded.value.observations.length
    })
  }
  const started = await startEngine({ directory: join(dataDir, 'offline'), clock: systemClock })
  if (started.kind === 'off') return { inLog, offline: undefined }
  await using engine = started.engine
  await using store = await storeOn(engine)
  const [row] = await store.query('SELECT count() AS n FROM observations')
  return { inLog, offline: Number(row?.['n']) }
}
