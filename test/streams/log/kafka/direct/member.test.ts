import { afterEach, describe, expect, it } from 'vitest'
import type { HeartbeatRequest, HeartbeatResponse } from '../../../../../streams/log/kafka/direct/api/index.ts'
import { ConnectionLost, ERROR_CODE } from '../../../../../streams/log/kafka/direct/cluster/index.ts'
import { Member } from '../../../../../streams/log/kafka/direct/consumer/member.ts'
import type { DirectLimits } from '../../../../../streams/log/kafka/direct/direct.ts'
import { until } from '../../../../kit/servers/index.ts'
import { directOver, FakeCluster, idOfTopic } from './fake-cluster.ts'

const topicId = idOfTopic('in')
const owned = (...partitions: readonly number[]): { topic: string, topicId: string, partition: number }[] => partitions.map(partition => ({ topic: 'in', topicId, partition }))
const answer = (more: Partial<HeartbeatResponse> = {}): HeartbeatResponse => ({ errorCode: 0, errorMessage: null, memberEpoch: 1, heartbeatIntervalMs: 5, assignment: undefined, ...more })
const beats = (cluster: FakeCluster): readonly HeartbeatRequest[] => cluster.named('ConsumerGroupHeartbeat').map(c => c.request as HeartbeatRequest)

const opened: Member[] = []
function start (heartbeat: (r: HeartbeatRequest, times: number) => unknown, limits: Partial<DirectLimits> = {}, more: Record<string, () => unknown> = {}): { readonly cluster: FakeCluster, readonly member: Member } {
  const cluster = new FakeCluster({ DescribeConfigs: () => ({ value: undefined }), ...more, ConsumerGroupHeartbeat: (r: HeartbeatRequest, times) => r.memberEpoch < 0 ? answer() : heartbeat(r, times) })
  const member = new Member(directOver(cluster, limits), { group: 'g', id: 'm', topics: ['in'] }, () => {})
  opened.push(member)
  member.start()
  return { cluster, member }
}
afterEach(async () => { await Promise.all(opened.splice(0).map(m => m.leave())) })
const soon = (holds: () => boolean): Promise<void> => until('it', 60_000, holds)

describe('a member of a group', () => {
  it('joins with all that a join says, then says only what it has', async () => {
    const { cluster, member } = start(() => answer({ assignment: [{ topicId, partitions: [0, 2] }] }))
    await soon(() => beats(cluster).length > 2)
    expect(beats(cluster)[0]).toMatchObject({ group: 'g', memberId: 'm', memberEpoch: 0, topics: ['in'], owned: [], rebalanceTimeoutMs: 60_000 })
    expect(beats(cluster)[1]).toMatchObject({ memberEpoch: 1, topics: null, rebalanceTimeoutMs: -1, owned: [] })
    expect(member.target).toEqual([{ topicId, partition: 0 }, { topicId, partition: 2 }])
    member.acknowledge(owned(0, 2))
    await soon(() => beats(cluster).at(-1)?.owned?.[0]?.partitions.length === 2)
  })

  it('says everything again after an answer was lost: the broker may have moved on', async () => {
    const { cluster } = start((_, times) => { if (times === 3) throw new ConnectionLost('gone', false); return answer() })
    await soon(() => beats(cluster).length > 4)
    expect(beats(cluster).slice(1, 5).map(b => b.topics)).toEqual([null, null, ['in'], null])
  })

  it('looks its coordinator up again when it has moved', async () => {
    const { cluster, member } = start((_, times) => answer(times === 2 ? { errorCode: ERROR_CODE.NOT_COORDINATOR } : {}))
    await soon(() => beats(cluster).length > 3)
    expect(cluster.forgotten).toEqual(['group g'])
    member.check()
  })

  for (const name of ['UNKNOWN_MEMBER_ID', 'FENCED_MEMBER_EPOCH'] as const) {
    it(`is fenced for good by ${name}`, async () => {
      const { cluster, member } = start((_, times) => answer(times === 2 ? { errorCode: ERROR_CODE[name] } : {}))
      await soon(() => member.fenced)
      expect(() => { member.check() }).toThrow(/no longer a member/)
      await member.leave()
      expect(beats(cluster)).toHaveLength(2)
    })
  }

  it('counts itself as fenced when nobody has answered for a session', async () => {
    const { member } = start((_, times) => { if (times > 1) throw new ConnectionLost('gone', false); return answer() }, { sessionTimeoutMs: 50 })
    await soon(() => member.fenced)
    await expect(member.commit([], () => Promise.resolve([]))).rejects.toMatchObject({ code: 'MEMBER_FENCED' })
  })

  it('takes the session that the operator has set', async () => {
    const { member } = start((_, times) => { if (times > 3) throw new ConnectionLost('gone', false); return answer() }, {}, { DescribeConfigs: () => ({ value: '60' }) })
    await soon(() => member.fenced)
  })

  it('is told what the brokers refuse', async () => {
    const { member } = start(() => answer({ errorCode: ERROR_CODE.GROUP_AUTHORIZATION_FAILED }))
    await soon(() => member.fenced)
    expect(() => { member.check() }).toThrow(/GROUP_AUTHORIZATION_FAILED/)
  })

  it('gives up when nobody has polled for too long', async () => {
    const { member } = start(() => answer(), { pollIntervalMaxMs: 20 })
    member.polling(true)
    member.polling(false)
    await soon(() => member.fenced)
  })

  it('never beats while it commits', async () => {
    let inside = 0
    const heartbeat = async (): Promise<HeartbeatResponse> => { expect(inside++).toBe(0); await Promise.resolve(); inside--; return answer() }
    const { member } = start(heartbeat, { heartbeatMs: 1 })
    await soon(() => member.epoch === 1)
    member.acknowledge(owned(0))
    for (let i = 0; i < 50; i++) await member.commit([{ topic: 'in', partition: 0 }], async () => { expect(inside++).toBe(0); await new Promise(resolve => { setTimeout(resolve, 1) }); inside--; return [0] })
    expect(member.fenced).toBe(false)
  })

  it('leaves also when nobody answers', async () => {
    const { member } = start((_, times) => times === 1 ? answer() : new Promise(() => {}))
    await soon(() => member.epoch === 1)
    await member.leave()
  })
})
