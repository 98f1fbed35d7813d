import { describe, expect, it } from 'vitest'
import { planTopics, renderPlan, RETENTION_MIN_MS, type ActualTopic, type ActualTopics } from '../../../../../streams/log/kafka/admin/index.ts'
import type { TopicSpec } from '../../../../../streams/log/index.ts'

const DAY_MS = 86_400_000
const EVENTS: TopicSpec = { name: 'events', partitions: 8, timestamps: 'append', retentionMs: 7 * DAY_MS }
const SCORES: TopicSpec = { name: 'scores', partitions: 8, timestamps: 'create', retentionMs: 7 * DAY_MS }
const SNAPSHOTS: TopicSpec = { name: 'snapshots', partitions: 8, timestamps: 'create', retentionMs: 0, cleanup: 'compact' }
const NOTHING: ActualTopics = { brokers: 3, topics: new Map(), limitsTimestamps: true }

/** What `apply` makes of a plan: the topics as the cluster then describes them. */
function applied (specs: readonly TopicSpec[]): Map<string, ActualTopic> {
  return new Map(planTopics(specs, NOTHING).create.map(c => [c.topic, { name: c.topic, partitions: c.partitions, replication: c.replication, config: c.config, own: c.config }]))
}

/** The plan for one topic that is right but for this. */
function planOf (spec: TopicSpec, differs: { readonly partitions?: number, readonly replication?: number, readonly config?: Readonly<Record<string, string>> }): ReturnType<typeof planTopics> {
  const right = applied([spec]).get(spec.name)!
  const { config = {}, ...shape } = differs
  const set = new Map([...right.config, ...Object.entries(config)])
  return planTopics([spec], { ...NOTHING, topics: new Map([[spec.name, { ...right, ...shape, config: set, own: set }]]) })
}

