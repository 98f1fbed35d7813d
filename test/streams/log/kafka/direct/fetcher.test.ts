import { afterEach, describe, expect, it } from 'vitest'
import { BatchBuilder } from '../../../../../streams/codec/index.ts'
import type { FetchedPartition, FetchRequest, FetchResponse } from '../../../../../streams/log/kafka/direct/api/index.ts'
import { ConnectionLost, ERROR_CODE } from '../../../../../streams/log/kafka/direct/cluster/index.ts'
import { Fetcher } from '../../../../../streams/log/kafka/direct/consumer/fetcher.ts'
import { newPosition } from '../../../../../streams/log/kafka/direct/consumer/position.ts'
import { until } from '../../../../kit/servers/index.ts'
import { drain } from '../../contract.ts'
import { directOver, FakeCluster, idOfTopic } from './fake-cluster.ts'

const topicId = idOfTopic('in')
type Part = { readonly partition: number, readonly offset: number }

function records (base: number, ...values: readonly string[]): Buffer {
  const builder = new BatchBuilder()
  for (const v of values) builder.append(1, null, Buffer.from(v))
  return builder.finish(base, -1)
}

function part (partition: number, bytes: Buffer, more: Partial<FetchedPartition> = {}): FetchedPartition {
  return { topicId, partition, errorCode: 0, lastStableOffset: 100, logStartOffset: 0, divergingEndOffset: -1, aborted: [], buffer: bytes, start: 0, end: bytes.length, ...more }
}
const none = Buffer.alloc(0)

const opened: Fetcher[] = []
afterEach(() => { for (const fetcher of opened.splice(0)) fetcher.close() })

/** `answer`: what each fetch finds; sessions are kept by the fake. */
function start (answer: (asked: readonly Part[], times: number) => readonly FetchedPartition[] | Partial<FetchResponse>, { counted = true, offsets = [0] as readonly number[], start: logStart = 0, end = 100, aheadBytes = 0 } = {}): { readonly cluster: FakeCluster, readonly fetcher: Fetcher } {
  const session = new Map<number, number>()
  const cluster = new FakeCluster({
    ListOffsets: (r: { readonly partitions: readonly { readonly timestamp: number }[] }) => ({ partitions: r.partitions.map(p => ({ topic: 'in', partition: 0, errorCode: 0, offset: p.timestamp === -2 ? logStart : end })) }),
    Fetch: async (r: FetchRequest, times) => {
      if (r.sessionEpoch === 0) session.clear()
      for (const p of r.partitions) session.set(p.partition, p.offset)
      for (const p of r.forgotten) session.delete(p.partition)
      await new Promise(resolve => { setTimeout(resolve, 1) })
      const found = answer([...session].map(([partition, offset]) => ({ partition, offset })), times)
      return { errorCode: 0, sessionId: 9, partitions: [], ...'length' in found ? { partitions: found } : found }
    },
  })
  const fetcher = new Fetcher(directOver(cluster, { fetchAheadBytes: aheadBytes }), 'earliest', () => {})
  opened.push(fetcher)
  for (const [partition, offset] of offsets.entries()) {
    fetcher.add(newPosition({ topic: 'in', topicId, partition }, offset, counted, 1000))
    fetcher.release({ topic: 'in', partition })
  }
  fetcher.pump()
  return { cluster, fetcher }
}

async function values (fetcher: Fetcher, count: number): Promise<readonly string[]> {
  const seen: string[] = []
  await until('records', 60_000, () => {
    for (const r of drain(fetcher.take())) seen.push(`${r.partition}/${r.offset}:${r.value}`)
    fetcher.pump()
    return seen.length >= count
  })
  return seen
}
const asked = (cluster: FakeCluster): readonly (readonly [number, number, readonly number[]])[] => cluster.named('Fetch').map(c => c.request as FetchRequest).map(r => [r.sessionId, r.sessionEpoch, r.partitions.map(p => p.offset)])

