import type { DeadLetter, Disposition, RefusalCause } from '../../../streams/events/index.ts'

/** A letter without its bytes, and what was done with it. */
export interface BookedLetter extends Omit<DeadLetter, 'raw' | 'offset'> {
  /** Of the letter on its topic. */
  readonly at: number
  /** Where the engine met it, else -1. */
  readonly position: number
  readonly bytes: number
  readonly attempts: number
  readonly last: Disposition | undefined
}

export type LetterState = 'open' | 'retried' | 'dropped'
export interface LetterWish { readonly cause?: string | undefined, readonly feed?: string | undefined, readonly state?: LetterState | 'all' | undefined }

/** Some hundred bytes each. */
const LETTERS_MAX = 50_000

/** Dead letters and what was done with them, folded from their topic: an index in bounded memory; the bytes stay on the log. */
export class DeadLetterBook {
  readonly #letters = new Map<number, BookedLetter>()
  readonly #byCause = new Map<RefusalCause, number>()
  readonly #lettersMax: number
  #total = 0
  #open = 0

  constructor (lettersMax: number = LETTERS_MAX) { this.#lettersMax = lettersMax }

  /** Letters that were read, whatever was done with them. */
  get total (): number { return this.#total }
  get byCause (): ReadonlyMap<RefusalCause, number> { return this.#byCause }
  /** Of those in the index. */
  get open (): number { return this.#open }

  addLetter (at: number, letter: DeadLetter): void {
    const { raw, offset, ...rest } = letter
    this.#total++
    this.#byCause.set(letter.cause, (this.#byCause.get(letter.cause) ?? 0) + 1)
    this.#letters.set(at, { ...rest, at, position: offset, bytes: raw.length, attempts: 0, last: undefined })
    this.#open++
    const oldest = this.#letters.keys().next()
    if (this.#letters.size > this.#lettersMax && oldest.done !== true) this.#forget(oldest.value)
  }

  /** The first that closes a letter stands: a later one says only that two had the same idea. */
  addDisposition (disposition: Disposition): void {
    const letter = this.#letters.get(disposition.letter)
    if (letter === undefined || stateOf(letter) !== 'open') return
    const next: BookedLetter = { ...letter, attempts: letter.attempts + (disposition.action === 'retried' ? 1 : 0), last: disposition }
    this.#letters.set(disposition.letter, next)
    if (stateOf(next) !== 'open') this.#open--
  }

  /** The log has deleted what stands before `start`. */
  trim (start: number): void {
    for (const at of this.#letters.keys()) {
      if (at >= start) return
      this.#forget(at)
    }
  }

  get (at: number): BookedLetter | undefined { return this.#letters.get(at) }

  /** Those that match, oldest first. */
  matching ({ cause, feed, state = 'open' }: LetterWish): readonly BookedLetter[] {
    return [...this.#letters.values()].filter(letter => (cause === undefined || letter.cause === cause) && (feed === undefined || letter.feed === feed) && (state === 'all' || stateOf(letter) === state))
  }

  /** Whatever was done with them; newest first. */
  newest (n: number): readonly BookedLetter[] { return [...this.#letters.values()].slice(-n).reverse() }

  #forget (at: number): void {
    const letter = this.#letters.get(at)
    if (letter !== undefined && stateOf(letter) === 'open') this.#open--
    this.#letters.delete(at)
  }
}

/** A letter that was refused again stays open. */
export function stateOf ({ last }: BookedLetter): LetterState {
  if (last === undefined || last.outcome === 'refused') return 'open'
  return last.action
}
