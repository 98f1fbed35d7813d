import { isLatidoError, LatidoError } from '../../../errors/index.ts'
import type { TopicAdmin } from './connect.ts'
import type { TopicPlan } from './plan.ts'
import type { ActualTopic, ActualTopics } from './topic-config.ts'

/** Kafka's numbers for the kinds of a resource, and for a setting that stands on the topic itself. */
const TOPIC = 2
const BROKER = 4
const SET_ON_TOPIC = 1

/** What the cluster has of these topics; those that are missing are left out. */
export async function describeTopics (admin: TopicAdmin, names: readonly string[]): Promise<ActualTopics> {
  const { brokers } = await admin.ask('describe the cluster', a => a.describeCluster())
  const existing = new Set(await admin.ask('list topics', a => a.listTopics()))
  const wanted = names.filter(name => existing.has(name))
  const limitsTimestamps = await knowsTimestampLimits(admin, brokers[0]?.nodeId)
  if (wanted.length === 0) return { brokers: brokers.length, topics: new Map(), limitsTimestamps }
  const { topics: shapes } = await admin.ask('describe topics', a => a.fetchTopicMetadata({ topics: wanted }))
  const { resources } = await admin.ask('describe the settings of topics', a => a.describeConfigs({ includeSynonyms: false, resources: wanted.map(name => ({ type: TOPIC, name })) }))
  const topics = new Map<string, ActualTopic>()
  for (const { name, partitions } of shapes) {
    const entries = resources.find(r => r.resourceName === name)?.configEntries ?? []
    topics.set(name, {
      name,
      partitions: partitions.length,
      replication: Math.min(...partitions.map(p => p.replicas.length)),
      config: new Map(entries.map(e => [e.configName, e.configValue])),
      own: new Map(entries.filter(e => Number(e.configSource) === SET_ON_TOPIC).map(e => [e.configName, e.configValue])),
    })
  }
  return { brokers: brokers.length, topics, limitsTimestamps }
}

/** Since Kafka 3.6 (KIP-937), by a name that older brokers refuse. */
async function knowsTimestampLimits (admin: TopicAdmin, broker: number | undefined): Promise<boolean> {
  if (broker === undefined) return false
  const { resources } = await admin.ask('describe a broker', a => a.describeConfigs({ includeSynonyms: false, resources: [{ type: BROKER, name: String(broker), configNames: ['log.message.timestamp.after.max.ms'] }] }))
  return resources.some(r => r.configEntries.some(e => e.configName === 'log.message.timestamp.after.max.ms'))
}

/** Creates and alters what the plan says; a plan made afterwards is empty of both. What is a mismatch stays as it is. */
export async function applyTopics (admin: TopicAdmin, plan: TopicPlan): Promise<void> {
  if (plan.create.length > 0) {
    // Another instance may create the same ones at the same time: kafkajs answers false where a topic is already there.
    await admin.ask('create topics', a => a.createTopics({
      waitForLeaders: false,
      topics: plan.create.map(c => ({ topic: c.topic, numPartitions: c.partitions, replicationFactor: c.replication, configEntries: entriesOf(c.config) })),
    }))
    await waitForLeaders(admin, plan.create.map(c => c.topic))
  }
  const altered = [...new Set(plan.alter.map(f => f.topic))]
  if (altered.length === 0) return
  // AlterConfigs (the call that kafkajs has) replaces: what is not said again falls back to the broker's default.
  await admin.ask('alter topics', a => a.alterConfigs({
    validateOnly: false,
    resources: altered.map(topic => ({ type: TOPIC, name: topic, configEntries: entriesOf(new Map([...plan.own.get(topic) ?? [], ...plan.alter.filter(f => f.topic === topic).map(f => [f.setting, f.wanted] as const)])) })),
  }))
  await waitForSettings(admin, plan, altered)
}

/** The controller answers when it has the settings; a broker tells them a moment later. */
async function waitForSettings (admin: TopicAdmin, { alter }: TopicPlan, altered: readonly string[]): Promise<void> {
  const deadline = admin.clock.monotonicMs() + admin.requestTimeoutMs
  for (;;) {
    const { topics } = await describeTopics(admin, altered)
    if (alter.every(f => topics.get(f.topic)?.config.get(f.setting) === f.wanted) || admin.clock.monotonicMs() > deadline) return // the next plan says what is still missing
    await admin.clock.sleep(50)
  }
}

/** A broker hears of a new topic a moment after it was created; kafkajs gives up on one that it does not know yet. */
async function waitForLeaders (admin: TopicAdmin, names: readonly string[]): Promise<void> {
  const deadline = admin.clock.monotonicMs() + admin.requestTimeoutMs
  for (;;) {
    try {
      const { topics } = await admin.ask('find the leaders of new topics', a => a.fetchTopicMetadata({ topics: [...names] }))
      if (topics.every(t => t.partitions.every(p => p.leader >= 0))) return
    } catch (e) {
      if (!isLatidoError(e) || e.code !== 'BROKER_REFUSED' || admin.clock.monotonicMs() > deadline) throw e
    }
    if (admin.clock.monotonicMs() > deadline) throw new LatidoError('BROKER_UNREACHABLE', `new topics have no leaders after ${admin.requestTimeoutMs} ms`, 'check that the brokers run')
    await admin.clock.sleep(50)
  }
}

function entriesOf (config: ReadonlyMap<string, string>): { name: string, value: string }[] { return [...config].map(([name, value]) => ({ name, value })) }
