import { randomUUID } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { tempDir } from '../temp-dir.ts'
import { startChild, type Child } from './child.ts'
import { FaultProxy } from './fault-proxy.ts'
import { copyOfCached, kafkaJars, KAFKA_VERSION } from './java.ts'
import { brokerProperties, LISTENERS, USER, type BrokerPorts, type ListenerName } from './kafka-properties.ts'
import { answersKafka, freePorts, until } from './ports.ts'

export interface KafkaOptions {
  /** Three brokers keep three replicas of each topic and of the internal ones. Default 1. */
  readonly brokers?: 1 | 3
  /** Default: as many as brokers. */
  readonly replication?: number
  /** Besides `plaintext`, which is always there. */
  readonly listeners?: readonly ListenerName[]
  /** Further plaintext listeners that lead through fault proxies, each its own: give each client its own lane, and partition one of them. */
  readonly lanes?: number
  readonly config?: Readonly<Record<string, string>>
  readonly heap?: string
}

/** A Kafka of the test's own. Nodes are numbered from 1. */
export interface KafkaServer extends AsyncDisposable {
  /** `host:port,...` of the plaintext listener. */
  readonly bootstrap: string
  bootstrapOf (listener: ListenerName): string
  /** The same through the proxies of a lane (from 0). */
  bootstrapOfLane (lane: number): string
  /** The proxies of a lane, one per node. */
  lane (lane: number): readonly FaultProxy[]
  /** The certificate to trust (PEM), when a listener speaks TLS. */
  readonly caFile: string | undefined
  readonly nodes: readonly number[]
  /** SIGKILL. */
  kill (node: number): Promise<void>
  /** SIGTERM: leaders move first. */
  shutDown (node: number): Promise<void>
  /** SIGSTOP and SIGCONT. */
  pause (node: number): void
  resume (node: number): void
  /** Starts a node that was killed or shut down, with its data, at its ports. */
  start (node: number): Promise<void>
  restart (node: number): Promise<void>
  /** The end of what a broker has printed. */
  output (node: number): string
}

const READY_WITHIN_MS = 60_000
const START_ATTEMPTS = 3

/** Starts brokers on loopback, in combined mode, with data in a temporary directory; ready when it resolves. */
export async function startKafka (options: KafkaOptions = {}): Promise<KafkaServer> {
  for (let attempt = 1; ; attempt++) {
    const server = new RealKafka(options)
    try {
      await server.open()
      return server
    } catch (e) {
      await server[Symbol.asyncDispose]()
      if (attempt === START_ATTEMPTS || !String(e).includes('BindException')) throw e // a program that is none of the tests' was faster at a port
    }
  }
}

class RealKafka implements KafkaServer {
  readonly #options: KafkaOptions
  readonly #directory = tempDir()
  readonly #clusterId = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url')
  readonly #children = new Map<number, Child>()
  readonly #lanes: FaultProxy[][] = []
  #ports: readonly BrokerPorts[] = []
  #jars = ''
  caFile: string | undefined

