import type { ArrivalTimeMs } from '../../../time/index.ts'
import type { TopicSpec } from '../../port.ts'
import type { TopicAdmin } from './connect.ts'

/**
 * Deletes from topics with `create` timestamps what is older than their retention as of `now`, and answers how many offsets went.
 * The broker does it for the others: it cannot be asked to do it here, see `wantedConfig`. Up to the first record that is young enough,
 * and never beyond the newest: a replay's times need not be in order.
 */
export async function trimTopics (admin: TopicAdmin, specs: readonly TopicSpec[], now: ArrivalTimeMs): Promise<number> {
  let gone = 0
  for (const spec of specs) {
    if (spec.timestamps !== 'create' || spec.retentionMs === 0 || spec.cleanup === 'compact') continue
    const kept = await admin.ask('find offsets', a => a.fetchTopicOffsets(spec.name))
    const young = await admin.ask('find offsets by time', a => a.fetchTopicOffsetsByTimestamp(spec.name, Math.max(0, now - spec.retentionMs)))
    const before = kept.flatMap(({ partition, low, high }) => {
      const first = Number(young.find(y => y.partition === partition)?.offset ?? low)
      const offset = Math.min(first, Number(high) - 1) // with no record young enough kafkajs answers the end: the newest stays, it is the partition's clock
      return offset > Number(low) ? [{ partition, offset: String(offset), count: offset - Number(low) }] : []
    })
    if (before.length === 0) continue
    await admin.ask('delete old records', a => a.deleteTopicRecords({ topic: spec.name, partitions: before.map(({ partition, offset }) => ({ partition, offset })) }))
    gone += before.reduce((n, b) => n + b.count, 0)
  }
  return gone
}
