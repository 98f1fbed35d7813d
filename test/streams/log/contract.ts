import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../../streams/time/index.ts'
import type { Consumer, Log, Run, TopicPartition, TopicSpec } from '../../../streams/log/index.ts'

/** How the suite gets a log: `reopen` closes the present one and opens the same data again. */
export interface LogUnderTest { readonly log: Log, readonly clock: ManualClock, reopen (): Promise<LogUnderTest>, close (): Promise<void> }

export const IN: TopicSpec = { name: 'in', partitions: 4, timestamps: 'append', retentionMs: 0 }
const OUT: TopicSpec = { name: 'out', partitions: 4, timestamps: 'create', retentionMs: 0 }
const P0: TopicPartition = { topic: 'in', partition: 0 }
const text = (s: string): { key: Buffer, value: Buffer } => ({ key: Buffer.from('k'), value: Buffer.from(s) })

interface Seen { readonly partition: number, readonly offset: number, readonly timestamp: number, readonly key: string, readonly value: string }

/** Reads a run out; the cursor is only valid while it is walked. */
export function drain (runs: readonly Run[]): Seen[] {
  const seen: Seen[] = []
  for (const { partition, records: r } of runs) {
    while (r.next()) seen.push({ partition, offset: r.offset, timestamp: r.timestamp, key: r.keyBuffer.toString('utf8', r.keyStart, r.keyEnd), value: r.valueBuffer.toString('utf8', r.valueStart, r.valueEnd) })
  }
  return seen
}