describe('fetching', () => {
  it('goes on where it stood, and says within a session only what has changed', async () => {
    const { cluster, fetcher } = start(parts => parts.map(({ partition, offset }) => part(partition, partition === 0 && offset < 3 ? records(offset, `v${offset}`) : none)), { offsets: [0, 7] })
    expect(await values(fetcher, 3)).toEqual(['0/0:v0', '0/1:v1', '0/2:v2'])
    expect(asked(cluster).slice(0, 3)).toEqual([[0, 0, [0, 7]], [9, 1, [1]], [9, 2, [2]]])
  })

  it('asks no further ahead than the limit, and hands over what waits as one run', async () => {
    const batch = records(0, 'v0').length
    const { cluster, fetcher } = start(parts => parts.map(({ partition, offset }) => part(partition, records(offset, `v${offset}`))), { aheadBytes: 2 * batch + 1 })
    await until('three answers', 60_000, () => cluster.named('Fetch').length === 3)
    for (let i = 0; i < 20; i++) { fetcher.pump(); await new Promise(resolve => { setTimeout(resolve, 1) }) }
    expect(cluster.named('Fetch')).toHaveLength(3)
    const runs = fetcher.take()
    expect(runs.map(r => r.nextOffset)).toEqual([3])
    expect(drain(runs).map(r => r.value)).toEqual(['v0', 'v1', 'v2'])
  })

  it('begins a new session when the broker has forgotten it, and after a lost connection', async () => {
    const { cluster, fetcher } = start((parts, times) => {
      if (times === 2) return { errorCode: ERROR_CODE.FETCH_SESSION_ID_NOT_FOUND, sessionId: 0 }
      if (times === 4) throw new ConnectionLost('gone', false)
      return parts.map(({ partition, offset }) => part(partition, records(offset, 'v')))
    })
    await values(fetcher, 3)
    expect(asked(cluster).slice(0, 5)).toEqual([[0, 0, [0]], [9, 1, [1]], [0, 0, [1]], [9, 1, [2]], [0, 0, [2]]])
  })

  for (const name of ['NOT_LEADER_OR_FOLLOWER', 'FENCED_LEADER_EPOCH', 'UNKNOWN_LEADER_EPOCH', 'UNKNOWN_TOPIC_ID', 'OFFSET_NOT_AVAILABLE'] as const) {
    it(`asks again after ${name}`, async () => {
      const { fetcher } = start((parts, times) => parts.map(({ partition, offset }) => times < 3 ? part(partition, none, { errorCode: ERROR_CODE[name] }) : part(partition, records(offset, 'v'))))
      expect(await values(fetcher, 1)).toEqual(['0/0:v'])
    })
  }

  it('stops where records are gone that were not processed, and says which', async () => {
    const { fetcher } = start(parts => parts.map(({ partition }) => part(partition, none, { errorCode: ERROR_CODE.OFFSET_OUT_OF_RANGE })), { offsets: [5], start: 40, end: 90 })
    await expect(values(fetcher, 1)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', message: expect.stringMatching(/in\/0 .* offset 5, and the log has 40 to 90/) as string })
  })

  it('begins at the first kept record where nothing was processed', async () => {
    const { fetcher } = start(parts => parts.map(({ partition, offset }) => offset < 40 ? part(partition, none, { errorCode: ERROR_CODE.OFFSET_OUT_OF_RANGE }) : part(partition, records(offset, 'v'))), { counted: false, start: 40 })
    expect(await values(fetcher, 1)).toEqual(['0/40:v'])
  })

  it('stops when the log was cut below what was processed', async () => {
    const { fetcher } = start((parts, times) => parts.map(({ partition, offset }) => times === 1 ? part(partition, records(offset, 'a', 'b')) : part(partition, none, { divergingEndOffset: 1 })))
    await expect(values(fetcher, 3)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
  })

  it('asks for a damaged batch again, and stops when it stays so', async () => {
    const damaged = records(0, 'v')
    damaged[damaged.length - 2]! ^= 1
    const once = start((parts, times) => parts.map(({ partition, offset }) => part(partition, times === 1 ? damaged : records(offset, 'v'))))
    expect(await values(once.fetcher, 1)).toEqual(['0/0:v'])
    const always = start(parts => parts.map(({ partition }) => part(partition, damaged)))
    await expect(values(always.fetcher, 1)).rejects.toMatchObject({ code: 'BATCH_CORRUPT' })
    expect(always.cluster.named('Fetch').length).toBe(4)
  })

  it('drops the answer to a question that a seek has made old', async () => {
    const { fetcher } = start(parts => parts.map(({ partition, offset }) => part(partition, records(offset, `from ${offset}`))))
    fetcher.seek({ topic: 'in', partition: 0 }, 50)
    expect(await values(fetcher, 1)).toEqual(['0/50:from 50'])
  })

  it('says what a broker refuses', async () => {
    const { fetcher } = start(parts => parts.map(({ partition }) => part(partition, none, { errorCode: ERROR_CODE.TOPIC_AUTHORIZATION_FAILED })))
    await expect(values(fetcher, 1)).rejects.toMatchObject({ code: 'BROKER_REFUSED' })
  })
})
