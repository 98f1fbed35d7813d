import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openEventCodecs, SchemaBook, topicSpecs } from '../../../streams/events/index.ts'
import { openEmbeddedLog, type Log } from '../../../streams/log/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { SeededRandom } from '../../kit/random.ts'
import { observationsOf } from '../../kit/read-topic.ts'
import { FaultProxy, freePorts, startChild, startKafka, until, type Child, type KafkaServer } from '../../kit/servers/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { reportsIn, Watched } from '../ended.ts'
import { openLog } from '../open-log.ts'
import type { GatewayOptions } from './gateway.ts'
import { laboratory, monitor, type Ledger } from './senders.ts'

/** Faults of the connectors' process, of the network before it, and of the log behind it. */
const FAULTS = ['kill', 'reset', 'cut', 'hold', 'closed'] as const
const LOG_FAULTS = ['killBroker', 'pauseBroker'] as const
type FaultName = (typeof FAULTS)[number] | (typeof LOG_FAULTS)[number]

export interface ConnectorChaosOptions {
  readonly rounds: number
  readonly seed: number
  /** `kafka`: the log is a broker, which is killed too. */
  readonly log: 'embedded' | 'kafka'
  readonly bug?: GatewayOptions['bug']
  readonly say?: (line: string) => void
}

export interface ConnectorChaosResult {
  readonly rounds: number
  readonly sent: number
  readonly acknowledged: number
  readonly inLog: number
  readonly faults: Readonly<Partial<Record<FaultName, number>>>
  /** Acknowledged and not in the log; in the log and never sent; in the log more than once. */
  readonly lost: number
  readonly unknown: number
  readonly twice: number
}

const GOES_ON_WITHIN_MS = 90_000
/** So many more are acknowledged before the next fault. */
export const GOES_ON_BY: number = 30

/** Laboratories over MLLP and monitors over MQTT send for ever, while something breaks each round; at the end the log is read and compared with what was acknowledged. */
export async function connectorChaos ({ rounds, seed, log, bug, say = () => {} }: ConnectorChaosOptions): Promise<ConnectorChaosResult> {
  const random = new SeededRandom(seed)
  const between = (low: number, high: number): number => low + random.below(high - low)
  const directory = tempDir()
  const [hl7Port = 0, mqttPort = 0] = await freePorts(2)
  await using kafka = log === 'kafka' ? await startKafka() : undefined
  const gateway = new Gateway({ directory: directory.path, hl7Port, mqttPort, ...kafka === undefined ? {} : { bootstrap: kafka.bootstrap }, ...bug === undefined ? {} : { bug } })
  await gateway.start()
  await using toHl7 = await FaultProxy.open(hl7Port)
  await using toMqtt = await FaultProxy.open(mqttPort)
  const ledger: Ledger = { sent: new Set(), acknowledged: new Set() }
  const startMs = systemClock.now() - 3_000_000
  const senders = [...['LA', 'LB', 'LC'].map(name => laboratory(name, toHl7.port, ledger)), ...['ma', 'mb'].map(name => monitor(name, toMqtt.port, startMs, ledger))]
  const counts: Partial<Record<FaultName, number>> = {}
  try {
    for (let round = 1; round <= rounds; round++) {
      await systemClock.sleep(between(50, 500))
      const names: readonly FaultName[] = kafka === undefined ? FAULTS : [...FAULTS, ...LOG_FAULTS]
      const fault = round % 2 === 0 ? 'kill' : names[between(0, names.length)]! // half of all rounds kill the process
      counts[fault] = (counts[fault] ?? 0) + 1
      const proxy = random.chance(0.5) ? toHl7 : toMqtt
      await inject(fault, { gateway, proxy, kafka, between, up: random.chance(0.5) })
      const before = ledger.acknowledged.size
      await until(`round ${round} goes on after ${fault}`, GOES_ON_WITHIN_MS, () => ledger.acknowledged.size >= before + GOES_ON_BY, () => gateway.failure())
      if (round % 20 === 0) say(`round ${round}: ${ledger.acknowledged.size} acknowledged of ${ledger.sent.size}`)
    }
    let left = senders.length
    for (const sender of senders) void sender.stop().then(() => { left-- })
    await until('every sender has its last answer', GOES_ON_WITHIN_MS, () => left === 0, () => gateway.failure())
    await gateway.stop()
    await using reading = log === 'kafka' ? await openLog('direct', kafka!.bootstrap, 1) : await openEmbeddedLog({ directory: join(directory.path, 'log'), clock: systemClock })
    return { rounds, faults: counts, ...compare(ledger, await inLog(reading)) }
  } finally {
    await gateway.kill()
    directory.remove()
  }
}

