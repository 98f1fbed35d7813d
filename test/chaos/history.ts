import { randomUUID } from 'node:crypto'
import type { Consumer, Log, TopicPartition } from '../../streams/log/index.ts'
import type { SeededRandom } from '../kit/random.ts'
import type { Driver } from './open-log.ts'
import { CODECS, until, type Codec, type JavaClient, type JavaProducer, type PlainRecord } from '../kit/servers/index.ts'

/** Writes inside transactions or outside them. */
export interface Writer {
  readonly name: string
  readonly transactional: boolean
  write (to: TopicPartition, records: readonly PlainRecord[]): Promise<void>
  commit (): Promise<void>
  abort (): Promise<void>
  close (): Promise<void>
}

export async function javaWriter (java: JavaClient, codec: Codec, transactionalId?: string): Promise<Writer> {
  const producer: JavaProducer = await java.producer(codec, transactionalId)
  let open = false
  const transactional = transactionalId !== undefined
  return {
    name: `java ${codec}${transactional ? ' transactional' : ''}`,
    transactional,
    write: async ({ topic, partition }, records) => {
      if (transactional && !open) { await producer.begin(); open = true }
      await producer.sendAll(topic, records.map(record => ({ ...record, partition })))
      await producer.flush()
    },
    commit: async () => { if (open) await producer.commit(); open = false },
    abort: async () => { if (open) await producer.abort(); open = false },
    close: () => producer.close(),
  }
}

export async function logWriter (log: Log, name: Driver, topic: string, transactionalId?: string): Promise<Writer> {
  const able = name === 'native' ? withTextHeaders : (records: readonly PlainRecord[]): readonly PlainRecord[] => records
  if (transactionalId === undefined) {
    const producer = log.producer()
    return { name, transactional: false, write: async (to, records) => { await producer.append(to, able(records)) }, commit: () => Promise.resolve(), abort: () => Promise.resolve(), close: async () => { await producer[Symbol.asyncDispose]() } }
  }
  const member = await joined(log, transactionalId, topic)
  const producer = await log.transactionalProducer(transactionalId)
  return {
    name: `${name} transactional`, transactional: true,
    write: (to, records) => { producer.append(to, able(records)); return Promise.resolve() },
    commit: () => producer.commit(member.metadata, []),
    abort: () => producer.abort(),
    close: async () => { await producer[Symbol.asyncDispose](); await member[Symbol.asyncDispose]() },
  }
}

/** A transaction is a group member's, though it commits no offsets here. */
async function joined (log: Log, group: string, topic: string): Promise<Consumer> {
  const member = log.consumer({ group, instance: randomUUID(), topics: [topic], from: 'latest' })
  await until('a writer is a member', 30_000, async () => { await member.poll(100); return member.assignment().length > 0 })
  return member
}

/** The library behind `native` writes header values as text alone. */
function withTextHeaders (records: readonly PlainRecord[]): readonly PlainRecord[] {
  return records.map(record => ({ ...record, headers: (record.headers ?? []).map(h => ({ key: h.key, value: h.value ?? Buffer.from('null') })) }))
}

export async function allJavaWriters (java: JavaClient, run: string, codecs: readonly Codec[] = CODECS): Promise<readonly Writer[]> {
  const writers: Writer[] = []
  for (const codec of codecs) writers.push(await javaWriter(java, codec))
  for (const codec of codecs) writers.push(await javaWriter(java, codec, `${run}-${codec}`))
  return writers
}

const NOON_MS = 1_770_000_000_000
const NAMES = ['origin', 'trace', 'é', '']

/** A record of any shape; its value begins with `id`, unless it is null or empty. */
export function anyRecord (random: SeededRandom, id: string): PlainRecord {
  const dice = random.below(100)
  const size = dice < 2 ? 100_000 + random.below(900_000) : dice < 20 ? random.below(5_000) : random.below(40)
  const filled = Buffer.concat([Buffer.from(`${id} `), Buffer.alloc(size, random.chance(0.5) ? 'abcabcabd' : String(random.next()))])
  const headers = random.chance(0.3) ? Array.from({ length: random.below(4) }, () => ({ key: NAMES[random.below(NAMES.length)] ?? '', value: random.chance(0.2) ? null : Buffer.alloc(random.below(30), 'h') })) : []
  return {
    timestamp: NOON_MS + random.below(1_000_000) - 500_000,
    key: random.chance(0.1) ? null : random.chance(0.05) ? Buffer.alloc(0) : Buffer.from(`k${random.below(12)}`),
    value: random.chance(0.06) ? null : random.chance(0.04) ? Buffer.alloc(0) : filled,
    headers,
  }
}

export interface HistoryOptions {
  readonly topic: string
  readonly partitions: number
  readonly steps: number
  /** A compacted topic refuses null keys. */
  readonly compacted: boolean
  /** Called between steps, now and then: truncate, move a leader. */
  readonly disturb?: (topic: string, partition: number) => Promise<string>
}

/** What was written: the ids that must be readable, and those that must not. */
export interface Written { readonly committed: ReadonlySet<string>, readonly aborted: ReadonlySet<string>, readonly story: readonly string[] }

/** Writes a random history: several transactions are open at once, in the same partitions; some are aborted; all are ended when it resolves. */
export async function writeHistory (writers: readonly Writer[], random: SeededRandom, { topic, partitions, steps, compacted, disturb }: HistoryOptions): Promise<Written> {
  const committed = new Set<string>()
  const aborted = new Set<string>()
  const open = new Map<Writer, string[]>()
  const story: string[] = []
  let ids = 0
  const end = async (writer: Writer): Promise<void> => {
    const commits = random.chance(0.65)
    story.push(`${writer.name} ${commits ? 'commits' : 'aborts'}`)
    await (commits ? writer.commit() : writer.abort())
    for (const id of open.get(writer) ?? []) (commits ? committed : aborted).add(id)
    open.delete(writer)
  }
  for (let step = 0; step < steps; step++) {
    const writer = writers[random.below(writers.length)]
    if (writer === undefined) break
    const to = { topic, partition: random.below(partitions) }
    const records = Array.from({ length: 1 + random.below(random.chance(0.1) ? 60 : 8) }, () => anyRecord(random, `#${++ids}`)).map(r => compacted && r.key === null ? { ...r, key: Buffer.from('none') } : r)
    story.push(`${writer.name} writes ${records.length} to ${to.partition}`)
    await writer.write(to, records)
    const written = records.flatMap(({ value }) => value === null || value.length === 0 ? [] : [idOf(value)])
    if (writer.transactional) open.set(writer, [...open.get(writer) ?? [], ...written])
    else for (const id of written) committed.add(id)
    if (open.size > 3 || (open.size > 0 && random.chance(0.25))) {
      const waiting = [...open.keys()]
      await end(waiting[random.below(waiting.length)] ?? writer)
    }
    if (disturb !== undefined && random.chance(0.08)) story.push(await disturb(topic, to.partition))
  }
  for (const writer of open.keys()) await end(writer)
  return { committed, aborted, story }
}

export function idOf (value: Buffer): string { return value.toString('latin1', 0, value.indexOf(32)) }
