import type { SubjectPlan } from '../../../streams/events/index.ts'
import { renderPlan } from '../../../streams/log/index.ts'
import type { ClusterPlan } from './provision.ts'

/** A plan for people: topics as their administration says it, then a line for each subject that is not as it should be. */
export function renderCluster ({ topics, subjects }: ClusterPlan): string {
  const lines = subjects.flatMap(line)
  return [renderPlan(topics), ...lines.length === 0 ? ['All schemas are registered and guarded.'] : lines].join('\n')
}

function line ({ subject, state, why, guarded, compatibility }: SubjectPlan): readonly string[] {
  const guard = guarded ? '' : `compatibility is ${compatibility ?? 'not set'}, and must be BACKWARD`
  switch (state) {
    case 'incompatible': return [`! ${subject}: ${why}. To do: give new fields a default, or use a new record name.`]
    case 'missing': return [`+ ${subject}: register its schema${guard === '' ? '' : ', with compatibility BACKWARD'}.`]
    case 'registered': return guarded ? [] : [`~ ${subject}: ${guard}. To do: latido topics apply.`]
  }
}

/** Nothing to create, to mend or to decide. */
export function isProvisioned ({ topics, subjects }: ClusterPlan): boolean {
  return topics.create.length + topics.alter.length + topics.mismatch.length === 0 && subjects.every(s => s.state === 'registered' && s.guarded)
}
