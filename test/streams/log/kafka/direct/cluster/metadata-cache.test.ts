import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { MetadataTopic } from '../../../../../../streams/log/kafka/direct/cluster/api/metadata.ts'
import { MetadataCache } from '../../../../../../streams/log/kafka/direct/cluster/metadata-cache.ts'

const topic = (id: string, epochs: readonly number[], errorCode = 0): MetadataTopic => ({ errorCode, name: 't', id, partitions: epochs.map((leaderEpoch, partition) => ({ errorCode: 0, partition, leader: leaderEpoch % 3, leaderEpoch })) })
const epochsOf = (cache: MetadataCache): readonly number[] | undefined => cache.byName('t')?.partitions.map(p => p.leaderEpoch)

it('never goes back to an older leader epoch, in whatever order answers come', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { minLength: 1 }), answers => {
    const cache = new MetadataCache()
    for (const [i, epochs] of answers.entries()) {
      cache.apply({ topics: [topic('a', epochs)] })
      const newest = [0, 1].map(p => Math.max(...answers.slice(0, i + 1).map(a => a[p]!)))
      expect(epochsOf(cache)).toEqual(newest)
      expect(cache.byName('t')?.partitions.map(p => p.leader)).toEqual(newest.map(e => e % 3))
    }
  }))
})

it('begins anew when the topic was deleted and created again', () => {
  const cache = new MetadataCache()
  cache.apply({ topics: [topic('a', [7, 9])] })
  cache.apply({ topics: [topic('b', [0])] })
  expect([epochsOf(cache), cache.byId('a'), cache.byId('b')?.name]).toEqual([[0], undefined, 't'])
})

it('takes the leader that a broker knows within an epoch: it may have come back', () => {
  const cache = new MetadataCache()
  const led = (leader: number): MetadataTopic => ({ errorCode: 0, name: 't', id: 'a', partitions: [{ errorCode: 0, partition: 0, leader, leaderEpoch: 4 }] })
  cache.apply({ topics: [led(-1)] })
  cache.apply({ topics: [led(2)] })
  expect(cache.byName('t')?.partitions[0]?.leader).toBe(2)
})

it('forgets a topic that is gone, keeps one that has no leader for a moment, and tells both', () => {
  const cache = new MetadataCache()
  cache.apply({ topics: [topic('a', [1])] })
  expect([...cache.apply({ topics: [topic('a', [], 5)] })]).toEqual([['t', 5]])
  expect(epochsOf(cache)).toEqual([1])
  expect([...cache.apply({ topics: [topic('0', [], 3)] })]).toEqual([['t', 3]])
  expect([cache.byName('t'), cache.byId('a'), cache.names]).toEqual([undefined, undefined, []])
})