  constructor (options: KafkaOptions) { this.#options = options }

  get nodes (): readonly number[] { return this.#ports.map((_, i) => i + 1) }
  get bootstrap (): string { return this.bootstrapOf('plaintext') }
  bootstrapOf (listener: ListenerName): string { return this.#ports.map(p => `127.0.0.1:${p.clients[listener] ?? missing(listener)}`).join(',') }
  bootstrapOfLane (lane: number): string { return this.lane(lane).map(proxy => `127.0.0.1:${proxy.port}`).join(',') }
  lane (lane: number): readonly FaultProxy[] { return this.#lanes[lane] ?? missing(`lane ${lane}`) }

  async open (): Promise<void> {
    const { brokers = 1, listeners = [], lanes = 0 } = this.#options
    const names: readonly ListenerName[] = ['plaintext', ...listeners.filter(name => name !== 'plaintext')]
    this.#jars = await kafkaJars()
    this.#ports = await choosePorts(brokers, names, lanes)
    for (let lane = 0; lane < lanes; lane++) this.#lanes.push(await Promise.all(this.#ports.map(({ lanes: of }) => FaultProxy.open(of[lane]!.broker, of[lane]!.proxy))))
    if (names.some(name => LISTENERS[name].tls)) this.caFile = await makeCertificate(this.#directory.path)
    for (const node of this.nodes) await this.#format(node)
    await Promise.all(this.nodes.map(node => this.start(node)))
  }

  async start (node: number): Promise<void> {
    if (this.#children.get(node)?.running === true) return
    const directory = this.#home(node)
    const heap = this.#options.heap ?? '-Xmx448m'
    const child = startChild('java', [heap, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dorg.apache.logging.log4j.level=WARN', '-cp', `${this.#jars}/*`, 'kafka.Kafka', 'server.properties'], { cwd: directory, logFile: join(directory, 'output'), directory: this.#directory.path })
    this.#children.set(node, child)
    const port = this.#ports[node - 1]!.clients.plaintext ?? 0
    await until(`Kafka node ${node}`, READY_WITHIN_MS, () => answersKafka(port), () => child.running ? undefined : `it ended: ${this.output(node)}`)
  }

  async kill (node: number): Promise<void> { await this.#child(node).kill() }

  async shutDown (node: number): Promise<void> {
    this.#child(node).signal('SIGTERM')
    await this.#child(node).ended
  }

  pause (node: number): void { this.#child(node).signal('SIGSTOP') }
  resume (node: number): void { this.#child(node).signal('SIGCONT') }

  async restart (node: number): Promise<void> {
    await this.kill(node)
    await this.start(node)
  }

  output (node: number): string { return readFileSync(join(this.#home(node), 'output'), 'utf8').slice(-4_000) }

  async [Symbol.asyncDispose] (): Promise<void> {
    await Promise.all([...this.#children.values()].map(child => child.kill()))
    await Promise.all(this.#lanes.flat().map(proxy => proxy[Symbol.asyncDispose]()))
    this.#directory.remove()
  }

  #child (node: number): Child { return this.#children.get(node) ?? missing(`node ${node}`) }
  #home (node: number): string { return join(this.#directory.path, `node-${node}`) }

  async #format (node: number): Promise<void> {
    const directory = this.#home(node)
    const { brokers = 1, replication = brokers, config = {} } = this.#options
    mkdirSync(join(directory, 'data'), { recursive: true })
    await copyOfCached(`kafka-${KAFKA_VERSION}-formatted-2`, join(directory, 'data'), template => formatTemplate(this.#jars, template))
    writeFileSync(join(directory, 'data', 'meta.properties'), `version=1\ncluster.id=${this.#clusterId}\nnode.id=${node}\ndirectory.id=${randomUUID().replaceAll('-', '').slice(0, 22)}\n`)
    writeFileSync(join(directory, 'server.properties'), brokerProperties({ node, all: this.#ports, replication, directory, tlsDirectory: this.#directory.path, config }))
  }
}

function missing (what: string): never { throw new Error(`this Kafka has no ${what}: ask for it in startKafka's options`) }

async function choosePorts (brokers: number, names: readonly ListenerName[], lanes: number): Promise<readonly BrokerPorts[]> {
  const ports = [...await freePorts(brokers * (2 + names.length + 2 * lanes))]
  const next = (): number => ports.pop() ?? 0
  return Array.from({ length: brokers }, () => ({
    controller: next(), internal: next(),
    clients: Object.fromEntries(names.map(name => [name, next()])),
    lanes: Array.from({ length: lanes }, () => ({ broker: next(), proxy: next() })),
  }))
}

/** Formatting takes a JVM two seconds; what it writes depends on the version and the users alone, but for the ids. */
async function formatTemplate (jars: string, directory: string): Promise<void> {
  const properties = brokerProperties({ node: 1, all: [{ controller: 1, internal: 2, clients: { plaintext: 3 }, lanes: [] }], replication: 1, directory, tlsDirectory: directory, config: {} })
  const file = join(directory, 'format.properties')
  writeFileSync(file, properties)
  const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap(mechanism => ['--add-scram', `${mechanism}=[name=${USER.name},password=${USER.password}]`])
  await promisify(execFile)('java', ['-cp', `${jars}/*`, 'kafka.tools.StorageTool', 'format', '-t', 'AAAAAAAAAAAAAAAAAAAAAQ', '-c', file, ...scram])
  cpSync(join(directory, 'data'), directory, { recursive: true })
  for (const name of ['data', 'format.properties', 'meta.properties']) rmSync(join(directory, name), { recursive: true, force: true })
}

/** A certificate of this run's own for localhost and 127.0.0.1, which is also what clients trust. */
async function makeCertificate (directory: string): Promise<string> {
  const keytool = (args: readonly string[]): Promise<{ readonly stdout: string }> => promisify(execFile)('keytool', [...args, '-alias', 'broker', '-keystore', join(directory, 'broker.p12'), '-storetype', 'PKCS12', '-storepass', USER.password])
  await keytool(['-genkeypair', '-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', '2', '-dname', 'CN=localhost', '-ext', 'SAN=dns:localhost,ip:127.0.0.1'])
  const caFile = join(directory, 'ca.pem')
  writeFileSync(caFile, (await keytool(['-exportcert', '-rfc'])).stdout)
  return caFile
}
