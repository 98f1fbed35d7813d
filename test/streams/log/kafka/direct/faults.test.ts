import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Log } from '../../../../../streams/log/index.ts'
import { clusterOptions, openCluster, type Cluster } from '../../../../../streams/log/kafka/direct/cluster/index.ts'
import { DIRECT_LIMITS } from '../../../../../streams/log/kafka/direct/index.ts'
import { Lanes } from '../../../../../streams/log/kafka/direct/lanes.ts'
import { TransactionCoordinator } from '../../../../../streams/log/kafka/direct/producer/coordinator.ts'
import { systemClock } from '../../../../../streams/time/index.ts'
import { describeWith, startKafka, until, type KafkaServer } from '../../../../kit/servers/index.ts'
import { come, readAll } from '../../contract.ts'
import { Copier } from './copier.ts'
import { directOptions, openDirect, patientGroup } from './kit.ts'

const IN = { name: 'in', partitions: 4, timestamps: 'append', retentionMs: 0 } as const
const OUT = { name: 'out', partitions: 4, timestamps: 'create', retentionMs: 0 } as const
const PATIENCE_MS = 90_000
const record = (value: string): { key: Buffer, value: Buffer } => ({ key: Buffer.from('k'), value: Buffer.from(value) })

const describeKafka = await describeWith('kafka')

describeKafka('direct and a broker that fails', () => {
  let kafka: KafkaServer
  let log: Log
  beforeAll(async () => {
    kafka = await startKafka({ lanes: 1 })
    log = await openDirect(kafka.bootstrap)
  })
  afterAll(async () => {
    await log?.[Symbol.asyncDispose]()
    await kafka?.[Symbol.asyncDispose]()
  })

  async function topics (prefix: string): Promise<{ readonly from: string, readonly to: string }> {
    await log.ensureTopics([{ ...IN, name: `${prefix}-in` }, { ...OUT, name: `${prefix}-out` }])
    return { from: `${prefix}-in`, to: `${prefix}-out` }
  }

  /** Appends to all partitions until told to stop; answers how many. */
  function feed (to: string): { stop (): Promise<number> } {
    let going = true
    let sent = 0
    const producer = log.producer()
    const done = (async () => {
      while (going) {
        await Promise.all(Array.from({ length: 8 }, () => { const n = sent++; return producer.append({ topic: to, partition: n % IN.partitions }, [record(`v${n}`)]) }))
        await systemClock.sleep(10)
      }
    })()
    return { stop: async () => { going = false; await done; return sent } }
  }

  async function lag (group: string, topic: string): Promise<number> {
    let records = 0
    for (let partition = 0; partition < IN.partitions; partition++) records += (await log.range({ topic, partition })).end - (await log.committedOffset(group, { topic, partition }) ?? 0)
    return records
  }

  async function expectCopied (from: string, to: string, sent: number): Promise<void> {
    let total = 0
    for (let partition = 0; partition < IN.partitions; partition++) {
      const [given, copied] = [await readAll(log, { topic: from, partition }), await readAll(log, { topic: to, partition })]
      expect(copied.map(r => r.value)).toEqual(given.map(r => r.value))
      expect(new Set(given.map(r => r.value)).size).toBe(given.length)
      total += given.length
    }
    expect(total).toBe(sent)
  }

  it('an heir ends the transaction that a dead member left open, long before its timeout', async () => {
    const { from } = await topics('heir')
    await patientGroup(kafka.bootstrap, 'heir')
    await log.producer().append({ topic: from, partition: 0 }, ['a', 'b', 'c'].map(record))
    const instance = randomUUID()
    const dead = log.consumer({ group: 'heir', instance, topics: [from], from: 'earliest' })
    await come(dead, 3)
    await dead.commit([{ topic: from, partition: 0, offset: 1 }])
    const cluster: Cluster = await openCluster(clusterOptions(directOptions(kafka.bootstrap)))
    const left = new TransactionCoordinator({ cluster, clock: systemClock, compression: 'none', lanes: new Lanes(), closed: new AbortController().signal, limits: { ...DIRECT_LIMITS, requestTimeoutMs: 10_000, transactionTimeoutMs: 600_000 } }, `heir.${instance}`)
    const producer = await left.init()
    expect(await left.commitOffsets(producer, { group: 'heir', memberId: instance, memberEpoch: dead.metadata.generation }, [{ topic: from, partition: 0, offset: 3 }], 10_000)).toEqual([0])
    await dead[Symbol.asyncDispose]()
    await using heir = log.consumer({ group: 'heir', instance: randomUUID(), topics: [from], from: 'earliest' })
    expect((await come(heir, 2)).map(r => r.value)).toEqual(['b', 'c'])
    await expect(left.end(producer, true, 10_000)).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
    await cluster[Symbol.asyncDispose]()
  })

  it('copies exactly once over connections that are lost again and again', async () => {
    const { from, to } = await topics('cut')
    await patientGroup(kafka.bootstrap, 'cut')
    const proxies = kafka.lane(0)
    const logs = [await openDirect(kafka.bootstrapOfLane(0)), await openDirect(kafka.bootstrapOfLane(0), {}, { transactionVersionMax: 1 })]
    const copiers = logs.map(l => new Copier(l, 'cut', from, to).start())
    const feeding = feed(from)
    const copied = (): number => copiers.reduce((n, c) => n + c.copied, 0)
    for (let round = 0; round < 12; round++) {
      const before = copied()
      await until('records are copied', PATIENCE_MS, () => copied() > before + 20, () => copiers.map(c => c.failure).find(f => f !== undefined)?.toString())
      for (const proxy of proxies) proxy.cutAfter(round % 2 === 0 ? 'down' : 'up', 100 + round * 997)
    }
    const sent = await feeding.stop()
    await until('all is copied', PATIENCE_MS, async () => await lag('cut', from) === 0)
    for (const copier of copiers) await copier.stop()
    await expectCopied(from, to, sent)
    for (const l of logs) await l[Symbol.asyncDispose]()
  })

  it('copies exactly once while the broker is killed and started again', async () => {
    const { from, to } = await topics('killed')
    const logs = [await openDirect(kafka.bootstrap), await openDirect(kafka.bootstrap)]
    const copiers = logs.map(l => new Copier(l, 'killed', from, to).start())
    const feeding = feed(from)
    await until('records are copied', PATIENCE_MS, () => copiers.every(c => c.copied > 20))
    await kafka.restart(1)
    const before = copiers.map(c => c.copied)
    await until('records are copied again', PATIENCE_MS, () => copiers.every((c, i) => c.copied > before[i]! + 20), () => copiers.map(c => c.failure).find(f => f !== undefined)?.toString())
    const sent = await feeding.stop()
    await until('all is copied', PATIENCE_MS, async () => await lag('killed', from) === 0)
    for (const copier of copiers) await copier.stop()
    await expectCopied(from, to, sent)
    for (const l of logs) await l[Symbol.asyncDispose]()
  })
})
