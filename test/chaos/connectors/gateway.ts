/** A process with connectors and a log and nothing else, for the chaos lane: `node --import tsx gateway.ts '{"directory": ...}'`. Ends at SIGTERM. */
import { join } from 'node:path'
import { hl7Connector } from '../../../connectors/hl7/index.ts'
import { Feed, fixedMapping, openIntake, type ConnectorKind, type Fault, type OpenIntake } from '../../../connectors/kit/index.ts'
import { mqttConnector } from '../../../connectors/mqtt/index.ts'
import { openEventCodecs, SchemaBook, topicSpecs, type PatientKey } from '../../../streams/events/index.ts'
import { openEmbeddedLog } from '../../../streams/log/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { openLog } from '../open-log.ts'

export interface GatewayOptions {
  readonly directory: string
  readonly hl7Port: number
  readonly mqttPort: number
  /** Brokers; absent: the embedded log. */
  readonly bootstrap?: string
  /** A fault on purpose, that the lane must find. */
  readonly bug?: 'forgets' | 'early'
}

// Whatever ends it leaves a line; and Node ends without one when nothing but a store's own threads is left to wait for.
setInterval(() => {}, 2 ** 30)
process.on('exit', code => { process.stderr.write(`gateway: ends with code ${code}\n`) })
for (const fault of ['unhandledRejection', 'uncaughtException']) {
  process.on(fault, (e: unknown) => { process.stderr.write(`gateway: ${fault} ${e instanceof Error ? e.stack : String(e)}\n`); process.abort() }) // `process.exit` hangs or crashes while LMDB writes
}

const options = JSON.parse(process.argv[2] ?? '') as GatewayOptions
const log = options.bootstrap === undefined ? await openEmbeddedLog({ directory: join(options.directory, 'log'), clock: systemClock }) : await openLog('direct', options.bootstrap, 1)
await log.ensureTopics(topicSpecs({ partitions: 4, retentionMs: 0 }))
const codecs = await openEventCodecs(await SchemaBook.open({ url: 'mock://', storage: { load: () => [], add: () => Promise.resolve() } }))
const plain = { seal: (bytes: Buffer) => bytes, open: (bytes: Buffer) => bytes }
const intake = await openIntake({ log, codecs, clock: systemClock, directory: join(options.directory, options.bug === 'forgets' ? `intake-${process.pid}` : 'intake'), sealer: plain, identify: ({ id }) => Promise.resolve(`key-${id}` as PatientKey) })
/** Long enough that a kill falls into it. */
const BUG_MS = 200
type Publish = OpenIntake['publish']
const publishing = (publish: Publish): OpenIntake => new Proxy(intake, { get: (target, name) => {
  const value: unknown = name === 'publish' ? publish : Reflect.get(target, name, target)
  return typeof value === 'function' ? value.bind(target) as unknown : value
} })
/** `early`: says that a message is published while it is still on its way; `forgets`, whose tables a kill takes: says it late. */
const intakes: Readonly<Record<'early' | 'forgets' | 'none', OpenIntake>> = {
  early: publishing(message => { void systemClock.sleep(BUG_MS).then(() => intake.publish(message)).catch(() => {}); return Promise.resolve({ kind: 'published', arrival: systemClock.now() }) }),
  forgets: publishing(async message => { const outcome = await intake.publish(message); await systemClock.sleep(BUG_MS); return outcome }),
  none: intake,
}

async function start<O, F extends Fault> (kind: ConnectorKind<O, F>, raw: object): Promise<AsyncDisposable> {
  const parsed = kind.options.parse(raw)
  const feed = new Feed<F>({ name: kind.kind, kind: kind.kind, intake: intakes[options.bug ?? 'none'], mapping: fixedMapping(), map: kind.mapper(parsed) })
  return await kind.start({ feed, clock: systemClock, table: name => intake.table(`${kind.kind}-${name}`), secret: () => '', say: () => {} }, parsed)
}

const running = [await start(hl7Connector, { port: options.hl7Port }), await start(mqttConnector, { port: options.mqttPort })]
process.stdout.write('ready\n')
process.on('SIGTERM', () => {
  process.stderr.write('gateway: told to end\n')
  void (async () => {
    for (const one of [...running, intake, log]) await one[Symbol.asyncDispose]()
    process.exit(0)
  })()
})
