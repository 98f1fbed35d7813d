import type { TopicSpec } from '../log/index.ts'

/** The topics of the product. All but dead letters, the archive, monitors and those of other entities are keyed by patient; all but dead letters, the archive and monitors are partitioned alike. */
export const TOPICS = {
  events: 'latido.events',
  features: 'latido.features',
  /** Keyed by ward, bed, device or encounter: what their views are computed from, and the vectors. */
  entities: 'latido.entities',
  entityFeatures: 'latido.entity-features',
  scores: 'latido.scores',
  alerts: 'latido.alerts',
  identity: 'latido.identity',
  driftCounts: 'latido.drift-counts',
  drift: 'latido.drift',
  /** What each version of each view means, for ever. */
  views: 'latido.views',
  deadLetters: 'latido.deadletter',
  /** Messages that were taken and carry nothing that Latido computes with, sealed. */
  archive: 'latido.archive',
} as const

const DAY_MS = 86_400_000

/** `replay`: a historical replay brings its own arrival times on `latido.events`. */
export function topicSpecs (options: { readonly partitions: number, readonly retentionMs: number, readonly replay?: boolean }): readonly TopicSpec[] {
  const { partitions, retentionMs } = options
  const topic = (name: string, timestamps: 'append' | 'create', more: Partial<TopicSpec> = {}): TopicSpec => ({ name, partitions, timestamps, retentionMs, ...more })
  return [
    topic(TOPICS.events, options.replay === true ? 'create' : 'append'),
    topic(TOPICS.features, 'create'),
    topic(TOPICS.entities, 'create'),
    topic(TOPICS.entityFeatures, 'create'),
    topic(TOPICS.scores, 'create'),
    topic(TOPICS.alerts, 'create', { retentionMs: retentionMs === 0 ? 0 : Math.max(retentionMs, 30 * DAY_MS) }),
    topic(TOPICS.identity, 'append', { retentionMs: 0, cleanup: 'compact' }),
    topic(TOPICS.driftCounts, 'create', { partitions: 1 }),
    topic(TOPICS.drift, 'create', { partitions: 1 }),
    topic(TOPICS.views, 'append', { partitions: 1, retentionMs: 0 }),
    topic(TOPICS.deadLetters, 'append', { partitions: 1, retentionMs: retentionMs === 0 ? 0 : Math.max(retentionMs, 30 * DAY_MS) }),
    topic(TOPICS.archive, 'append', { partitions: 1, retentionMs: retentionMs === 0 ? 0 : Math.max(retentionMs, 30 * DAY_MS) }),
  ]
}
