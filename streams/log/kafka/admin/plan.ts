import type { TopicSpec } from '../../port.ts'
import { KAFKA_DEFAULTS } from '../options.ts'
import { keepsAll, wantedConfig, type ActualTopic, type ActualTopics, type Durability } from './topic-config.ts'

/** A snapshot's marker must lie within what the topic keeps: with less than this, a member that was away for a lunch break could not recover. */
export const RETENTION_MIN_MS = 3_600_000

export interface TopicToCreate { readonly topic: string, readonly partitions: number, readonly replication: number, readonly config: ReadonlyMap<string, string> }

/** One setting of one topic. `reason`: which rule it breaks; `action`: what a person does about it. */
export interface TopicFinding { readonly topic: string, readonly setting: string, readonly wanted: string, readonly actual: string, readonly reason: string, readonly action: string }

export interface TopicPlan {
  readonly create: readonly TopicToCreate[]
  /** Settings that break a rule and can be mended without loss; `applyTopics` does it. */
  readonly alter: readonly TopicFinding[]
  /** What no setting can mend: a person has to decide. Nothing starts until then. */
  readonly mismatch: readonly TopicFinding[]
  /** Differences that break nothing. */
  readonly notes: readonly TopicFinding[]
  /** What stands on the topics that are altered: the brokers forget what an alteration does not repeat. */
  readonly own: ReadonlyMap<string, ReadonlyMap<string, string>>
}

/** Compares what is wanted with what there is. Nothing is ever deleted, no retention shortened, no partition added. */
export function planTopics (specs: readonly TopicSpec[], actual: ActualTopics, durability: Durability = KAFKA_DEFAULTS): TopicPlan {
  const create: TopicToCreate[] = []
  const findings: Finding[] = []
  const own = new Map<string, ReadonlyMap<string, string>>()
  for (const spec of specs) {
    findings.push(...specFindings(spec, actual, durability))
    const topic = actual.topics.get(spec.name)
    const config = wantedConfig(spec, durability, actual.limitsTimestamps)
    if (topic === undefined) {
      create.push({ topic: spec.name, partitions: spec.partitions, replication: durability.replication, config })
    } else {
      const found = [...shapeFindings(spec, topic, durability), ...settingFindings(spec, topic, config)]
      if (found.some(f => f.kind === 'alter')) own.set(spec.name, topic.own)
      findings.push(...found)
    }
  }
  const of = (kind: Finding['kind']): readonly TopicFinding[] => findings.filter(f => f.kind === kind)
  return { create, alter: of('alter'), mismatch: of('mismatch'), notes: of('note'), own }
}

interface Finding extends TopicFinding { readonly kind: 'alter' | 'mismatch' | 'note' }

function specFindings (spec: TopicSpec, { brokers, topics }: ActualTopics, { replication }: Durability): readonly Finding[] {
  const found: Finding[] = []
  if (spec.retentionMs > 0 && spec.retentionMs < RETENTION_MIN_MS && spec.cleanup !== 'compact') {
    found.push(finding('mismatch', spec, 'retention.ms', `at least ${RETENTION_MIN_MS}`, String(spec.retentionMs), 'the marker of a snapshot must lie within what the topic keeps, or state cannot be recovered', 'configure a longer retention'))
  }
  if (!topics.has(spec.name) && brokers < replication) {
    found.push(finding('mismatch', spec, 'replication', String(replication), `${brokers} brokers`, 'each replica needs a broker of its own', 'add brokers, or configure the replication that this cluster can keep'))
  }
  return found
}

/** What is fixed once a topic has records. */
function shapeFindings (spec: TopicSpec, topic: ActualTopic, { replication }: Durability): readonly Finding[] {
  const found: Finding[] = []
  const timestamps = spec.timestamps === 'append' ? 'LogAppendTime' : 'CreateTime'
  const cleanup = spec.cleanup ?? 'delete'
  if (topic.partitions !== spec.partitions) {
    found.push(finding('mismatch', spec, 'partitions', String(spec.partitions), String(topic.partitions), 'a key would change its partition, and its order with it', `configure ${topic.partitions} partitions, or use another topic prefix`))
  }
  if (setting(topic, 'message.timestamp.type') !== timestamps) {
    found.push(finding('mismatch', spec, 'message.timestamp.type', timestamps, setting(topic, 'message.timestamp.type'), spec.timestamps === 'append' ? 'arrival time must be the log\'s own, or time goes back' : 'a record must keep the time that its producer brought', `an empty topic can be altered (kafka-configs --alter --add-config message.timestamp.type=${timestamps}); one with records has to be made anew`))
  }
  if (setting(topic, 'cleanup.policy') !== cleanup && !mayBeCompacted(spec, topic)) {
    found.push(finding('mismatch', spec, 'cleanup.policy', cleanup, setting(topic, 'cleanup.policy'), cleanup === 'compact' ? 'the newest record of a key would be deleted with age' : 'older records of a key are removed, and a replay is no longer the same', `an empty topic can be altered (kafka-configs --alter --add-config cleanup.policy=${cleanup}); one with records has to be made anew`))
  }
  if (topic.replication < replication) {
    found.push(finding('mismatch', spec, 'replication', String(replication), String(topic.replication), 'a broker that is lost takes records with it', 'move the partitions with kafka-reassign-partitions, or configure the replication that is meant'))
  }
  return found
}

