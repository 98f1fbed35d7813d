import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Log } from '../../../../../streams/log/index.ts'
import { openNativeLog } from '../../../../../streams/log/kafka/native/index.ts'
import { KAFKA_DEFAULTS, type KafkaOptions } from '../../../../../streams/log/kafka/options.ts'
import { systemClock } from '../../../../../streams/time/index.ts'
import { describeWith, sharedKafka, startJavaClient, startKafka, unsecuredToken, until, USER, type ListenerName, type SharedKafka } from '../../../../kit/servers/index.ts'
import { missingLibrary } from './missing.ts'

const describeKafka = await missingLibrary() === undefined ? await describeWith('kafka') : describe.skip
const options = (brokers: string, more: Partial<KafkaOptions> = {}): KafkaOptions => ({ ...KAFKA_DEFAULTS, brokers: [brokers], replication: 1, minInsyncReplicas: 1, sessionTimeoutMs: 3_000, requestTimeoutMs: 15_000, clock: systemClock, ...more })
const record = (value: string): { key: Buffer | null, value: Buffer } => ({ key: null, value: Buffer.from(value) })

async function topic (log: Log, name: string, partitions: number = 1): Promise<string> {
  await log.ensureTopics([{ name, partitions, timestamps: 'append', retentionMs: 0 }])
  return name
}

