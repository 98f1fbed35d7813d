import { join } from 'node:path'
import { Feed, fixedMapping, openIntake, type ConnectorContext, type ConnectorKind } from '../../connectors/kit/index.ts'
import { devicesOf, mqttBrokerConnector, mqttConnector, mqttMapper, type DeviceOptions } from '../../connectors/mqtt/index.ts'
import { openEventCodecs, SchemaBook, topicSpecs, type PatientKey } from '../../streams/events/index.ts'
import { openEmbeddedLog } from '../../streams/log/index.ts'
import { systemClock } from '../../streams/time/index.ts'

/**
 * A Latido of nothing but an intake, a log and one MQTT feed, in a process that a test may kill: `node --import tsx test/kit/mqtt-receiver.ts DIRECTORY KIND
 * OPTIONS`. Prints its health and how many messages it has published, as often as that changes.
 */
const [directory = '', kindName = '', optionsText = '{}'] = process.argv.slice(2)

async function start<Options extends DeviceOptions> (kind: ConnectorKind<Options>): Promise<void> {
  const options = kind.options.parse(JSON.parse(optionsText))
  const log = await openEmbeddedLog({ directory: join(directory, 'log'), clock: systemClock })
  await log.ensureTopics(topicSpecs({ partitions: 2, retentionMs: 0 }))
  const codecs = await openEventCodecs(await SchemaBook.open({ url: 'mock://', storage: { load: () => [], add: () => Promise.resolve() } }))
  let published = 0
  const intake = await openIntake({ log, codecs, clock: systemClock, directory: join(directory, 'kit'), sealer: { seal: plain => plain, open: sealed => sealed }, identify: ({ id }) => Promise.resolve(id as PatientKey), onCount: (_, what, n) => { if (what === 'published') published += n } })
  const feed = new Feed({ name: 'test', kind: kind.kind, intake, mapping: fixedMapping(), map: mqttMapper(options, devicesOf(options)) })
  const context: ConnectorContext = { feed, clock: systemClock, table: name => intake.table(name), secret: () => '', say: () => {} }
  const connector = await kind.start(context, options)
  let before = ''
  setInterval(() => {
    const now = JSON.stringify({ state: connector.health().state, endpoint: connector.endpoint, published })
    if (now !== before) process.stdout.write(`${now}\n`)
    before = now
  }, 10)
  process.once('SIGTERM', () => {
    void connector[Symbol.asyncDispose]().then(() => intake[Symbol.asyncDispose]()).then(() => log[Symbol.asyncDispose]()).then(() => { process.exit(0) })
  })
}

await (kindName === 'mqtt' ? start(mqttConnector) : start(mqttBrokerConnector))
