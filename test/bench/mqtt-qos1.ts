import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { devicesOf, mqttBrokerConnector, mqttConnector, mqttMapper, type DeviceOptions } from '../../connectors/mqtt/index.ts'
import { Feed, fixedMapping, openIntake, type Connector, type ConnectorContext, type ConnectorKind, type Intake } from '../../connectors/kit/index.ts'
import { openEventCodecs, SchemaBook, topicSpecs, type EventCodecs, type PatientKey } from '../../streams/events/index.ts'
import { LatidoError } from '../../streams/errors/index.ts'
import { openEmbeddedLog, type Log } from '../../streams/log/index.ts'
import { systemClock } from '../../streams/time/index.ts'
import { observationsOf } from '../kit/read-topic.ts'
import { startMosquitto } from '../kit/servers/mosquitto.ts'
import { tempDir } from '../kit/temp-dir.ts'
import type { SenderOptions } from '../kit/mqtt-sender.ts'
import type { Benchmark, Measure } from './measure.ts'

interface SenderResult { readonly startedAt: number, readonly endedAt: number }

const SENDERS = 2
const DEVICES_A_SENDER = 50
const WINDOW = 20
const TARGET = '10000 with QoS 1, each once in the log'
const WAIT_MS_MAX = 60_000

interface Bench { readonly log: Log, readonly intake: Intake & AsyncDisposable, readonly codecs: EventCodecs, published (): number }

/** Closes what it was given, the last first. */
class Closing implements AsyncDisposable {
  readonly #all: AsyncDisposable[] = []
  use<T extends AsyncDisposable> (one: T): T { this.#all.push(one); return one }
  async [Symbol.asyncDispose] (): Promise<void> { for (const one of this.#all.reverse()) await one[Symbol.asyncDispose]() }
}

async function openBench (directory: string): Promise<Bench> {
  const log = await openEmbeddedLog({ directory: join(directory, 'log'), clock: systemClock })
  await log.ensureTopics(topicSpecs({ partitions: 4, retentionMs: 0 }))
  const codecs = await openEventCodecs(await SchemaBook.open({ url: 'mock://', storage: { load: () => [], add: () => Promise.resolve() } }))
  let published = 0
  const intake = await openIntake({ log, codecs, clock: systemClock, directory: join(directory, 'kit'), sealer: { seal: plain => plain, open: sealed => sealed }, identify: ({ id }) => Promise.resolve(id as PatientKey), onCount: (_, what, n) => { if (what === 'published') published += n } })
  return { log, intake, codecs, published: () => published }
}

async function startKind<Options extends DeviceOptions> (kind: ConnectorKind<Options>, intake: Intake, raw: object): Promise<Connector> {
  const options = kind.options.parse(raw)
  const feed = new Feed({ name: 'bench', kind: kind.kind, intake, mapping: fixedMapping(), map: mqttMapper(options, devicesOf(options)) })
  const context: ConnectorContext = { feed, clock: systemClock, table: () => ({ load: () => [], save: () => Promise.resolve() }), secret: () => '', say: () => {} }
  return await kind.start(context, options)
}

/** Devices of other processes send; the log is read at the end, and every message has to stand in it once. */
async function measure (name: string, port: number, bench: Bench, seconds: number, perSecond: number | undefined): Promise<readonly Measure[]> {
  const messages = Math.max(20, Math.round((perSecond ?? 10_000) * seconds / SENDERS / DEVICES_A_SENDER))
  const expected = messages * SENDERS * DEVICES_A_SENDER
  const before = process.cpuUsage()
  const startedMs = systemClock.monotonicMs()
  const ran = await Promise.all(Array.from({ length: SENDERS }, (_, i) => send({ port, devices: DEVICES_A_SENDER, firstDevice: i * DEVICES_A_SENDER, messages, window: WINDOW, ...perSecond === undefined ? {} : { perSecond: perSecond / SENDERS } })))
  while (bench.published() < expected) {
    if (systemClock.monotonicMs() - startedMs > seconds * 1_000 + WAIT_MS_MAX) throw new LatidoError('PAYLOAD_INVALID', `${name}: ${bench.published()} of ${expected} messages are in the log`, 'nothing else may run beside it')
    await systemClock.sleep(5)
  }
  // From the first connection of a sender to the last acknowledgement, and to the last record in the log.
  const tookMs = Math.max(performance.timeOrigin + performance.now(), ...ran.map(({ endedAt }) => endedAt)) - Math.min(...ran.map(({ startedAt }) => startedAt))
  const { user, system } = process.cpuUsage(before)
  const read = await readSequences(bench)
  if (read.total !== expected || read.distinct !== expected) throw new LatidoError('PAYLOAD_INVALID', `${name}: ${expected} messages were acknowledged, ${read.total} records hold ${read.distinct} of them`, 'this is a fault of the product')
  return [
    { name: `${name}, each once in the log`, unit: 'messages/s', values: [expected / tookMs * 1_000], target: TARGET },
    { name: `${name}, CPU of our process`, unit: 'us/message', values: [(user + system) / expected] },
  ]
}

async function send (options: SenderOptions): Promise<SenderResult> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/kit/mqtt-sender.ts', JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', (bytes: Buffer) => { said += bytes.toString() })
  await new Promise(resolve => { child.once('close', resolve) })
  return JSON.parse(said) as SenderResult
}

async function readSequences ({ log, codecs }: Bench): Promise<{ readonly total: number, readonly distinct: number }> {
  const seen = new Set<string>()
  let total = 0
  for await (const { source, observations } of observationsOf(log, codecs)) {
    total++
    // 40, 9 and 8 have no common divisor with each other that would make two of 360 consecutive numbers alike; with the time that makes a message.
    seen.add(`${source} ${observations.map(o => `${o.value}@${o.eventTime}`).join(' ')}`)
  }
  return { total, distinct: seen.size }
}

async function through (name: string, seconds: number, perSecond: number | undefined, port: (intake: Intake, closers: Closing) => Promise<number>): Promise<readonly Measure[]> {
  const dir = tempDir()
  try {
    await using closers = new Closing()
    const bench = await openBench(dir.path)
    closers.use(bench.log)
    closers.use(bench.intake)
    return await measure(name, await port(bench.intake, closers), bench, seconds, perSecond)
  } finally {
    dir.remove()
  }
}

/** QoS 1 from devices to the log: through the embedded endpoint, and through a mosquitto beside it that Latido follows. */
export const mqttQos1: Benchmark = {
  summary: 'MQTT messages a second with QoS 1, each once in the log',
  run: async ({ seconds = 5, say }) => {
    const embedded = async (_intake: Intake, closers: Closing): Promise<number> => {
      const connector = closers.use(await startKind(mqttConnector, _intake, { port: 0 }))
      return Number(new URL(connector.endpoint).port)
    }
    const followed = async (intake: Intake, closers: Closing): Promise<number> => {
      const broker = closers.use(await startMosquitto())
      const connector = closers.use(await startKind(mqttBrokerConnector, intake, { url: broker.url }))
      while (connector.health().state !== 'up') await systemClock.sleep(5)
      return broker.port
    }
    say('embedded endpoint')
    const first = await through('MQTT QoS 1, embedded endpoint', seconds, undefined, embedded)
    say('mosquitto, which Latido follows')
    return [...first, ...await through('MQTT QoS 1, through mosquitto', seconds, undefined, followed)]
  },
}
