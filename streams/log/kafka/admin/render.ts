import type { TopicFinding, TopicPlan } from './plan.ts'

/** The plan for people, a line for each thing to do, with its reason. Names of topics and settings only. */
export function renderPlan (plan: TopicPlan): string {
  const { create, alter, mismatch, notes } = plan
  const lines = [
    ...mismatch.map(f => `! ${difference(f)}: ${f.reason}. To do: ${f.action}.`),
    ...create.map(c => `+ ${c.topic}: create it with ${c.partitions} partition${c.partitions === 1 ? '' : 's'}, ${c.replication} replica${c.replication === 1 ? '' : 's'}, ${[...c.config].map(([name, value]) => `${name}=${value}`).join(', ')}.`),
    ...alter.map(f => `~ ${difference(f)}: ${f.reason}. To do: ${f.action}.`),
    ...notes.map(f => `  ${difference(f)}: ${f.reason}. To do: ${f.action}.`),
  ]
  return lines.length === 0 ? 'All topics are as they should be.' : lines.join('\n')
}

function difference ({ topic, setting, wanted, actual }: TopicFinding): string { return `${topic}: ${setting} is ${actual === '' ? 'not set' : actual}, and must be ${wanted}` }
