import { LatidoError } from '../../../errors/index.ts'
import type { TopicSpec } from '../../port.ts'
import type { TopicAdmin } from './connect.ts'
import { planTopics } from './plan.ts'
import { renderPlan } from './render.ts'
import type { Durability } from './topic-config.ts'
import { applyTopics, describeTopics } from './topics.ts'

/** A broker that is away, or has just come back, makes a cluster look smaller than it is: that long it may take. */
const BROKERS_RETURN_MS = 10_000
const ASK_AGAIN_MS = 500

/** What a start does: creates what is missing, and throws TOPIC_MISMATCH where an existing topic breaks a rule. Settings are altered by `latido topics apply` alone. */
export async function ensureTopics (admin: TopicAdmin, specs: readonly TopicSpec[], durability: Durability): Promise<void> {
  const deadlineMs = admin.clock.monotonicMs() + BROKERS_RETURN_MS
  for (;;) {
    const plan = planTopics(specs, await describeTopics(admin, specs.map(s => s.name)), durability)
    const broken = { ...plan, create: [], notes: [] }
    if (plan.mismatch.length + plan.alter.length === 0) {
      if (plan.create.length > 0) await applyTopics(admin, plan)
      return
    }
    const mayPass = plan.mismatch.length > 0 && plan.mismatch.every(f => f.setting === 'replication')
    if (!mayPass || admin.clock.monotonicMs() > deadlineMs) throw new LatidoError('TOPIC_MISMATCH', `topics of the cluster break a rule:\n${renderPlan(broken)}\n`, plan.mismatch.length > 0 ? 'latido topics plan says it again at any time' : 'latido topics apply')
    await admin.clock.sleep(ASK_AGAIN_MS)
  }
}

/** Partitions of every topic of the cluster. */
export async function partitionCounts (admin: TopicAdmin): Promise<ReadonlyMap<string, number>> {
  const { topics } = await admin.ask('describe topics', a => a.fetchTopicMetadata())
  return new Map(topics.map(({ name, partitions }) => [name, partitions.length]))
}
