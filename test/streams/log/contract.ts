import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../../streams/time/index.ts'
import type { Consumer, Log, Run, TopicPartition, TopicSpec, TransactionalProducer } from '../../../streams/log/index.ts'

/** How the suite gets a log: `reopen` closes the present one and opens the same data again. */
export interface LogUnderTest {
  readonly log: Log
  /** Real brokers have time of their own. */
  readonly clock?: ManualClock
  /** Begins the names of topics, groups and transactional ids, where the log outlives a test. */
  readonly prefix?: string
  /** The same data by a process that can be put to sleep. Without it time is moved on by the clock. */
  readonly sleeper?: () => Promise<Sleeper>
  reopen (): Promise<LogUnderTest>
  close (): Promise<void>
}

/** `sleep`: no heartbeat and no timer of this log works until `wake`, as when its process is stopped. */
export interface Sleeper { readonly log: Log, sleep (): void, wake (): void, close (): Promise<void> }

/** What an implementation cannot do, and why. */
export interface Deviations {
  /** It has headers with text alone. */
  readonly textHeaders?: string
  /** Its members cannot be made to sleep from within this process. */
  readonly noZombies?: string
}

const PATIENCE_MS = 60_000

export const IN: TopicSpec = { name: 'in', partitions: 4, timestamps: 'append', retentionMs: 0 }
const OUT: TopicSpec = { name: 'out', partitions: 4, timestamps: 'create', retentionMs: 0 }
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

/** Polls until records come: a broker needs a moment to let a member in, and another to answer it. */
export async function come (consumer: Consumer, count: number = 1): Promise<Seen[]> {
  const seen: Seen[] = []
  await until(`${count} records`, async () => { seen.push(...drain(await consumer.poll(0))); return seen.length >= count })
  return seen
}

/** All records to the present end. */
export async function readAll (log: Log, of: TopicPartition, from: number = 0): Promise<Seen[]> {
  const seen: Seen[] = []
  const reader = log.reader(of, from)
  for (let run = await reader.next(); run !== undefined; run = await reader.next()) seen.push(...drain([run]))
  return seen
}

/** The same, once there are `count`: a broker answers a commit before its markers are written to every partition. */
export async function readOnce (log: Log, of: TopicPartition, count: number): Promise<Seen[]> {
  let seen: Seen[] = []
  await until(`${count} committed records`, async () => { seen = await readAll(log, of); return seen.length >= count })
  return seen
}

async function until (what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + PATIENCE_MS; !await holds();) {
    if (performance.now() > deadline) throw new Error(`${what} did not come`)
    await new Promise(resolve => { setTimeout(resolve, 1) })
  }
}

const joined = async (member: Consumer, partitions: number = 4): Promise<void> => { await until('the assignment', async () => { await member.poll(0); return member.assignment().length === partitions }) }

