import { describe, expect, it } from 'vitest'
import { BatchCursor } from '../../../../../streams/codec/index.ts'
import type { ProduceRequest } from '../../../../../streams/log/kafka/direct/api/index.ts'
import { ConnectionLost, ERROR_CODE } from '../../../../../streams/log/kafka/direct/cluster/index.ts'
import { IdempotentProducer } from '../../../../../streams/log/kafka/direct/producer/index.ts'
import { directOver, FakeCluster } from './fake-cluster.ts'

const P0 = { topic: 'in', partition: 0 }
const text = (s: string): { key: null, value: Buffer } => ({ key: null, value: Buffer.from(s) })
const init = (): unknown => ({ errorCode: 0, producer: { id: 7, epoch: 0 } })

interface Sent { readonly epoch: number, readonly sequence: number, readonly values: readonly string[] }
function sentIn (request: unknown): readonly Sent[] {
  return (request as ProduceRequest).batches.map(({ batch }) => {
    const cursor = new BatchCursor([batch], 0)
    const values: string[] = []
    while (cursor.next()) values.push(cursor.valueBuffer.toString('utf8', cursor.valueStart, cursor.valueEnd))
    return { epoch: batch.readInt16BE(51), sequence: batch.readInt32BE(53), values }
  })
}

function produced (code: (s: Sent, times: number) => number = () => 0): (request: ProduceRequest, times: number) => unknown {
  return (request, times) => ({
    throttleTimeMs: 0,
    partitions: request.batches.map(({ topic, partition }, i) => {
      const sent = sentIn(request)[i]!
      return { topic, partition, errorCode: code(sent, times), errorMessage: null, baseOffset: 100 + sent.sequence, logAppendTimeMs: -1 }
    }),
  })
}

describe('a producer outside transactions', () => {
  it('sends together what is appended in one turn, and again what came meanwhile', async () => {
    let release: () => void = () => {}
    const first = new Promise<void>(resolve => { release = resolve })
    const cluster = new FakeCluster({ InitProducerId: init, Produce: async (request: ProduceRequest, times) => { if (times === 1) await first; return produced()(request, times) } })
    const producer = new IdempotentProducer(directOver(cluster))
    const early = [producer.append(P0, [text('a')]), producer.append(P0, [text('b'), text('c')])]
    await Promise.resolve()
    while (cluster.named('Produce').length === 0) await new Promise(resolve => { setTimeout(resolve, 1) })
    const late = ['d', 'e', 'f'].map(v => producer.append(P0, [text(v)]))
    release()
    expect((await Promise.all([...early, ...late])).map(a => a.baseOffset)).toEqual([100, 101, 103, 104, 105])
    expect(cluster.named('Produce').flatMap(c => sentIn(c.request))).toEqual([{ epoch: 0, sequence: 0, values: ['a', 'b', 'c'] }, { epoch: 0, sequence: 3, values: ['d', 'e', 'f'] }])
  })

  it('sends the very same bytes again when the answer was lost', async () => {
    const cluster = new FakeCluster({ InitProducerId: init, Produce: (request: ProduceRequest, times) => { if (times < 3) throw new ConnectionLost('gone', false); return produced()(request, times) } })
    const producer = new IdempotentProducer(directOver(cluster))
    await producer.append(P0, [text('a')])
    const batches = cluster.named('Produce').map(c => (c.request as ProduceRequest).batches[0]!.batch.toString('hex'))
    expect(batches).toHaveLength(3)
    expect(new Set(batches).size).toBe(1)
  })

  it('begins its sequence anew under another epoch when the broker has lost it', async () => {
    const cluster = new FakeCluster({ InitProducerId: init, Produce: produced(s => s.epoch === 0 && s.sequence === 1 ? ERROR_CODE.OUT_OF_ORDER_SEQUENCE_NUMBER : 0) })
    const producer = new IdempotentProducer(directOver(cluster))
    await producer.append(P0, [text('a')])
    await producer.append(P0, [text('b')])
    await producer.append({ topic: 'in', partition: 1 }, [text('other')])
    await producer.append(P0, [text('c')])
    expect(cluster.named('Produce').flatMap(c => sentIn(c.request).map(s => [s.epoch, s.sequence, ...s.values]))).toEqual([[0, 0, 'a'], [0, 1, 'b'], [1, 0, 'b'], [0, 0, 'other'], [1, 1, 'c']])
  })

  it('refuses the one record that the topic does not take, and writes those beside it', async () => {
    const cluster = new FakeCluster({ InitProducerId: init, Produce: produced(s => s.values.includes('large') ? ERROR_CODE.MESSAGE_TOO_LARGE : 0) })
    const producer = new IdempotentProducer(directOver(cluster))
    const appended = await Promise.allSettled(['a', 'large', 'c'].map(v => producer.append(P0, [text(v)])))
    expect(appended.map(a => a.status === 'fulfilled' ? a.value.baseOffset : (a.reason as { code: string }).code)).toEqual([100, 'RECORD_TOO_LARGE', 101])
  })

  it('refuses a record beyond the limit before it is sent', async () => {
    const cluster = new FakeCluster({})
    const producer = new IdempotentProducer(directOver(cluster, { recordMaxBytes: 10 }))
    await expect(producer.append(P0, [text('12345678901')])).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE' })
    expect(cluster.calls).toEqual([])
  })

  it('tells the caller when its time is over, and does not use the sequence again', async () => {
    let away = true
    const cluster = new FakeCluster({ InitProducerId: init, Produce: (request: ProduceRequest, times) => { if (away) throw new ConnectionLost('gone', false); return produced()(request, times) } })
    const producer = new IdempotentProducer(directOver(cluster, { deliveryTimeoutMs: 20 }))
    await expect(producer.append(P0, [text('a')])).rejects.toMatchObject({ code: 'LOG_WRITE_FAILED' })
    away = false
    await producer.append(P0, [text('b')])
    expect(sentIn(cluster.calls.at(-1)?.request)).toEqual([{ epoch: 1, sequence: 0, values: ['b'] }])
  })

  it('names a topic that is not there', async () => {
    await expect(new IdempotentProducer(directOver(new FakeCluster({}))).append({ topic: 'nowhere', partition: 0 }, [text('a')])).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' })
    await expect(new IdempotentProducer(directOver(new FakeCluster({}))).append({ topic: 'in', partition: 9 }, [text('a')])).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' })
  })

  it('waits for what was appended when it is closed', async () => {
    const cluster = new FakeCluster({ InitProducerId: init, Produce: produced() })
    const producer = new IdempotentProducer(directOver(cluster))
    const appended = producer.append(P0, [text('a')])
    await producer[Symbol.asyncDispose]()
    expect((await appended).baseOffset).toBe(100)
    await expect(producer.append(P0, [text('b')])).rejects.toMatchObject({ code: 'LOG_CLOSED' })
  })
})
