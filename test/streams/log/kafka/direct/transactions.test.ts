import { afterEach, describe, expect, it } from 'vitest'
import type { HeartbeatRequest, ProducerIdentity, ProduceRequest } from '../../../../../streams/log/kafka/direct/api/index.ts'
import { ConnectionLost, ERROR_CODE } from '../../../../../streams/log/kafka/direct/cluster/index.ts'
import { Member } from '../../../../../streams/log/kafka/direct/consumer/member.ts'
import type { DirectLimits } from '../../../../../streams/log/kafka/direct/direct.ts'
import { DirectTransactionalProducer } from '../../../../../streams/log/kafka/direct/producer/index.ts'
import { directOver, FakeCluster, idOfTopic } from './fake-cluster.ts'

const P0 = { topic: 'in', partition: 0 }
const OUT = { topic: 'out', partition: 1 }
const record = { key: null, value: Buffer.from('x'), timestamp: 1 }
const group = { group: 'g', memberId: 'm', generation: 1 }
const lost = (): never => { throw new ConnectionLost('gone', false) }

type Answers = ConstructorParameters<typeof FakeCluster>[0]
const ANSWERS: Answers = {
  InitProducerId: () => ({ errorCode: 0, producer: { id: 7, epoch: 0 } }),
  DescribeConfigs: () => ({ value: '45000' }),
  ConsumerGroupHeartbeat: (r: HeartbeatRequest) => ({ errorCode: 0, errorMessage: null, memberEpoch: Math.max(r.memberEpoch, 1), heartbeatIntervalMs: 5, assignment: undefined }),
  Produce: (r: ProduceRequest) => ({ throttleTimeMs: 0, partitions: r.batches.map(({ topic, partition }) => ({ topic, partition, errorCode: 0, errorMessage: null, baseOffset: 0, logAppendTimeMs: -1 })) }),
  TxnOffsetCommit: () => ({ partitions: [{ ...P0, errorCode: 0 }] }),
  AddPartitionsToTxn: () => ({ errorCodes: [0] }),
  AddOffsetsToTxn: () => ({ errorCode: 0 }),
  EndTxn: (r: { readonly producer: ProducerIdentity }) => ({ errorCode: 0, next: { id: r.producer.id, epoch: r.producer.epoch + 1 } }),
}

const opened: Member[] = []
async function open (answers: Answers = {}, limits: Partial<DirectLimits> = {}): Promise<{ readonly cluster: FakeCluster, readonly transaction: DirectTransactionalProducer, readonly member: Member }> {
  const cluster = new FakeCluster({ ...ANSWERS, ...answers })
  const direct = directOver(cluster, limits)
  const member = new Member(direct, { group: 'g', id: 'm', topics: ['in'] }, () => {})
  opened.push(member)
  member.start()
  member.acknowledge([{ ...P0, topicId: idOfTopic('in') }])
  while (member.epoch === 0) await new Promise(resolve => { setTimeout(resolve, 1) })
  return { cluster, member, transaction: await DirectTransactionalProducer.open(direct, 'g.m', () => member) }
}
afterEach(async () => { await Promise.all(opened.splice(0).map(m => m.leave())) })

/** Without what goes on in the background. */
const story = (cluster: FakeCluster): readonly string[] => cluster.names().filter(n => !['ConsumerGroupHeartbeat', 'DescribeConfigs', 'InitProducerId'].includes(n))
const ends = (cluster: FakeCluster): readonly (readonly [boolean, number])[] => cluster.named('EndTxn').map(c => c.request as { committed: boolean, producer: ProducerIdentity }).map(r => [r.committed, r.producer.epoch])
const epochsOf = (cluster: FakeCluster): readonly (readonly number[])[] => cluster.named('Produce').map(c => (c.request as ProduceRequest).batches[0]!.batch).map(b => [b.readInt16BE(51), b.readInt32BE(53)])

