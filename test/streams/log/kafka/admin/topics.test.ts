import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { applyTopics, describeTopics, openTopicAdmin, planTopics, trimTopics, type TopicAdmin, type TopicPlan } from '../../../../../streams/log/kafka/admin/index.ts'
import type { TopicSpec } from '../../../../../streams/log/index.ts'
import { systemClock } from '../../../../../streams/time/index.ts'
import { describeWith, sharedKafka, startJavaClient, type JavaClient } from '../../../../kit/servers/index.ts'

const ONE = { replication: 1, minInsyncReplicas: 1 }
const DAY_MS = 86_400_000

const describeKafka = await describeWith('kafka')
describeKafka('administration of a real cluster', () => {
  let admin: TopicAdmin
  let java: JavaClient
  const prefix = `admin-${randomUUID()}`
  const spec = (name: string, more: Partial<TopicSpec> = {}): TopicSpec => ({ name: `${prefix}-${name}`, partitions: 3, timestamps: 'append', retentionMs: 7 * DAY_MS, ...more })
  const plan = async (specs: readonly TopicSpec[]): Promise<TopicPlan> => planTopics(specs, await describeTopics(admin, specs.map(s => s.name)), ONE)

  beforeAll(async () => {
    const { bootstrap } = await sharedKafka()
    admin = await openTopicAdmin({ brokers: [bootstrap], clientId: 'test', requestTimeoutMs: 20_000, clock: systemClock })
    java = await startJavaClient(bootstrap)
  })
  afterAll(async () => { await admin[Symbol.asyncDispose](); await java[Symbol.asyncDispose]() })

  it('changes nothing when it is applied a second time', async () => {
    const specs = [spec('events'), spec('scores', { timestamps: 'create' }), spec('snapshots', { timestamps: 'create', cleanup: 'compact', retentionMs: 0 })]
    const first = await plan(specs)
    expect(first.create).toHaveLength(3)
    await applyTopics(admin, first)
    expect(await plan(specs)).toMatchObject({ create: [], alter: [], mismatch: [], notes: [] })
    await applyTopics(admin, first)
    await applyTopics(admin, await plan(specs))
    expect(await plan(specs)).toMatchObject({ create: [], alter: [], mismatch: [], notes: [] })
  })

  it('mends settings and forgets none that somebody else has set', async () => {
    const events = spec('mended')
    await java.createTopic(events.name, 3, { 'message.timestamp.type': 'LogAppendTime', 'retention.ms': '3600000', 'retention.bytes': '5000000', 'unclean.leader.election.enable': 'true', 'max.message.bytes': '1000', 'segment.ms': '7200000' })
    const before = await plan([events])
    expect(before.mismatch).toEqual([])
    expect(before.alter.map(a => a.setting).sort()).toEqual(['max.message.bytes', 'retention.bytes', 'retention.ms', 'unclean.leader.election.enable'])
    await applyTopics(admin, before)
    expect(await plan([events])).toMatchObject({ create: [], alter: [], mismatch: [] })
    const { topics } = await describeTopics(admin, [events.name])
    expect(topics.get(events.name)?.own.get('segment.ms')).toBe('7200000')
    expect(topics.get(events.name)?.own.get('message.timestamp.type')).toBe('LogAppendTime')
  })

  it('compacts a topic that was made to keep all', async () => {
    const identity = spec('identity', { retentionMs: 0 })
    await applyTopics(admin, await plan([identity]))
    const compacted = await plan([{ ...identity, cleanup: 'compact' }])
    expect([compacted.alter.map(a => a.setting), compacted.mismatch]).toEqual([['cleanup.policy'], []])
    await applyTopics(admin, compacted)
    expect(await plan([{ ...identity, cleanup: 'compact' }])).toMatchObject({ create: [], alter: [], mismatch: [], notes: [] })
  })

  it('names what only a person can mend', async () => {
    const wrong = spec('wrong')
    await java.createTopic(wrong.name, 5, { 'message.timestamp.type': 'CreateTime', 'cleanup.policy': 'compact' })
    expect((await plan([wrong])).mismatch.map(m => m.setting).sort()).toEqual(['cleanup.policy', 'message.timestamp.type', 'partitions'])
    const replicated = planTopics([wrong], await describeTopics(admin, [wrong.name]), { replication: 3, minInsyncReplicas: 2 })
    expect(replicated.mismatch.map(m => m.setting)).toContain('replication')
  })

  it('keeps a replay of last year, and trims it by its own time', async () => {
    const replay = spec('replay', { timestamps: 'create', partitions: 1, retentionMs: 10 * DAY_MS })
    await applyTopics(admin, await plan([replay]))
    const now = 1_700_000_000_000
    const producer = await java.producer()
    for (const days of [30, 20, 10, 5, 1]) await producer.send({ topic: replay.name, partition: 0 }, { timestamp: now - days * DAY_MS, key: null, value: Buffer.from(String(days)) })
    await producer.flush()
    expect(await trimTopics(admin, [replay], now)).toBe(2)
    const values = async (): Promise<readonly string[]> => (await java.read({ topic: replay.name, partition: 0 })).map(r => r.value!.toString())
    expect(await values()).toEqual(['10', '5', '1'])
    expect(await trimTopics(admin, [replay], now)).toBe(0)
    expect(await trimTopics(admin, [replay], now + 100 * DAY_MS)).toBe(2)
    expect(await values()).toEqual(['1'])
  })

  it('says that nobody answers, and that a password is wrong', async () => {
    const { listeners } = await sharedKafka()
    await expect(openTopicAdmin({ brokers: ['127.0.0.1:1'], clientId: 'test', requestTimeoutMs: 2_000, clock: systemClock })).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' })
    await expect(openTopicAdmin({ brokers: [listeners['sasl-plain']], clientId: 'test', requestTimeoutMs: 5_000, clock: systemClock, sasl: { kind: 'plain', username: 'latido', password: 'wrong' } })).rejects.toMatchObject({ code: 'BROKER_AUTHENTICATION_FAILED' })
  })
})