describe('the plan of topics', () => {
  it('creates what is missing, with every setting said', () => {
    const { create, alter, mismatch, notes } = planTopics([EVENTS, SCORES, SNAPSHOTS], NOTHING)
    expect([alter, mismatch, notes]).toEqual([[], [], []])
    expect(create.map(c => [c.topic, c.partitions, c.replication])).toEqual([['events', 8, 3], ['scores', 8, 3], ['snapshots', 8, 3]])
    expect(Object.fromEntries(create[0]!.config)).toMatchObject({ 'message.timestamp.type': 'LogAppendTime', 'retention.ms': String(7 * DAY_MS), 'retention.bytes': '-1', 'cleanup.policy': 'delete', 'min.insync.replicas': '2', 'unclean.leader.election.enable': 'false' })
    expect(Object.fromEntries(create[2]!.config)).toMatchObject({ 'cleanup.policy': 'compact', 'message.timestamp.type': 'CreateTime' })
  })

  it('has nothing to do when it has been applied', () => {
    const plan = planTopics([EVENTS, SCORES, SNAPSHOTS], { ...NOTHING, topics: applied([EVENTS, SCORES, SNAPSHOTS]) })
    expect(plan).toMatchObject({ create: [], alter: [], mismatch: [], notes: [] })
    expect(renderPlan(plan)).toBe('All topics are as they should be.')
  })

  it('lets no broker delete by age where the records bring their own times', () => {
    expect(planTopics([SCORES], NOTHING).create[0]!.config.get('retention.ms')).toBe('-1')
    const { alter } = planOf(SCORES, { config: { 'retention.ms': String(30 * DAY_MS) } })
    expect(alter).toMatchObject([{ setting: 'retention.ms', wanted: '-1', reason: expect.stringContaining('delete a replay') as string }])
  })

  it('compacts a topic from which nothing was ever deleted', () => {
    const { alter, mismatch } = planOf({ ...SNAPSHOTS, name: 'identity', timestamps: 'append' }, { config: { 'cleanup.policy': 'delete', 'retention.ms': '-1' } })
    expect([alter.map(({ setting, wanted }) => [setting, wanted]), mismatch]).toEqual([[['cleanup.policy', 'compact']], []])
  })

  it('leaves a setting out that the brokers do not know', () => {
    expect(planTopics([SCORES], { ...NOTHING, limitsTimestamps: false }).create[0]!.config.has('message.timestamp.after.max.ms')).toBe(false)
  })

  it.each([
    ['another number of partitions', EVENTS, { partitions: 4 }, 'partitions'],
    ['times of the producer where the log must stamp', EVENTS, { config: { 'message.timestamp.type': 'CreateTime' } }, 'message.timestamp.type'],
    ['times of the log where a replay brings them', SCORES, { config: { 'message.timestamp.type': 'LogAppendTime' } }, 'message.timestamp.type'],
    ['compaction where all must be kept', EVENTS, { config: { 'cleanup.policy': 'compact' } }, 'cleanup.policy'],
    ['deletion where the newest of a key must be kept', SNAPSHOTS, { config: { 'cleanup.policy': 'delete', 'retention.ms': String(7 * DAY_MS) } }, 'cleanup.policy'],
    ['fewer replicas', EVENTS, { replication: 2 }, 'replication'],
  ])('refuses %s', (_, spec, differs, setting) => {
    const { mismatch, alter } = planOf(spec, differs)
    expect(mismatch.map(m => m.setting)).toEqual([setting])
    expect(alter.filter(a => a.setting === setting)).toEqual([])
    expect(renderPlan(planOf(spec, differs))).toMatch(new RegExp(`^! ${spec.name}: ${setting} is .*To do: `))
  })

  it.each([
    ['a retention that snapshots outlive', EVENTS, { 'retention.ms': String(DAY_MS) }, 'retention.ms', String(7 * DAY_MS)],
    ['a retention by size', EVENTS, { 'retention.bytes': '1000000' }, 'retention.bytes', '-1'],
    ['one replica in sync for an acknowledgement', EVENTS, { 'min.insync.replicas': '1' }, 'min.insync.replicas', '2'],
    ['unclean elections', EVENTS, { 'unclean.leader.election.enable': 'true' }, 'unclean.leader.election.enable', 'false'],
    ['a small limit of a message', EVENTS, { 'max.message.bytes': '1048588' }, 'max.message.bytes', String((16 << 20) + (64 << 10))],
    ['a limit of times to come', SCORES, { 'message.timestamp.after.max.ms': '3600000' }, 'message.timestamp.after.max.ms', '9223372036854775807'],
  ])('mends %s', (_, spec, config, setting, wanted) => {
    const plan = planOf(spec, { config: config as unknown as Readonly<Record<string, string>> })
    expect(plan.mismatch).toEqual([])
    expect(plan.alter.map(a => [a.setting, a.wanted])).toEqual([[setting, wanted]])
    expect(plan.own.get(spec.name)?.size).toBeGreaterThan(5)
  })

  it('asks one replica in sync of a topic that has one', () => {
    const durability = { replication: 1, minInsyncReplicas: 2 }
    expect(planTopics([EVENTS], NOTHING, durability).create[0]!.config.get('min.insync.replicas')).toBe('1')
  })

  it('refuses a retention in which no snapshot could rest, and replicas without brokers', () => {
    expect(planTopics([{ ...EVENTS, retentionMs: RETENTION_MIN_MS - 1 }], NOTHING).mismatch.map(m => m.setting)).toEqual(['retention.ms'])
    expect(planTopics([EVENTS], { ...NOTHING, brokers: 1 }).mismatch.map(m => m.setting)).toEqual(['replication'])
  })

  it('notes a longer retention and leaves it', () => {
    const plan = planOf(EVENTS, { config: { 'retention.ms': String(90 * DAY_MS) } })
    expect([plan.alter, plan.mismatch]).toEqual([[], []])
    expect(plan.notes.map(n => n.setting)).toEqual(['retention.ms'])
  })
})