describe('a transaction', () => {
  it('is records, then offsets under the member\'s epoch, then its end; the next has another epoch and begins its sequences anew', async () => {
    const { cluster, transaction } = await open()
    for (const offset of [1, 2]) {
      transaction.append(OUT, [record, record])
      await transaction.commit(group, [{ ...P0, offset }])
    }
    expect(story(cluster)).toEqual(['Produce', 'TxnOffsetCommit', 'EndTxn', 'Produce', 'TxnOffsetCommit', 'EndTxn'])
    expect(epochsOf(cluster)).toEqual([[0, 0], [1, 0]])
    expect(cluster.named('TxnOffsetCommit').map(c => c.request)).toMatchObject([{ memberId: 'm', memberEpoch: 1, producerEpoch: 0 }, { memberId: 'm', memberEpoch: 1, producerEpoch: 1 }])
  })

  it('below transaction.version 2 adds partitions and offsets itself, and its sequences go on', async () => {
    const { cluster, transaction } = await open({ EndTxn: () => ({ errorCode: 0, next: undefined }) }, { transactionVersionMax: 1 })
    for (const offset of [1, 2]) {
      transaction.append(OUT, [record, record])
      await transaction.commit(group, [{ ...P0, offset }])
    }
    expect(story(cluster).slice(0, 5)).toEqual(['AddPartitionsToTxn', 'Produce', 'AddOffsetsToTxn', 'TxnOffsetCommit', 'EndTxn'])
    expect(epochsOf(cluster)).toEqual([[0, 0], [0, 2]])
    expect(['Produce', 'TxnOffsetCommit', 'EndTxn'].map(n => cluster.named(n)[0]!.maxVersion)).toEqual([11, 4, 4])
  })

  it('whose end was not answered is ended again, by the same epoch, until it is', async () => {
    const { cluster, transaction } = await open({ EndTxn: (r: { readonly producer: ProducerIdentity }, times) => times < 4 ? lost() : { errorCode: 0, next: { id: 7, epoch: r.producer.epoch + 1 } } })
    transaction.append(OUT, [record])
    await transaction.commit(group, [{ ...P0, offset: 1 }])
    expect(ends(cluster)).toEqual([[true, 0], [true, 0], [true, 0], [true, 0]])
    transaction.append(OUT, [record])
    await transaction.commit(group, [{ ...P0, offset: 2 }])
    expect(ends(cluster).at(-1)).toEqual([true, 1])
  })

  it('whose end is never answered is not guessed: the producer is over', async () => {
    const { cluster, transaction } = await open({ EndTxn: lost }, { deliveryTimeoutMs: 20 })
    transaction.append(OUT, [record])
    await expect(transaction.commit(group, [{ ...P0, offset: 1 }])).rejects.toMatchObject({ code: 'TRANSACTION_ABORTED' })
    expect(ends(cluster).every(([committed]) => committed)).toBe(true)
    await expect(transaction.commit(group, [{ ...P0, offset: 1 }])).rejects.toMatchObject({ code: 'TRANSACTION_ABORTED' })
    await transaction[Symbol.asyncDispose]()
    expect(ends(cluster).every(([committed]) => committed)).toBe(true) // an abort could undo what was committed
  })

  it('that the coordinator is still ending is waited for', async () => {
    const { transaction } = await open({ EndTxn: (_, times) => ({ errorCode: times < 3 ? ERROR_CODE.CONCURRENT_TRANSACTIONS : 0, next: { id: 7, epoch: 1 } }) })
    transaction.append(OUT, [record])
    await transaction.commit(group, [{ ...P0, offset: 1 }])
  })

  for (const [name, code] of [['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'], ['PRODUCER_FENCED', 'PRODUCER_FENCED'], ['INVALID_TXN_STATE', 'PRODUCER_FENCED']] as const) {
    it(`that ends with ${name} is ${code}, and nothing more is tried`, async () => {
      const { cluster, transaction } = await open({ EndTxn: () => ({ errorCode: ERROR_CODE[name], next: undefined }) })
      transaction.append(OUT, [record])
      await expect(transaction.commit(group, [{ ...P0, offset: 1 }])).rejects.toMatchObject({ code })
      await expect(transaction.commit(group, [])).rejects.toMatchObject({ code })
      await transaction[Symbol.asyncDispose]()
      expect(cluster.named('EndTxn')).toHaveLength(1)
    })
  }

  it('whose member is unknown is aborted, and told as MEMBER_FENCED', async () => {
    const { cluster, transaction, member } = await open({ TxnOffsetCommit: () => ({ partitions: [{ ...P0, errorCode: ERROR_CODE.UNKNOWN_MEMBER_ID }] }) })
    transaction.append(OUT, [record])
    await expect(transaction.commit(group, [{ ...P0, offset: 1 }])).rejects.toMatchObject({ code: 'MEMBER_FENCED' })
    expect(ends(cluster)).toEqual([[false, 0]])
    expect(member.fenced).toBe(true)
  })

  it('over a partition that is not the member\'s is refused here: the broker would take it', async () => {
    const { cluster, transaction } = await open()
    transaction.append(OUT, [record])
    await expect(transaction.commit(group, [{ topic: 'in', partition: 3, offset: 1 }])).rejects.toMatchObject({ code: 'MEMBER_FENCED' })
    expect(cluster.named('TxnOffsetCommit')).toEqual([])
    expect(ends(cluster)).toEqual([[false, 0]])
  })

  it('under an epoch that has become stale is committed under the new one, if the partitions are still the member\'s', async () => {
    let epoch = 1
    const { cluster, transaction } = await open({
      ConsumerGroupHeartbeat: () => ({ errorCode: 0, errorMessage: null, memberEpoch: epoch, heartbeatIntervalMs: 10_000, assignment: undefined }),
      TxnOffsetCommit: (r: { readonly memberEpoch: number }) => ({ partitions: [{ ...P0, errorCode: r.memberEpoch === 2 ? 0 : ERROR_CODE.ILLEGAL_GENERATION }] }),
    }, { heartbeatMs: 10_000 })
    epoch = 2
    transaction.append(OUT, [record])
    await transaction.commit(group, [{ ...P0, offset: 1 }])
    expect(cluster.named('TxnOffsetCommit').map(c => (c.request as { memberEpoch: number }).memberEpoch)).toEqual([1, 2])
  })

  it('that a broker refuses for its sequence is aborted, and the next one succeeds', async () => {
    const { cluster, transaction } = await open({ Produce: (r: ProduceRequest, times) => ({ throttleTimeMs: 0, partitions: r.batches.map(({ topic, partition }) => ({ topic, partition, errorCode: times === 1 ? ERROR_CODE.OUT_OF_ORDER_SEQUENCE_NUMBER : 0, errorMessage: null, baseOffset: 0, logAppendTimeMs: -1 })) }) })
    transaction.append(OUT, [record])
    await expect(transaction.commit(group, [{ ...P0, offset: 1 }])).rejects.toMatchObject({ code: 'TRANSACTION_ABORTED' })
    expect(ends(cluster)).toEqual([[false, 0]])
    transaction.append(OUT, [record])
    await transaction.commit(group, [{ ...P0, offset: 1 }])
    expect(epochsOf(cluster).at(-1)).toEqual([1, 0])
  })

  it('that wrote nothing needs no end', async () => {
    const { cluster, transaction } = await open()
    await transaction.commit(group, [])
    await transaction.abort()
    expect(story(cluster)).toEqual([])
  })

  it('sends a full batch while the rest is still being written', async () => {
    const { cluster, transaction } = await open({}, { batchBytes: 1_000 })
    const value = Buffer.alloc(400)
    for (let i = 0; i < 5; i++) transaction.sink(OUT).add(i, value, -1, -1, value, 0, 400)
    while (cluster.named('Produce').length === 0) await new Promise(resolve => { setTimeout(resolve, 1) })
    await transaction.commit(group, [{ ...P0, offset: 5 }])
    expect(epochsOf(cluster)).toEqual([[0, 0], [0, 2], [0, 4]])
    expect(cluster.names().indexOf('TxnOffsetCommit')).toBeGreaterThan(cluster.names().lastIndexOf('Produce'))
  })
})