interface Scene { readonly gateway: Gateway, readonly proxy: FaultProxy, readonly kafka: KafkaServer | undefined, readonly between: (low: number, high: number) => number, readonly up: boolean }

async function inject (fault: FaultName, { gateway, proxy, kafka, between, up }: Scene): Promise<void> {
  switch (fault) {
    case 'kill':
      await gateway.kill()
      await gateway.start()
      return
    case 'reset': proxy.reset(); return
    case 'cut': proxy.cutAfter(up ? 'up' : 'down', between(1, 4_000)); return
    case 'hold': case 'closed':
      await proxy.set(fault === 'hold' ? { kind: 'hold', direction: up ? 'up' : 'down' } : { kind: 'closed' })
      await systemClock.sleep(between(50, 1_000))
      await proxy.set({ kind: 'open' })
      return
    case 'killBroker':
      await kafka!.kill(1)
      await systemClock.sleep(between(0, 1_000))
      await kafka!.start(1)
      return
    case 'pauseBroker':
      kafka!.pause(1)
      await systemClock.sleep(between(500, 4_000))
      kafka!.resume(1)
  }
}

/** The connectors' process; ends with us. */
class Gateway {
  readonly #options: GatewayOptions
  readonly #logFile: string
  #child: Child | undefined
  #watched: Watched | undefined

  constructor (options: GatewayOptions) { this.#options = options; this.#logFile = join(options.directory, 'gateway.txt') }

  async start (): Promise<void> {
    const ready = this.#readies()
    this.#child = startChild(process.execPath, [...reportsIn(this.#options.directory), '--import', 'tsx', fileURLToPath(new URL('gateway.ts', import.meta.url)), JSON.stringify(this.#options)], { logFile: this.#logFile })
    this.#watched = new Watched(this.#child, this.#options.directory, this.#logFile)
    await until('the gateway is ready', GOES_ON_WITHIN_MS, () => this.#readies() > ready, () => this.failure())
  }

  failure (): string | undefined { return this.#watched?.look() === true ? undefined : this.#watched?.explain() }
  async kill (): Promise<void> { await this.#child?.kill() }

  async stop (): Promise<void> {
    this.#watched?.look()
    this.#child?.signal('SIGTERM')
    await this.#child?.ended
    if (this.#child?.outcome !== 'code 0') throw new Error(`the gateway was told to end: ${this.#watched?.explain()}`)
  }

  #readies (): number {
    try { return readFileSync(this.#logFile, 'utf8').split('ready\n').length } catch { return 1 }
  }
}

/** How often each message stands in the log. */
async function inLog (log: Log): Promise<ReadonlyMap<string, number>> {
  await log.ensureTopics(topicSpecs({ partitions: 4, retentionMs: 0 }))
  const codecs = await openEventCodecs(await SchemaBook.open({ url: 'mock://', storage: { load: () => [], add: () => Promise.resolve() } }))
  const found = new Map<string, number>()
  for await (const { source, observations: [reading] } of observationsOf(log, codecs)) {
    if (reading === undefined) continue
    const key = source.startsWith('mqtt:') ? `mqtt ${source.slice(5)} ${reading.eventTime}` : `hl7 ${reading.resultId.split('|')[0]}`
    found.set(key, (found.get(key) ?? 0) + 1)
  }
  return found
}

function compare ({ sent, acknowledged }: Ledger, found: ReadonlyMap<string, number>): Omit<ConnectorChaosResult, 'rounds' | 'faults'> {
  return {
    sent: sent.size, acknowledged: acknowledged.size, inLog: [...found.values()].reduce((a, b) => a + b, 0),
    lost: [...acknowledged].filter(key => !found.has(key)).length,
    unknown: [...found.keys()].filter(key => !sent.has(key)).length,
    twice: [...found.values()].filter(n => n > 1).length,
  }
}