describeKafka('the driver native on real brokers', () => {
  let kafka: SharedKafka
  beforeAll(async () => { kafka = await sharedKafka() })

  it('ends a range at the last stable offset: before the first record of a transaction that is open', async () => {
    await using log = await openNativeLog(options(kafka.bootstrap))
    await using java = await startJavaClient(kafka.bootstrap)
    const of = { topic: await topic(log, `range-${randomUUID()}`), partition: 0 }
    await log.producer().append(of, [record('a')])
    const open = await java.producer('none', `range-${randomUUID()}`)
    await open.begin()
    await open.send(of, record('b'))
    await open.flush()
    await log.producer().append(of, [record('c')])
    expect(await java.range(of, 'read_uncommitted')).toEqual({ start: 0, end: 3 })
    expect(await log.range(of)).toEqual({ start: 0, end: 1 })
    await open.commit()
    await until('the commit', 60_000, async () => (await log.range(of)).end === 4)
  })

  it('refuses the commit of a member whose process slept past its session, and shows nothing of it', async () => {
    await using log = await openNativeLog(options(kafka.bootstrap))
    const prefix = `zombie-${randomUUID()}-`
    const of = { topic: await topic(log, `${prefix}in`), partition: 0 }
    const out = { topic: await topic(log, `${prefix}out`), partition: 0 }
    await log.producer().append(of, [record('a')])
    const child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('zombie.ts', import.meta.url)), kafka.bootstrap, prefix], { stdio: ['pipe', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.on('data', (bytes: Buffer) => { said += bytes.toString() })
    try {
      await until('the member', 60_000, () => said.includes('ready'))
      child.kill('SIGSTOP')
      await using heir = log.consumer({ group: `${prefix}g`, instance: 'heir', topics: [of.topic], from: 'earliest' })
      await until('the heir', 60_000, async () => { await heir.poll(50); return heir.assignment().length === 1 })
      child.kill('SIGCONT')
      child.stdin.write('commit\n')
      await once(child, 'close')
      expect(said).toBe('ready\nMEMBER_FENCED\n')
      expect(await heir.committed(of)).toBeUndefined()
      expect(await log.reader(out, 0).next().then(run => run?.records.next() ?? false)).toBe(false)
    } finally {
      child.kill('SIGKILL')
    }
  })

  const ways: readonly (readonly [ListenerName, (ca: Buffer) => Partial<KafkaOptions>])[] = [
    ['tls', ca => ({ tls: { ca } })],
    ['sasl-plain', () => ({ sasl: { kind: 'plain', username: USER.name, password: USER.password } })],
    ['scram', () => ({ sasl: { kind: 'scram-sha-256', username: USER.name, password: USER.password } })],
    ['scram-tls', ca => ({ tls: { ca }, sasl: { kind: 'scram-sha-512', username: USER.name, password: USER.password } })],
    ['oauthbearer', () => ({ sasl: { kind: 'oauthbearer', token: () => Promise.resolve({ token: unsecuredToken(USER.name), expiresAtMs: Date.now() + 3_600_000 }) } })],
  ]
  it.each(ways)('logs in by the listener %s', async (listener, how) => {
    await using log = await openNativeLog(options(kafka.listeners[listener], how(readFileSync(kafka.caFile))))
    const of = { topic: await topic(log, `login-${randomUUID()}`), partition: 0 }
    await log.producer().append(of, [record('a')])
    await using member = log.consumer({ group: of.topic, instance: randomUUID(), topics: [of.topic], from: 'earliest' })
    await until('a record', 60_000, async () => (await member.poll(100)).some(run => run.records.next()))
    const transaction = await log.transactionalProducer(of.topic)
    transaction.append(of, [record('b')])
    await transaction.commit(member.metadata, [{ ...of, offset: 1 }])
    expect(await member.committed(of)).toBe(1)
  })

  it('says that a password is wrong, and that a certificate is not known', async () => {
    await expect(openNativeLog(options(kafka.listeners.scram, { sasl: { kind: 'scram-sha-256', username: USER.name, password: 'wrong' } }))).rejects.toMatchObject({ code: 'BROKER_AUTHENTICATION_FAILED' })
    await expect(openNativeLog(options(kafka.listeners.tls, { tls: {} }))).rejects.toMatchObject({ code: 'BROKER_AUTHENTICATION_FAILED' })
  })

  it('refuses a header that the library would change', async () => {
    await using log = await openNativeLog(options(kafka.bootstrap))
    const of = { topic: await topic(log, `header-${randomUUID()}`), partition: 0 }
    for (const value of [null, Buffer.from([255])]) await expect(log.producer().append(of, [{ ...record('a'), headers: [{ key: 'h', value }] }])).rejects.toMatchObject({ code: 'PAYLOAD_INVALID' })
    expect(await log.range(of)).toEqual({ start: 0, end: 0 })
  })

  it('refuses to start on a topic that breaks a rule, and changes nothing of it', async () => {
    await using log = await openNativeLog(options(kafka.bootstrap))
    await using java = await startJavaClient(kafka.bootstrap)
    const name = `rule-${randomUUID()}`
    await java.createTopic(name, 1, { 'message.timestamp.type': 'LogAppendTime', 'unclean.leader.election.enable': 'true', 'max.message.bytes': '20971520', 'retention.ms': '-1' })
    await expect(topic(log, name)).rejects.toMatchObject({ code: 'TOPIC_MISMATCH', message: expect.stringContaining('unclean.leader.election.enable') as string, action: 'latido topics apply' })
  })

  it('closes though the broker is gone', async () => {
    await using own = await startKafka()
    const log = await openNativeLog(options(own.bootstrap, { requestTimeoutMs: 3_000 }))
    const name = await topic(log, 'closing', 4)
    const member = log.consumer({ group: 'g', instance: 'i', topics: [name], from: 'earliest' })
    const transaction = await log.transactionalProducer('t')
    await until('the assignment', 60_000, async () => { await member.poll(50); return member.assignment().length === 4 })
    transaction.append({ topic: name, partition: 0 }, [record('a')])
    await own.kill(1)
    await expect(log.producer().append({ topic: name, partition: 0 }, [record('b')])).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' })
    await expect(transaction.commit(member.metadata, [{ topic: name, partition: 0, offset: 0 }])).rejects.toMatchObject({ code: expect.stringMatching(/BROKER_UNREACHABLE|TRANSACTION_ABORTED/) as string })
    await log[Symbol.asyncDispose]()
  })
})