/** Nothing was ever deleted there, so the newest record of each key is. */
function mayBeCompacted ({ cleanup }: TopicSpec, topic: ActualTopic): boolean {
  return cleanup === 'compact' && setting(topic, 'cleanup.policy') === 'delete' && setting(topic, 'retention.ms') === '-1' && setting(topic, 'retention.bytes') === '-1'
}

function settingFindings (spec: TopicSpec, topic: ActualTopic, wanted: ReadonlyMap<string, string>): readonly Finding[] {
  const found: Finding[] = []
  const alter = (name: string, reason: string): void => { found.push(finding('alter', spec, name, wanted.get(name) ?? '', setting(topic, name), reason, 'latido topics apply')) }
  const less = (name: string): boolean => BigInt(setting(topic, name)) < BigInt(wanted.get(name) ?? '0')
  if (mayBeCompacted(spec, topic)) alter('cleanup.policy', 'what was said of a key before, and what was erased, would be kept for ever')
  else if (setting(topic, 'cleanup.policy').includes('delete')) found.push(...retentionFindings(spec, topic, wanted))
  if (less('min.insync.replicas')) alter('min.insync.replicas', 'a record would be acknowledged while only one broker has it')
  if (setting(topic, 'unclean.leader.election.enable') !== 'false') alter('unclean.leader.election.enable', 'a leader that lags could take over, and acknowledged records would be lost')
  if (less('max.message.bytes')) alter('max.message.bytes', 'a large message would be refused by the broker')
  for (const name of ['message.timestamp.before.max.ms', 'message.timestamp.after.max.ms']) {
    if (wanted.has(name) && topic.config.has(name) && less(name)) alter(name, 'a replay brings its own times, and the broker would refuse them')
  }
  return found
}

function retentionFindings (spec: TopicSpec, topic: ActualTopic, wanted: ReadonlyMap<string, string>): readonly Finding[] {
  const found: Finding[] = []
  const kept = Number(setting(topic, 'retention.ms'))
  const want = wanted.get('retention.ms') ?? '-1'
  const line = (kind: Finding['kind'], name: string, reason: string, action: string): void => { found.push(finding(kind, spec, name, wanted.get(name) ?? '', setting(topic, name), reason, action)) }
  if (kept !== -1 && (keepsAll(spec) || kept < spec.retentionMs)) {
    line('alter', 'retention.ms', spec.timestamps === 'create'
      ? 'Kafka would compare it with the times that the producer brings, and delete a replay while it is written'
      : 'records would go before the snapshots that need them', 'latido topics apply')
  } else if (String(kept) !== want) {
    line('note', 'retention.ms', 'it keeps more than is configured', 'nothing; or shorten it with kafka-configs, which deletes records')
  }
  if (setting(topic, 'retention.bytes') !== '-1') line('alter', 'retention.bytes', 'records would go by size, before their time', 'latido topics apply')
  return found
}

function finding (kind: Finding['kind'], spec: TopicSpec, name: string, wanted: string, actual: string, reason: string, action: string): Finding {
  return { kind, topic: spec.name, setting: name, wanted, actual, reason, action }
}

function setting (topic: ActualTopic, name: string): string { return topic.config.get(name) ?? DEFAULTS[name] ?? '' }

/** What Kafka does where a description leaves a setting out (a managed broker may hide some). */
const DEFAULTS: Readonly<Record<string, string>> = {
  'message.timestamp.type': 'CreateTime', 'cleanup.policy': 'delete', 'retention.ms': '604800000', 'retention.bytes': '-1',
  'min.insync.replicas': '1', 'unclean.leader.election.enable': 'false', 'max.message.bytes': '1048588',
}
