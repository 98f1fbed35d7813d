import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openIntake, type Intake } from '../../../connectors/kit/index.ts'
import { openEventCodecs, SchemaBook, TOPICS, topicSpecs, type PatientKey } from '../../../streams/events/index.ts'
import { KAFKA_DEFAULTS, openKafkaLog, type KafkaDriver } from '../../../streams/log/kafka/index.ts'
import type { Log } from '../../../streams/log/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { recordsOf } from '../../kit/read-topic.ts'
import { describeWith, startKafka } from '../../kit/servers/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { missingLibrary } from '../../streams/log/kafka/native/missing.ts'
import { numerics, sealer } from './house.ts'

const drivers: readonly KafkaDriver[] = await missingLibrary() === undefined ? ['direct', 'native'] : ['direct']
const describeKafka = await describeWith('kafka')

async function intakeOn (log: Log, directory: string): Promise<Intake & AsyncDisposable> {
  const codecs = await openEventCodecs(await SchemaBook.open({ url: 'mock://', storage: { load: () => [], add: () => Promise.resolve() } }))
  return await openIntake({ log, codecs, clock: systemClock, directory, sealer, identify: ({ id }) => Promise.resolve(`key-${id.length}` as PatientKey) })
}

async function count (log: Log, topic: string): Promise<number> {
  let n = 0
  for await (const _ of recordsOf(log, topic)) n++
  return n
}

describeKafka('an intake on Kafka', { timeout: 120_000 }, () => {
  it.each(drivers)('publishes, refuses and archives through the driver %s, and after a crash knows what the log has by its headers', async driver => {
    await using kafka = await startKafka()
    const directory = tempDir()
    const { log } = await openKafkaLog({ ...KAFKA_DEFAULTS, brokers: [kafka.bootstrap], replication: 1, minInsyncReplicas: 1, clock: systemClock, driver })
    await log.ensureTopics(topicSpecs({ partitions: 2, retentionMs: 0 }))
    const refused = { cause: 'not-hl7' as const, detail: '', source: 'hl7:test', raw: Buffer.from('who knows') }
    const archived = { source: 'hl7:test', type: 'BAR^P01', raw: Buffer.from('kept') }

    const first = await intakeOn(log, join(directory.path, 'kit'))
    cpSync(join(directory.path, 'kit'), join(directory.path, 'crashed'), { recursive: true }) // as a crash leaves the tables: without what was published since
    expect(await first.publish(numerics('M1', 80))).toMatchObject({ kind: 'published' })
    await first.refuse(refused)
    await first.archive(archived)
    await first[Symbol.asyncDispose]()

    const again = await intakeOn(log, join(directory.path, 'crashed'))
    expect(await again.publish(numerics('M1', 80))).toEqual({ kind: 'duplicate' })
    expect(await again.publish(numerics('M2', 81))).toMatchObject({ kind: 'published' })
    await again.refuse(refused)
    await again.archive(archived)
    await again[Symbol.asyncDispose]()
    expect([await count(log, TOPICS.events), await count(log, TOPICS.deadLetters), await count(log, TOPICS.archive)]).toEqual([2, 1, 1])
    await log[Symbol.asyncDispose]()
    directory.remove()
  })
})
