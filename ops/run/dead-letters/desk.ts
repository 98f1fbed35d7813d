import type { Feed, Sealer, Superseded, Taken } from '../../../connectors/kit/index.ts'
import type { DeadLetterDesk, DropRound, LetterFilter, LetterInfo, LetterOutcome, LetterPage, RetryRound } from '../../../dashboards/server/index.ts'
import { TOPICS, type Disposition, type EventCodecs } from '../../../streams/events/index.ts'
import type { Log } from '../../../streams/log/index.ts'
import type { Clock } from '../../../streams/time/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { stateOf, type BookedLetter } from './book.ts'
import type { DeadLetterReader } from './reader.ts'

export interface DeskParts {
  readonly letters: DeadLetterReader
  readonly log: Log
  readonly codecs: EventCodecs
  readonly sealer: Sealer
  readonly clock: Clock
  readonly logger: Logger
  /** What reads, or sends, a letter again. */
  readonly feedOf: (name: string) => Pick<Feed, 'retry'> | undefined
  /** Somebody has read the bytes of a letter. */
  readonly onOpened?: () => void
}

type Told = Pick<Disposition, 'outcome' | 'cause' | 'detail'>
const DROPPED: Told = { outcome: 'dropped', cause: '', detail: '' }
/** Records of one append. */
const DROPS_AT_ONCE = 500

/** What people do with dead letters. One letter is in one pair of hands at a time; what was done is on the log before it is answered. */
export class Desk implements DeadLetterDesk {
  readonly #parts: DeskParts
  readonly #inHand = new Set<number>()