/** What every implementation of the `Log` port must do. */
export function logContract (name: string, open: () => Promise<LogUnderTest>, deviations: Deviations = {}): void {
  describe(`log contract: ${name}`, () => {
    let under: LogUnderTest
    let P0: TopicPartition
    const named = (of: string): string => `${under.prefix ?? ''}${of}`
    const out = (partition: number): TopicPartition => ({ topic: named('out'), partition })
    const start = async (): Promise<Log> => {
      under = await open()
      P0 = { topic: named('in'), partition: 0 }
      await under.log.ensureTopics([{ ...IN, name: named('in') }, { ...OUT, name: named('out') }])
      return under.log
    }
    const consumer = (log: Log, more: Partial<Parameters<Log['consumer']>[0]> = {}): Consumer => log.consumer({ group: named('g'), instance: randomUUID(), topics: [named('in')], from: 'earliest', ...more })
    afterEach(async () => { await under.close() })

    it('gives records back with their offsets, in order, per partition', async () => {
      const log = await start()
      const producer = log.producer()
      await producer.append(P0, [text('a'), text('b')])
      const second = await producer.append(P0, [text('c')])
      expect(second.baseOffset).toBe(2)
      await using reader = consumer(log)
      expect((await come(reader, 3)).map(r => [r.offset, r.value])).toEqual([[0, 'a'], [1, 'b'], [2, 'c']])
      expect(drain(await reader.poll(0))).toEqual([])
    })

    it('stamps records of an append topic itself and never goes back', async () => {
      const log = await start()
      const producer = log.producer()
      under.clock?.set(5_000)
      await producer.append(P0, [{ ...text('a'), timestamp: 1 }])
      const reopened = await under.reopen()
      under = reopened
      await using reader = consumer(reopened.log)
      const first = (await come(reader))[0]!
      expect(first.timestamp).toBeGreaterThanOrEqual(5_000)
      await reopened.log.producer().append(P0, [text('b')])
      expect((await come(reader))[0]!.timestamp).toBeGreaterThanOrEqual(first.timestamp)
    })

    it('keeps the arrival times that a replay brings on a create topic', async () => {
      const log = await start()
      await log.producer().append(out(1), [{ ...text('a'), timestamp: 7 }, { ...text('b'), timestamp: 4_000_000_000_000 }])
      expect((await readAll(log, out(1))).map(r => r.timestamp)).toEqual([7, 4_000_000_000_000])
    })

    it('shows nothing of a transaction before its commit, and offsets only with it', async () => {
      const log = await start()
      await log.producer().append(P0, [text('a')])
      const transaction = await log.transactionalProducer(named('t'))
      await using reader = consumer(log)
      await come(reader)
      transaction.append(out(0), [{ ...text('x'), timestamp: 1 }])
      expect((await log.range(out(0))).end).toBe(0)
      expect(await reader.committed(P0)).toBeUndefined()
      await transaction.commit(reader.metadata, [{ ...P0, offset: 1 }])
      expect((await readOnce(log, out(0), 1)).map(r => r.value)).toEqual(['x'])
      expect(await reader.committed(P0)).toBe(1)
    })

    it('forgets an aborted transaction', async () => {
      const log = await start()
      const transaction = await log.transactionalProducer(named('t'))
      await using reader = consumer(log)
      await joined(reader)
      transaction.append(out(0), [text('x')])
      await transaction.abort()
      await transaction.commit(reader.metadata, [{ ...P0, offset: 0 }])
      expect(await readAll(log, out(0))).toEqual([])
    })

    it('fences the older of two producers with one transactional id', async () => {
      const log = await start()
      await using reader = consumer(log)
      await joined(reader)
      const old = await log.transactionalProducer(named('t'))
      const young = await log.transactionalProducer(named('t'))
      old.append(out(0), [text('old')])
      await expect(old.commit(reader.metadata, [])).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
      young.append(out(0), [text('young')])
      await young.commit(reader.metadata, [{ ...P0, offset: 0 }])
      expect((await readOnce(log, out(0), 1)).map(r => r.value)).toEqual(['young'])
    })

    it('goes on from committed offsets after it was closed and opened again', async () => {
      const log = await start()
      await log.producer().append(P0, [text('a'), text('b')])
      {
        await using reader = consumer(log)
        await come(reader)
        await reader.commit([{ ...P0, offset: 1 }])
      }
      under = await under.reopen()
      await using again = consumer(under.log)
      expect((await come(again)).map(r => r.value)).toEqual(['b'])
    })

    it('shares partitions between members, revoking before another is assigned', async () => {
      const log = await start()
      const story: string[] = []
      const member = (name: string): Consumer => consumer(log, {
        onAssigned: ps => { story.push(...ps.map(p => `${name}+${p.partition}`)); return Promise.resolve() },
        onRevoked: ps => { story.push(...ps.map(p => `${name}-${p.partition}`)); return Promise.resolve() },
      })
      const one = member('one')
      await joined(one)
      await using two = member('two')
      await until('an equal share', async () => {
        await two.poll(0)
        if (two.assignment().length > 0 && one.assignment().length === 4) throw new Error('a partition has two owners')
        await one.poll(0)
        return one.assignment().length === 2 && two.assignment().length === 2
      })
      for (const { partition } of two.assignment()) expect(story.indexOf(`one-${partition}`)).toBeLessThan(story.indexOf(`two+${partition}`))
      await one[Symbol.asyncDispose]()
      await joined(two)
    })

    it.skipIf(deviations.noZombies !== undefined)('refuses the commit of a member that slept past its session (a zombie)', async () => {
      const log = await start()
      await log.producer().append(P0, [text('a')])
      const sleeper = await under.sleeper?.() ?? { log, sleep: () => { under.clock?.advance(600_000) }, wake: () => {}, close: () => Promise.resolve() }
      const zombie = consumer(sleeper.log)
      await come(zombie)
      const transaction = await sleeper.log.transactionalProducer(named('zombie'))
      transaction.append(out(0), [text('late')])
      sleeper.sleep()
      await using heir = consumer(log)
      await joined(heir)
      sleeper.wake()
      await expect(transaction.commit(zombie.metadata, [{ ...P0, offset: 1 }])).rejects.toMatchObject({ code: 'MEMBER_FENCED' })
      expect(await heir.committed(P0)).toBeUndefined()
      expect((await readAll(log, out(0))).map(r => r.value)).toEqual([])
      await sleeper.close()
    })

    it('wakes a waiting poll when records arrive', async () => {
      const log = await start()
      await using reader = consumer(log)
      await joined(reader)
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
      await expect(log.producer().append({ topic: named('nowhere'), partition: 0 }, [text('a')])).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' })
      await expect(log.ensureTopics([{ ...IN, name: named('in'), partitions: 8 }])).rejects.toMatchObject({ code: 'TOPIC_MISMATCH' })
    })

    it('writes byte ranges as it writes buffers, and carries headers', async () => {
      const log = await start()
      const transaction = await log.transactionalProducer(named('t'))
      await using reader = consumer(log)
      await joined(reader)
      const bytes = Buffer.from('..key..value..')
      const headers = [{ key: 'origin', value: Buffer.from('é') }, ...deviations.textHeaders === undefined ? [{ key: 'none', value: null }, { key: 'bytes', value: Buffer.from([0, 255]) }] : []]
      transaction.append(out(2), [{ ...text('first'), timestamp: 1, headers }])
      transaction.sink(out(2)).add(2, bytes, 2, 5, bytes, 7, 12)
      transaction.sink(out(2)).add(3, bytes, -1, -1, bytes, -1, -1)
      await transaction.commit(reader.metadata, [])
      await readOnce(log, out(2), 3)
      const { records: r } = (await log.reader(out(2), 0).next())!
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
      await come(reader, 3)
      reader.seek(P0, 1)
      expect((await come(reader, 2)).map(r => r.value)).toEqual(['b', 'c'])
    })

    it('passes over aborted transactions, between committed ones and at the end', async () => {
      const log = await start()
      const transaction = await log.transactionalProducer(named('t'))
      await using reader = consumer(log)
      await joined(reader)
      for (const value of ['a', 'no', 'b', 'no', 'no']) {
        transaction.append(out(0), [{ ...text(value), timestamp: 1 }])
        if (value === 'no') await transaction.abort()
        else await transaction.commit(reader.metadata, [])
      }
      await log.producer().append(out(0), [{ ...text('c'), timestamp: 1 }])
      const seen = await readOnce(log, out(0), 3)
      expect(seen.map(r => r.value)).toEqual(['a', 'b', 'c'])
      expect((await log.range(out(0))).end).toBe(seen.at(-1)!.offset + 1)
      expect((await readAll(log, out(0), seen[1]!.offset)).map(r => r.value)).toEqual(['b', 'c'])
    })

    it('gives each of many partitions to one of several members, and each record once', async () => {
      const log = await start()
      const many = named('many')
      await log.ensureTopics([{ ...IN, name: many, partitions: 12 }])
      const producer = log.producer()
      await Promise.all(Array.from({ length: 120 }, (_, i) => producer.append({ topic: many, partition: i % 12 }, [text(String(i))])))
      const members = [1, 2, 3].map(() => consumer(log, { topics: [many] }))
      const seen = new Map<string, number>()
      await until('everything', async () => {
        for (const member of members) {
          const runs = await member.poll(0)
          for (const r of drain(runs)) seen.set(r.value, (seen.get(r.value) ?? 0) + 1)
          if (runs.length > 0) await member.commit(runs.map(({ topic, partition, nextOffset }) => ({ topic, partition, offset: nextOffset })))
        }
        return seen.size === 120 && members.every(m => m.assignment().length === 4)
      })
      expect([...seen.values()].filter(times => times !== 1)).toEqual([])
      for (const member of members) await member[Symbol.asyncDispose]()
    })

    it('hands partitions over under load: what a transaction copies is copied once', async () => {
      const log = await start()
      const producer = log.producer()
      const join = async (): Promise<{ readonly consumer: Consumer, readonly transaction: TransactionalProducer }> => {
        const instance = randomUUID()
        const transaction = await log.transactionalProducer(`${named('g')}.${instance}`)
        const mine: Consumer = consumer(log, { instance, onAssigned: async ps => { for (const p of ps) mine.seek(p, await mine.committed(p) ?? 0) } })
        return { consumer: mine, transaction }
      }
      /** As the engine does it: who was fenced joins again under another name. */
      const member = async (): Promise<{ assigned (): number, step (): Promise<void>, close (): Promise<void> }> => {
        let { consumer: mine, transaction } = await join()
        const close = async (): Promise<void> => { await Promise.allSettled([mine[Symbol.asyncDispose](), transaction[Symbol.asyncDispose]()]) }
        const step = async (): Promise<void> => {
          const runs = await mine.poll(0)
          for (const r of drain(runs)) transaction.append(out(r.partition), [{ ...text(r.value), timestamp: 1 }])
          if (runs.length > 0) await transaction.commit(mine.metadata, runs.map(({ topic, partition, nextOffset }) => ({ topic, partition, offset: nextOffset })))
        }
        return {
          assigned: () => mine.assignment().length,
          close,
          step: async () => {
            try { await step() } catch (e) {
              expect(['MEMBER_FENCED', 'PRODUCER_FENCED', 'TRANSACTION_ABORTED']).toContain((e as { readonly code?: string }).code)
              await close();
              ({ consumer: mine, transaction } = await join())
            }
          },
        }
      }
      let sent = 0
      const feed = async (): Promise<void> => { await Promise.all([0, 1, 2, 3].map(partition => producer.append({ topic: named('in'), partition }, [text(`${partition}-${sent++}`)]))) }
      const one = await member()
      await until('the first member\'s partitions', async () => { await feed(); await one.step(); return one.assigned() === 4 })
      const two = await member()
      await until('an equal share', async () => { await feed(); await one.step(); await two.step(); return one.assigned() === 2 && two.assigned() === 2 })
      await one.close()
      await until('all partitions of the first', async () => { await feed(); await two.step(); return two.assigned() === 4 })
      const copied = async (): Promise<readonly string[]> => (await Promise.all([0, 1, 2, 3].map(p => readAll(log, out(p))))).flat().map(r => r.value)
      await until('the rest', async () => { await two.step(); return (await copied()).length >= sent })
      expect(new Set(await copied()).size).toBe(sent)
      expect(await copied()).toHaveLength(sent)
      await two.close()
    })

    it('ends a waiting poll when the consumer is closed', async () => {
      const log = await start()
      const reader = consumer(log)
      await joined(reader)
      const waiting = reader.poll(1_000_000)
      await reader[Symbol.asyncDispose]()
      await Promise.allSettled([waiting])
    })
  })
}
