import type { TopicPartition } from '../../../port.ts'
import { listOffsetsApi } from '../api/index.ts'
import { KafkaError } from '../cluster/index.ts'
import type { Direct } from '../direct.ts'
import { leaderOf } from '../leader.ts'
import { patiently, type Patience } from '../retry.ts'
import { nameOf } from '../../../partition-name.ts'

/** Where a partition begins (EARLIEST) or where committed records end (LATEST). Throws TOPIC_UNKNOWN. */
export async function listOffset (direct: Direct, of: TopicPartition, timestamp: number, patience: Patience = {}): Promise<number> {
  return await patiently(direct, `asking for offsets of ${nameOf(of)}`, patience, async () => {
    const { leader, leaderEpoch } = await leaderOf(direct, of)
    try {
      const { partitions } = await direct.cluster.call({ kind: 'node', id: leader }, listOffsetsApi, { partitions: [{ ...of, leaderEpoch, timestamp }] })
      const [answer] = partitions
      if (answer === undefined || answer.errorCode !== 0) throw new KafkaError(answer?.errorCode ?? -1, 'ListOffsets')
      return answer.offset
    } catch (e) {
      await direct.cluster.refresh([of.topic])
      throw e
    }
  })
}