  constructor (parts: DeskParts) { this.#parts = parts }

  list (filter: LetterFilter, after: number | undefined, limit: number): LetterPage {
    const all = this.#parts.letters.book.matching(filter)
    const older = after === undefined ? all : all.filter(({ at }) => at < after)
    const letters = older.slice(-limit).reverse()
    return { letters: letters.map(letter => this.#info(letter)), matching: all.length, next: older.length > letters.length ? letters.at(-1)!.at : null }
  }

  show (offset: number): LetterInfo | undefined {
    const letter = this.#parts.letters.book.get(offset)
    return letter === undefined ? undefined : this.#info(letter)
  }

  async raw (offset: number): Promise<Buffer | undefined> {
    const letter = await this.#parts.letters.letterAt(offset)
    if (letter === undefined) return undefined
    this.#parts.onOpened?.()
    this.#parts.logger.info({ offset }, 'the bytes of a dead letter were read')
    return this.#parts.sealer.open(Buffer.from(letter.raw))
  }

  async retry (offset: number, by: string): Promise<LetterOutcome> {
    await this.#parts.letters.catchUp()
    return await this.#inHands(offset, async letter => {
      const feed = letter.feed === '' ? undefined : this.#parts.feedOf(letter.feed)
      if (feed === undefined) return { kind: 'no-feed', why: letter.feed === '' ? 'no feed can read it again: it was refused by the engine, or by a version that did not note the feed' : `its feed ${letter.feed} is not running here` }
      const stored = await this.#parts.letters.letterAt(offset)
      if (stored === undefined) return { kind: 'unknown' }
      const taken = await feed.retry(this.#parts.sealer.open(Buffer.from(stored.raw)))
      return await this.#close(offset, 'retried', toldOf(taken), by)
    })
  }

  async retryAll (filter: LetterFilter, limit: number, by: string): Promise<RetryRound> {
    await this.#parts.letters.catchUp()
    const all = this.#parts.letters.book.matching({ ...filter, state: 'open' }).filter(letter => this.#isRetryable(letter))
    const counts = { published: 0, duplicate: 0, archived: 0, refused: 0, dropped: 0 }
    let tried = 0
    for (const { at } of all.slice(0, limit)) {
      const outcome = await this.retry(at, by)
      if (outcome.kind !== 'done') continue // somebody else has it in hand, or was faster
      tried++
      counts[outcome.letter.last!.outcome as Disposition['outcome']]++
    }
    const { published, duplicate, archived, refused } = counts
    return { tried, published, duplicate, archived, refused, left: Math.max(0, all.length - limit) }
  }

  async drop (offset: number, by: string): Promise<LetterOutcome> {
    await this.#parts.letters.catchUp()
    return await this.#inHands(offset, () => this.#close(offset, 'dropped', DROPPED, by))
  }

  /** A record each, as for one that is dropped alone; one line in the log file. */
  async dropAll (filter: LetterFilter, limit: number, by: string): Promise<DropRound> {
    const { letters, logger } = this.#parts
    await letters.catchUp()
    const all = letters.book.matching({ ...filter, state: 'open' })
    const mine = all.slice(0, limit).map(({ at }) => at).filter(at => !this.#inHand.has(at))
    for (const at of mine) this.#inHand.add(at)
    try {
      for (let i = 0; i < mine.length; i += DROPS_AT_ONCE) await this.#note(mine.slice(i, i + DROPS_AT_ONCE), 'dropped', DROPPED, by)
    } finally {
      for (const at of mine) this.#inHand.delete(at)
    }
    logger.info({ cause: filter.cause ?? '', feed: filter.feed ?? '', dropped: mine.length, by }, 'dead letters were dropped')
    return { dropped: mine.length, left: all.length - mine.length }
  }

  /** Two at once: one wins, the other hears that it is being worked on. */
  async #inHands (offset: number, work: (letter: BookedLetter) => Promise<LetterOutcome>): Promise<LetterOutcome> {
    const letter = this.#parts.letters.book.get(offset)
    if (letter === undefined) return { kind: 'unknown' }
    if (stateOf(letter) !== 'open') return { kind: 'closed', state: stateOf(letter) }
    if (this.#inHand.has(offset)) return { kind: 'busy' }
    this.#inHand.add(offset)
    try {
      return await work(letter)
    } finally {
      this.#inHand.delete(offset)
    }
  }

  /** Resolves when it is on the log and in the book. */
  async #close (offset: number, action: Disposition['action'], told: Told, by: string): Promise<LetterOutcome> {
    const { letters, logger } = this.#parts
    await this.#note([offset], action, told, by)
    logger.info({ offset, action, outcome: told.outcome, cause: told.cause, by }, 'a dead letter was dealt with')
    const letter = letters.book.get(offset)
    return letter === undefined ? { kind: 'unknown' } : { kind: 'done', letter: this.#info(letter) }
  }

  async #note (offsets: readonly number[], action: Disposition['action'], told: Told, by: string): Promise<void> {
    const { log, codecs, clock, letters } = this.#parts
    const at = clock.now()
    await log.producer().append({ topic: TOPICS.deadLetters, partition: 0 }, offsets.map(letter => ({ key: null, value: codecs.encodeDisposition({ letter, action, ...told, at, by }) })))
    await letters.catchUp()
  }

  #isRetryable ({ feed }: BookedLetter): boolean { return feed !== '' && this.#parts.feedOf(feed) !== undefined }

  #info (letter: BookedLetter): LetterInfo {
    const { at, last, ...rest } = letter
    const state = stateOf(letter)
    return { ...rest, offset: at, state, retryable: state === 'open' && this.#isRetryable(letter), last: last === undefined ? null : { action: last.action, outcome: last.outcome, cause: last.cause, detail: last.detail, at: last.at, by: last.by } }
  }
}

function toldOf (taken: Taken | Superseded): Told {
  switch (taken.kind) {
    case 'superseded': return { outcome: 'duplicate', cause: '', detail: 'a newer version has come since; this one is not used' }
    case 'taken': return { outcome: taken.published > 0 ? 'published' : taken.duplicates > 0 ? 'duplicate' : 'archived', cause: '', detail: '' }
    case 'refused':
    case 'failed': return { outcome: 'refused', cause: taken.fault.cause, detail: taken.fault.detail }
  }
}
