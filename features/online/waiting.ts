import { isLatidoError, LatidoError } from '../../streams/errors/index.ts'
import type { Clock, DurationMs } from '../../streams/time/index.ts'
import type { OnlineRow, OnlineStore, StoredRow } from './port.ts'

/** What time mends: somebody starts the server, moves the name to the new primary, makes room. */
const WAITED_FOR: ReadonlySet<string> = new Set(['ONLINE_UNAVAILABLE', 'ONLINE_READ_ONLY', 'ONLINE_FULL'])
const PAUSE_MS_MIN: DurationMs = 100
const PAUSE_MS_MAX: DurationMs = 2_000

export interface WaitingOptions {
  readonly clock: Clock
  /** Once for each change; `failure` says why it is away. */
  readonly onChange: (state: 'on' | 'away', failure: LatidoError | undefined) => void
  readonly onRetry?: () => void
}

/** A store whose writes wait while it is away. */
export interface WaitingStore extends OnlineStore {
  readonly state: 'on' | 'away'
  /** Writes that wait fail now: the process is to stop. What they carried is not committed, and comes again. */
  giveUp (): void
}

/**
 * The processors' side of a store that may go away: a write is said again until it is taken, so a batch is neither lost nor committed without its rows.
 * Meanwhile its processor stands still and the log keeps what comes; nothing piles up here. Reads fail at once.
 */
export function waitingOnlineStore (store: OnlineStore, options: WaitingOptions): WaitingStore { return new Waiting(store, options) }

class Waiting implements WaitingStore {
  state: 'on' | 'away' = 'on'
  readonly #store: OnlineStore
  readonly #options: WaitingOptions
  readonly #over = new AbortController()

  constructor (store: OnlineStore, options: WaitingOptions) {
    this.#store = store
    this.#options = options
  }

  async put (rows: readonly OnlineRow[]): Promise<void> {
    for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(PAUSE_MS_MAX, pauseMs * 2)) {
      try {
        await this.#store.put(rows)
        if (rows.length > 0) this.#became('on', undefined)
        return
      } catch (e) {
        if (!isLatidoError(e) || !WAITED_FOR.has(e.code) || this.#over.signal.aborted) throw e
        this.#became('away', e)
        this.#options.onRetry?.()
        await this.#options.clock.sleep(pauseMs, this.#over.signal)
      }
    }
  }

  get (tables: readonly string[], entities: readonly string[]): Promise<readonly (readonly (StoredRow | undefined)[])[]> { return this.#store.get(tables, entities) }
  scan (table: string): Promise<readonly StoredRow[]> { return this.#store.scan(table) }
  erase (entity: string): Promise<void> { return this.#store.erase(entity) }
  giveUp (): void { this.#over.abort() }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.giveUp()
    await this.#store[Symbol.asyncDispose]()
  }

  #became (state: 'on' | 'away', failure: LatidoError | undefined): void {
    if (this.state === state) return
    this.state = state
    this.#options.onChange(state, failure)
  }
}
