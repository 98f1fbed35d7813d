import type { Database } from 'lmdb'
import { TOPICS, type EventCodecs, type PatientKey } from '../../streams/events/index.ts'
import type { Lmdb } from '../../streams/lmdb/index.ts'
import type { Log, RecordCursor, RecordHeader, TopicPartition } from '../../streams/log/index.ts'
import type { ArrivalTimeMs, DurationMs } from '../../streams/time/index.ts'
import type { MessageMark } from './seen-messages.ts'

/** Header of a record that a connector published: the mark of its message, as base64url, since not every Kafka library writes bytes. */
const MESSAGE_HEADER = 'latido-message'
const MARK_TEXT_BYTES = 43
const SAMPLES_MAX = 720
const CLOCKS_DIFFER_MS: DurationMs = 60_000

/** Beside the events: what was refused and what is kept. Each has one partition. */
const KEPT_TOPICS = [TOPICS.deadLetters, TOPICS.archive] as const

/** What the intake learns from a record that it, or its predecessor, has published. */
export interface TailReader {
  message (mark: MessageMark, at: ArrivalTimeMs): void
  merge (loser: PatientKey, survivor: PatientKey): void
}

export function headerOf (mark: MessageMark): readonly RecordHeader[] { return [{ key: MESSAGE_HEADER, value: Buffer.from(mark.toString('base64url'), 'latin1') }] }

/**
 * How far the intake's own tables are known to have what stands on the topics that it writes. The log is the truth: a message may be there whose row a crash
 * took from the tables, so at a start the rest is read, and the tables are what the log says again.
 */
export class LogTail {
  readonly #rows: Database<number, string>
  /** By `nameOf` the partition. */
  readonly #ends = new Map<string, number>()
  /** As on disk: what has not moved is not written again. */
  readonly #kept = new Map<string, number>()
  /** Where the partitions ended, now and then: from where to look for what was published since a moment. */
  readonly #samples: { readonly at: ArrivalTimeMs, readonly ends: ReadonlyMap<string, number> }[] = []

  constructor (root: Lmdb) { this.#rows = root.openDB<number, string>('through', {}) }

  /** Reads what the tables may lack. A new intake on an old log begins at its end. */
  async catchUp (log: Log, codecs: EventCodecs, reader: TailReader): Promise<void> {
    for (const of of followed(log)) {
      const range = await log.range(of)
      const name = nameOf(of)
      const through = this.#rows.get(name)
      if (through === undefined) await this.#rows.put(name, range.end)
      else if (through < range.end) await readFrom(log, of, Math.max(through, range.start), codecs, reader)
      this.#ends.set(name, range.end)
    }
  }

  appended (of: TopicPartition, offset: number): void { if (offset >= (this.#ends.get(nameOf(of)) ?? 0)) this.#ends.set(nameOf(of), offset + 1) }

  /** What was appended by now; saved by `keep` when everything before it is in the tables. */
  ends (): ReadonlyMap<string, number> { return new Map(this.#ends) }

  async sample (log: Log, at: ArrivalTimeMs): Promise<void> {
    const ends = await Promise.all(followed(log).map(async of => [nameOf(of), (await log.range(of)).end] as const))
    this.#samples.push({ at, ends: new Map(ends) })
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift()
  }

  /** When the log had the message, if it has it since then. Instances' clocks may differ by a minute. */
  async has (log: Log, of: TopicPartition, mark: MessageMark, since: ArrivalTimeMs): Promise<ArrivalTimeMs | undefined> {
    const { start } = await log.range(of)
    const from = this.#samples.findLast(({ at }) => at <= since - CLOCKS_DIFFER_MS)?.ends.get(nameOf(of)) ?? start
    return await findMark(log, of, Math.max(from, start), mark)
  }

  async keep (ends: ReadonlyMap<string, number>): Promise<void> {
    await Promise.all([...ends].filter(([name, end]) => this.#kept.get(name) !== end).map(async ([name, end]) => { await this.#rows.put(name, end); this.#kept.set(name, end) }))
  }
}

function followed (log: Log): readonly TopicPartition[] {
  const events = Array.from({ length: log.partitionsOf(TOPICS.events) }, (_, partition) => ({ topic: TOPICS.events, partition }))
  return [...events, ...KEPT_TOPICS.map(topic => ({ topic, partition: 0 }))]
}

function nameOf ({ topic, partition }: TopicPartition): string { return topic === TOPICS.events ? String(partition) : topic }

async function readFrom (log: Log, of: TopicPartition, from: number, codecs: EventCodecs, reader: TailReader): Promise<void> {
  for await (const records of recordsFrom(log, of, from)) {
    const mark = markIn(records)
    if (mark === undefined) continue
    reader.message(mark as MessageMark, records.timestamp)
    if (of.topic !== TOPICS.events) continue
    const decoded = codecs.decode(records)
    if (decoded.kind === 'ok' && decoded.value.type === 'merge') reader.merge(records.keyBuffer.toString('latin1', records.keyStart, records.keyEnd) as PatientKey, decoded.value.survivor)
  }
}

async function findMark (log: Log, of: TopicPartition, from: number, mark: MessageMark): Promise<ArrivalTimeMs | undefined> {
  for await (const records of recordsFrom(log, of, from)) if (markIn(records)?.equals(mark) === true) return records.timestamp
  return undefined
}

function markIn (records: RecordCursor): Buffer | undefined {
  const value = records.headers().find(({ key }) => key === MESSAGE_HEADER)?.value
  return value?.length === MARK_TEXT_BYTES ? Buffer.from(value.toString('latin1'), 'base64url') : undefined
}

async function * recordsFrom (log: Log, of: TopicPartition, from: number): AsyncIterable<RecordCursor> {
  const run = log.reader(of, from)
  for (let next = await run.next(); next !== undefined; next = await run.next()) while (next.records.next()) yield next.records
}
