import type { Database } from 'lmdb'
import { TOPICS, type EventCodecs, type PatientKey } from '../../streams/events/index.ts'
import type { Lmdb } from '../../streams/lmdb/index.ts'
import type { Log, RecordHeader } from '../../streams/log/index.ts'
import type { ArrivalTimeMs } from '../../streams/time/index.ts'
import type { MessageMark } from './seen-messages.ts'

/** Header of a record that a connector published: the mark of its message. */
export const MESSAGE_HEADER = 'latido-message'
const MARK_BYTES = 32

/** What the intake learns from a record that it, or its predecessor, has published. */
export interface TailReader {
  message (mark: MessageMark, at: ArrivalTimeMs): void
  merge (loser: PatientKey, survivor: PatientKey): void
}

export function headerOf (mark: MessageMark): readonly RecordHeader[] { return [{ key: MESSAGE_HEADER, value: mark }] }

/**
 * How far the intake's own tables are known to have what stands on `latido.events`. The log is the truth: a message may be there whose row a crash
 * took from the tables, so at a start the rest is read, and the tables are what the log says again.
 */
export class LogTail {
  readonly #rows: Database<number, string>
  readonly #ends = new Map<number, number>()

  constructor (root: Lmdb) { this.#rows = root.openDB<number, string>('through', {}) }

  /** Reads what the tables may lack. A new intake on an old log begins at its end. */
  async catchUp (log: Log, codecs: EventCodecs, reader: TailReader): Promise<void> {
    for (let partition = 0; partition < log.partitionsOf(TOPICS.events); partition++) {
      const of = { topic: TOPICS.events, partition }
      const range = await log.range(of)
      const through = this.#rows.get(String(partition))
      if (through === undefined) await this.#rows.put(String(partition), range.end)
      else if (through < range.end) await readFrom(log, of, Math.max(through, range.start), codecs, reader)
      this.#ends.set(partition, range.end)
    }
  }

  appended (partition: number, offset: number): void { if (offset >= (this.#ends.get(partition) ?? 0)) this.#ends.set(partition, offset + 1) }

  /** What was appended by now; saved by `keep` when everything before it is in the tables. */
  ends (): ReadonlyMap<number, number> { return new Map(this.#ends) }

  async keep (ends: ReadonlyMap<number, number>): Promise<void> { await Promise.all([...ends].map(([partition, end]) => this.#rows.put(String(partition), end))) }
}

async function readFrom (log: Log, of: { readonly topic: string, readonly partition: number }, from: number, codecs: EventCodecs, reader: TailReader): Promise<void> {
  const run = log.reader(of, from)
  for (let next = await run.next(); next !== undefined; next = await run.next()) {
    const { records } = next
    while (records.next()) {
      const value = records.headers().find(({ key }) => key === MESSAGE_HEADER)?.value
      if (value?.length !== MARK_BYTES) continue
      reader.message(Buffer.from(value) as MessageMark, records.timestamp)
      const decoded = codecs.decode(records)
      if (decoded.kind === 'ok' && decoded.value.type === 'merge') reader.merge(records.keyBuffer.toString('latin1', records.keyStart, records.keyEnd) as PatientKey, decoded.value.survivor)
    }
  }
}
