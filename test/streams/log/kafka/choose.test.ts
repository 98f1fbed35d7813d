import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { beforeAll, expect, it } from 'vitest'
import { chooseDriver, chooseFor } from '../../../../streams/log/kafka/choose.ts'
import { heartbeatApi } from '../../../../streams/log/kafka/direct/api/index.ts'
import { KAFKA_DEFAULTS, openKafkaLog, type KafkaOptions } from '../../../../streams/log/kafka/index.ts'
import { systemClock } from '../../../../streams/time/index.ts'
import { describeWith, sharedKafka, startKafka } from '../../../kit/servers/index.ts'
import { kafkaJars } from '../../../kit/servers/java.ts'
import { missingLibrary } from './native/missing.ts'

const options = (bootstrap: string, more: Partial<KafkaOptions> = {}): KafkaOptions => ({ ...KAFKA_DEFAULTS, brokers: [bootstrap], replication: 1, minInsyncReplicas: 1, requestTimeoutMs: 10_000, clock: systemClock, ...more })

it('takes native where a call is missing or groups are not the brokers\' own, and says so', () => {
  const features = new Map([['group.version', 1]])
  expect(chooseFor({ features, versionOf: () => 1 })).toMatchObject({ driver: 'direct' })
  expect(chooseFor({ features, versionOf: api => api.key === heartbeatApi.key ? undefined : 1 })).toMatchObject({ driver: 'native', why: expect.stringContaining('ConsumerGroupHeartbeat') as string })
  expect(chooseFor({ features: new Map(), versionOf: () => 1 })).toMatchObject({ driver: 'native', why: expect.stringContaining('group.version 0') as string })
})

const withoutNative = await missingLibrary() !== undefined

it('asks nobody when a driver is configured', async () => {
  expect(await chooseDriver(options('127.0.0.1:1', { driver: 'native' }))).toEqual({ driver: 'native', why: 'native is configured' })
})

it('says that nobody answers, whatever the driver', async () => {
  for (const driver of ['auto', 'direct', 'native'] as const) {
    if (driver === 'native' && withoutNative) continue
    await expect(openKafkaLog(options('127.0.0.1:1', { driver, requestTimeoutMs: 1_000 })), driver).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' })
  }
})

const describeKafka = await describeWith('kafka')
describeKafka('the driver for a real cluster', () => {
  beforeAll(async () => { await sharedKafka() })

  it('is direct on Kafka 4', async () => {
    const { log, driver, why } = await openKafkaLog(options((await sharedKafka()).bootstrap))
    expect([driver, why]).toEqual(['direct', expect.stringContaining('group.version 1')])
    await log[Symbol.asyncDispose]()
  })

  it.skipIf(withoutNative)('is native where the cluster keeps to the older groups', async () => {
    await using kafka = await startKafka()
    await promisify(execFile)('java', ['-cp', `${await kafkaJars()}/*`, 'org.apache.kafka.tools.FeatureCommand', '--bootstrap-server', kafka.bootstrap, 'downgrade', '--feature', 'group.version=0'])
    const { log, driver, why } = await openKafkaLog(options(kafka.bootstrap))
    const spec = { name: `choice-${randomUUID()}`, partitions: 1, timestamps: 'append' as const, retentionMs: 0 }
    await log.ensureTopics([spec])
    await log.producer().append({ topic: spec.name, partition: 0 }, [{ key: null, value: Buffer.from('a') }])
    expect([driver, await log.range({ topic: spec.name, partition: 0 }), why]).toEqual(['native', { start: 0, end: 1 }, expect.stringContaining('direct')])
    await log[Symbol.asyncDispose]()
  })
})
