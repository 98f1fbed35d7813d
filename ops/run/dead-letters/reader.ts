import { isLatidoError } from '../../../streams/errors/index.ts'
import { TOPICS, type DeadLetter, type DeadLetterRecord, type EventCodecs } from '../../../streams/events/index.ts'
import type { Log, RecordCursor, TopicPartition } from '../../../streams/log/index.ts'
import { DeadLetterBook } from './book.ts'

const LETTERS: TopicPartition = { topic: TOPICS.deadLetters, partition: 0 }

export interface DeadLetterReaderParts {
  readonly log: Log
  readonly codecs: EventCodecs
  /** On a cluster anybody may write to the topic: what is no dead letter is passed over. */
  readonly foreignRecords: boolean
  readonly lettersMax?: number
}

/** Follows the topic of dead letters into the book. */
export class DeadLetterReader {
  readonly book: DeadLetterBook
  readonly #parts: DeadLetterReaderParts
  #next: number | undefined
  #reading: Promise<void> = Promise.resolve()

  constructor (parts: DeadLetterReaderParts) {
    this.#parts = parts
    this.book = new DeadLetterBook(parts.lettersMax)
  }

  /** Resolves when what was on the log at the call is in the book. Rejects (LatidoError) when the log is away. */
  catchUp (): Promise<void> {
    const turn = this.#reading.catch(() => {}).then(() => this.#catchUp())
    this.#reading = turn
    return turn
  }

  /** The letter itself, from the log; undefined: there is none. */
  async letterAt (offset: number): Promise<DeadLetter | undefined> {
    const { start, end } = await this.#parts.log.range(LETTERS)
    if (offset < start || offset >= end) return undefined
    const run = await this.#parts.log.reader(LETTERS, offset).next()
    if (run === undefined) return undefined
    while (run.records.next()) {
      if (run.records.offset < offset) continue
      const read = run.records.offset === offset ? this.#decode(run.records) : undefined
      return read?.kind === 'letter' ? read.letter : undefined
    }
    return undefined
  }

  async #catchUp (): Promise<void> {
    const { log } = this.#parts
    const { start } = await log.range(LETTERS)
    this.book.trim(start)
    const reader = log.reader(LETTERS, Math.max(this.#next ?? start, start))
    for (let run = await reader.next(); run !== undefined; run = await reader.next()) {
      while (run.records.next()) this.#add(run.records)
      this.#next = run.nextOffset
    }
  }

  #add (record: RecordCursor): void {
    const read = this.#decode(record)
    if (read?.kind === 'letter') this.book.addLetter(record.offset, read.letter)
    if (read?.kind === 'disposition') this.book.addDisposition(read.disposition)
  }

  #decode (record: RecordCursor): DeadLetterRecord | undefined {
    try {
      return this.#parts.codecs.decodeDeadLetterRecord(record)
    } catch (e) {
      if (!this.#parts.foreignRecords || !isLatidoError(e)) throw e
      return undefined
    }
  }
}
