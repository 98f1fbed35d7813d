import { randomUUID } from 'node:crypto'
import { beforeAll, describe } from 'vitest'
import { openNativeLog } from '../../../../../streams/log/kafka/native/index.ts'
import { KAFKA_DEFAULTS, type KafkaOptions } from '../../../../../streams/log/kafka/options.ts'
import { systemClock } from '../../../../../streams/time/index.ts'
import { describeWith, sharedKafka } from '../../../../kit/servers/index.ts'
import { logContract, type LogUnderTest } from '../../contract.ts'
import { missingLibrary } from './missing.ts'

const missing = await missingLibrary()
const describeKafka = missing === undefined ? await describeWith('kafka') : describe.skip

async function options (more: Partial<KafkaOptions> = {}): Promise<KafkaOptions> {
  return { ...KAFKA_DEFAULTS, brokers: [(await sharedKafka()).bootstrap], replication: 1, minInsyncReplicas: 1, sessionTimeoutMs: 3_000, requestTimeoutMs: 15_000, clock: systemClock, ...more }
}

async function openWith (prefix: string): Promise<LogUnderTest> {
  const log = await openNativeLog(await options())
  return { log, prefix, reopen: async () => { await log[Symbol.asyncDispose](); return await openWith(prefix) }, close: async () => { await log[Symbol.asyncDispose]() } }
}

describeKafka('the driver native', () => {
  beforeAll(async () => { await sharedKafka() })

  logContract('native', () => openWith(`native-${randomUUID()}-`), {
    textHeaders: 'node-rdkafka turns the values of headers into text when it writes',
    noZombies: 'the library beats from a thread of its own while this process runs; the chaos tests stop the process',
  })
})