/** What every implementation of the `Log` port must do. Deviations carry their reason in `options`. */
export function logContract (name: string, open: () => Promise<LogUnderTest>): void {
  describe(`log contract: ${name}`, () => {
    let under: LogUnderTest
    const start = async (): Promise<Log> => {
      under = await open()
      await under.log.ensureTopics([IN, OUT])
      return under.log
    }
    const consumer = (log: Log, more: Partial<Parameters<Log['consumer']>[0]> = {}): Consumer => log.consumer({ group: 'g', instance: randomUUID(), topics: ['in'], from: 'earliest', ...more })
    afterEach(async () => { await under.close() })

    it('gives records back with their offsets, in order, per partition', async () => {
      const log = await start()
      const producer = log.producer()
      await producer.append(P0, [text('a'), text('b')])
      const second = await producer.append(P0, [text('c')])
      expect(second.baseOffset).toBe(2)
      await using reader = consumer(log)
      expect(drain(await reader.poll(0)).map(r => [r.offset, r.value])).toEqual([[0, 'a'], [1, 'b'], [2, 'c']])
      expect(await reader.poll(0)).toEqual([])
    })

    it('stamps records of an append topic itself and never goes back', async () => {
      const log = await start()
      const producer = log.producer()
      under.clock.set(5_000)
      await producer.append(P0, [{ ...text('a'), timestamp: 1 }])
      const reopened = await under.reopen()
      under = reopened
      await using reader = consumer(reopened.log)
      const first = drain(await reader.poll(0))[0]!
      expect(first.timestamp).toBeGreaterThanOrEqual(5_000)
      await reopened.log.producer().append(P0, [text('b')])
      expect(drain(await reader.poll(0))[0]!.timestamp).toBeGreaterThanOrEqual(first.timestamp)
    })

    it('keeps the arrival times that a replay brings on a create topic', async () => {
      const log = await start()
      await log.producer().append({ topic: 'out', partition: 1 }, [{ ...text('a'), timestamp: 7 }, { ...text('b'), timestamp: 4_000_000_000_000 }])
      const run = await log.reader({ topic: 'out', partition: 1 }, 0).next()
      expect(drain([run!]).map(r => r.timestamp)).toEqual([7, 4_000_000_000_000])
    })

    it('shows nothing of a transaction before its commit, and offsets only with it', async () => {
      const log = await start()
      await log.producer().append(P0, [text('a')])
      const transaction = await log.transactionalProducer('t')
      await using reader = consumer(log)
      drain(await reader.poll(0))
      transaction.append({ topic: 'out', partition: 0 }, [{ ...text('x'), timestamp: 1 }])
      expect((await log.range({ topic: 'out', partition: 0 })).end).toBe(0)
      expect(await reader.committed(P0)).toBeUndefined()
      await transaction.commit(reader.metadata, [{ ...P0, offset: 1 }])
      expect(drain([(await log.reader({ topic: 'out', partition: 0 }, 0).next())!]).map(r => r.value)).toEqual(['x'])
      expect(await reader.committed(P0)).toBe(1)
    })

    it('forgets an aborted transaction', async () => {
      const log = await start()
      const transaction = await log.transactionalProducer('t')
      await using reader = consumer(log)
      await reader.poll(0)
      transaction.append({ topic: 'out', partition: 0 }, [text('x')])
      await transaction.abort()
      await transaction.commit(reader.metadata, [{ ...P0, offset: 0 }])
      expect(await log.reader({ topic: 'out', partition: 0 }, 0).next()).toBeUndefined()
    })

    it('fences the older of two producers with one transactional id', async () => {
      const log = await start()
      await using reader = consumer(log)
      await reader.poll(0)
      const old = await log.transactionalProducer('t')
      const young = await log.transactionalProducer('t')
      old.append({ topic: 'out', partition: 0 }, [text('old')])
      await expect(old.commit(reader.metadata, [])).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
      young.append({ topic: 'out', partition: 0 }, [text('young')])
      await young.commit(reader.metadata, [{ ...P0, offset: 0 }])
      expect(drain([(await log.reader({ topic: 'out', partition: 0 }, 0).next())!]).map(r => r.value)).toEqual(['young'])
    })

    it('goes on from committed offsets after it was closed and opened again', async () => {
      const log = await start()
      await log.producer().append(P0, [text('a'), text('b')])
      {
        await using reader = consumer(log)
        await reader.poll(0)
        await reader.commit([{ ...P0, offset: 1 }])
      }
      under = await under.reopen()
      await using again = consumer(under.log)
      expect(drain(await again.poll(0)).map(r => r.value)).toEqual(['b'])
    })

    it('shares partitions between members, revoking before another is assigned', async () => {
      const log = await start()
      const story: string[] = []
      const member = (name: string): Consumer => consumer(log, {
        onAssigned: ps => { story.push(...ps.map(p => `${name}+${p.partition}`)); return Promise.resolve() },
        onRevoked: ps => { story.push(...ps.map(p => `${name}-${p.partition}`)); return Promise.resolve() },
      })
      const one = member('one')
      await one.poll(0)
      expect(one.assignment()).toHaveLength(4)
      await using two = member('two')
      await two.poll(0)
      expect(two.assignment()).toHaveLength(0)
      await one.poll(0)
      await two.poll(0)
      expect(one.assignment()).toHaveLength(2)
      expect(two.assignment()).toHaveLength(2)
      for (const { partition } of two.assignment()) expect(story.indexOf(`one-${partition}`)).toBeLessThan(story.indexOf(`two+${partition}`))
      await one[Symbol.asyncDispose]()
      await two.poll(0)
      expect(two.assignment()).toHaveLength(4)
    })

    it('refuses the commit of a member that slept past its session (a zombie)', async () => {
      const log = await start()
      await log.producer().append(P0, [text('a')])
      const zombie = consumer(log)
      drain(await zombie.poll(0))
      const transaction = await log.transactionalProducer('zombie')
      transaction.append({ topic: 'out', partition: 0 }, [text('late')])
      under.clock.advance(600_000)
      await using heir = consumer(log)
      await heir.poll(0)
      await heir.poll(0)
      await expect(transaction.commit(zombie.metadata, [{ ...P0, offset: 1 }])).rejects.toMatchObject({ code: 'MEMBER_FENCED' })
      expect(drain(await heir.poll(0)).concat()).toBeDefined()
      expect(await heir.committed(P0)).toBeUndefined()
    })

    it('wakes a waiting poll when records arrive', async () => {
      const log = await start()
      await using reader = consumer(log)
      await reader.poll(0)
      const waiting = reader.poll(1_000_000)
      await log.producer().append(P0, [text('a')])
      expect(drain(await waiting).map(r => r.value)).toEqual(['a'])
    })

    it('carries null keys, empty values and a megabyte whole', async () => {
      const log = await start()
      const large = Buffer.alloc(1 << 20, 7)
      await log.producer().append(P0, [{ key: null, value: Buffer.alloc(0) }, { key: Buffer.alloc(0), value: null }, { key: null, value: large }])
      const { records: r } = (await log.reader(P0, 0).next())!
      r.next()
      expect([r.keyStart, r.valueEnd - r.valueStart]).toEqual([-1, 0])
      r.next()
      expect([r.keyEnd - r.keyStart, r.valueStart]).toEqual([0, -1])
      r.next()
      expect(r.valueBuffer.subarray(r.valueStart, r.valueEnd).equals(large)).toBe(true)
    })

    it('names an unknown topic', async () => {
      const log = await start()
      await expect(log.producer().append({ topic: 'nowhere', partition: 0 }, [text('a')])).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' })
      await expect(log.ensureTopics([{ ...IN, partitions: 8 }])).rejects.toMatchObject({ code: 'TOPIC_MISMATCH' })
    })

    it('writes byte ranges as it writes buffers, and carries headers', async () => {
      const log = await start()
      const transaction = await log.transactionalProducer('t')
      await using reader = consumer(log)
      await reader.poll(0)
      const bytes = Buffer.from('..key..value..')
      const headers = [{ key: 'origin', value: Buffer.from('é') }, { key: 'none', value: null }]
      transaction.append({ topic: 'out', partition: 2 }, [{ ...text('first'), timestamp: 1, headers }])
      transaction.sink({ topic: 'out', partition: 2 }).add(2, bytes, 2, 5, bytes, 7, 12)
      transaction.sink({ topic: 'out', partition: 2 }).add(3, bytes, -1, -1, bytes, -1, -1)
      await transaction.commit(reader.metadata, [])
      const { records: r } = (await log.reader({ topic: 'out', partition: 2 }, 0).next())!
      r.next()
      expect(r.headers()).toEqual(headers)
      r.next()
      expect([r.timestamp, r.keyBuffer.toString('utf8', r.keyStart, r.keyEnd), r.valueBuffer.toString('utf8', r.valueStart, r.valueEnd), r.headers()]).toEqual([2, 'key', 'value', []])
      r.next()
      expect([r.timestamp, r.keyStart, r.valueStart]).toEqual([3, -1, -1])
    })

    it('seeks back to read again', async () => {
      const log = await start()
      await log.producer().append(P0, [text('a'), text('b'), text('c')])
      await using reader = consumer(log)
      drain(await reader.poll(0))
      reader.seek(P0, 1)
      expect(drain(await reader.poll(0)).map(r => r.value)).toEqual(['b', 'c'])
    })
  })
}
