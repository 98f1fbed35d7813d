import { setMaxListeners } from 'node:events'
import { isLatidoError } from '../../streams/errors/index.ts'
import type { Clock, DurationMs } from '../../streams/time/index.ts'
import type { KeptTable } from './connector-kind.ts'
import type { Feed } from './feed.ts'
import type { Connector, ConnectorHealth } from './port.ts'
import type { Source, SourceMessage } from './source.ts'
import { Standing } from './standing.ts'
import { systemCode } from './system-code.ts'

/** Every limit of a source that is read. */
export interface SourceLimits {
  /** Between the end of one reading and the next, where the source ended by itself. */
  readonly pollEveryMs: DurationMs
  /** After a failure: the first pause, doubled each time up to the last. */
  readonly pauseMsMin: DurationMs
  readonly pauseMsMax: DurationMs
  /** Messages that are on their way to the log together; a patient's stay in order. */
  readonly inFlightMax: number
  /** Tries for a message that fails in the mapper or outside the log; then it is a dead letter and the next one comes. */
  readonly attemptsMax: number
}

export const SOURCE_LIMITS: SourceLimits = { pollEveryMs: 10_000, pauseMsMin: 1_000, pauseMsMax: 60_000, inFlightMax: 16, attemptsMax: 3 }

export interface RunSourceOptions {
  readonly feed: Pick<Feed, 'name' | 'take' | 'fail' | 'count'>
  readonly clock: Clock
  /** Where the position is kept; of this source alone. */
  readonly positions: KeptTable<string>
  readonly limits?: Partial<SourceLimits>
  /** Hears of changes of state. */
  readonly say?: (line: string) => void
  /** In [0, 1): spreads the pauses. */
  readonly random?: () => number
}

const POSITION = 'position'

/**
 * Reads a source for ever: a message is acknowledged, and its position kept, when the log has it. Positions move in order, so after a crash the
 * source goes on at the first message that was not yet taken, and what it yields again is known as a duplicate. A source that fails is asked again
 * after a pause that grows; while the log is away the same messages wait, and nothing more is read. Disposing stops reading and waits for what is on its way.
 */
export function runSource (source: Source, options: RunSourceOptions): Connector { return new SourceRunner(source, options) }

class SourceRunner implements Connector {
  readonly name: string
  readonly endpoint: string
  readonly #source: Source
  readonly #options: RunSourceOptions
  readonly #limits: SourceLimits
  readonly #stop = new AbortController()
  /** Turns of the messages that are on their way, oldest first. */
  readonly #inFlight: Promise<void>[] = []
  #tail: Promise<void> = Promise.resolve()
  readonly #ended: Promise<void>
  readonly #standing: Standing
  #position: string | undefined
  #saving: Promise<void> = Promise.resolve()
  #savePending = false
  #failures = 0
  #givenUp = false

  constructor (source: Source, options: RunSourceOptions) {
    this.name = options.feed.name
    this.endpoint = source.endpoint
    this.#source = source
    this.#options = options
    this.#limits = { ...SOURCE_LIMITS, ...options.limits }
    const { clock, say, random } = options
    this.#standing = new Standing({ clock, say, random, name: this.name, doing: `reading ${this.endpoint}`, initially: { state: 'waiting', why: 'not connected yet' }, ...this.#limits })
    setMaxListeners(this.#limits.inFlightMax + 10, this.#stop.signal) // each message on its way may wait on it
    for (const [key, position] of options.positions.load()) if (key === POSITION) this.#position = position
    this.#ended = this.#run()
  }

  health (): ConnectorHealth { return this.#standing.health }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#stop.abort()
    await this.#ended
  }

  async #run (): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        await this.#readOnce()
        this.#standing.up()
        this.#failures = 0
        if (!signal.aborted) await clock.sleep(this.#limits.pollEveryMs, signal)
      } catch (e) {
        if (signal.aborted) break
        this.#failures++
        this.#options.feed.count('source-failures')
        this.#standing.waiting(isLatidoError(e) ? e.message : wordsOf(systemCode(e)))
        await clock.sleep(this.#standing.pauseMs(this.#failures), signal)
      }
    }
    await this.#tail
    await this.#saving.catch(() => {})
  }

  async #readOnce (): Promise<void> {
    const { clock } = this.#options
    try {
      for await (const message of this.#source.read({ position: this.#position, clock, signal: this.#stop.signal })) {
        if (this.#stop.signal.aborted) return
        this.#standing.up()
        this.#failures = 0
        while (this.#inFlight.length >= this.#limits.inFlightMax) await this.#inFlight[0]
        this.#start(message)
      }
    } finally {
      await this.#tail // before the source is asked anew from the position behind it
    }
  }

  /** Its turn comes when it is in the log and all before it had theirs: so positions move in order. */
  #start (message: SourceMessage): void {
    const before = this.#tail
    const turn = Promise.all([this.#take(message, before), before]).then(async ([isTaken]) => {
      if (isTaken && !this.#givenUp) {
        if (message.position !== undefined) this.#keep(message.position)
        await message.acknowledge?.().catch(() => { this.#options.feed.count('acknowledge-failed') }) // it comes again, and is known
      } else this.#givenUp = true // nothing behind it may move the position
      this.#inFlight.shift()
    })
    this.#inFlight.push(turn)
    this.#tail = turn
  }

  /** Tries until the log has it; again only when all before it have had their turns, so that they stay in order. False only at a stop. */
  async #take (message: SourceMessage, before: Promise<void>): Promise<boolean> {
    const { feed, clock } = this.#options
    const { signal } = this.#stop
    for (let attempt = 1; ; attempt++) {
      try {
        await feed.take(message.raw)
        return true
      } catch (e) {
        if (signal.aborted) return false
        if (!isLatidoError(e) && attempt >= this.#limits.attemptsMax && await this.#giveUp(message, attempt)) return true
        feed.count('log-away')
        this.#standing.waiting('the log does not take messages')
        await clock.sleep(this.#standing.pauseMs(attempt), signal)
        await before
        if (signal.aborted) return false
      }
    }
  }

  /** False where the log does not take the dead letter either. */
  async #giveUp (message: SourceMessage, attempts: number): Promise<boolean> {
    return await this.#options.feed.fail(message.raw, `failed ${attempts} times`).then(() => true, () => false)
  }

  /** The newest position reaches the disk soon; an older one there only means that messages come again. */
  #keep (position: string): void {
    this.#position = position
    if (this.#savePending) return
    this.#savePending = true
    this.#saving = this.#saving.then(() => {
      this.#savePending = false
      return this.#options.positions.save(POSITION, this.#position)
    }).catch(() => { this.#options.feed.count('position-not-kept') })
  }
}

function wordsOf (code: string | undefined): string { return code === undefined ? 'the connection failed' : `the connection failed (${code})` }
