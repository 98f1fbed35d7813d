import assert from 'node:assert/strict'
import { systemClock, type DurationMs } from '../../streams/time/index.ts'
import { PLAIN_MAPPING, type Connector } from '../kit/index.ts'
import { fastClock } from './fast-clock.ts'
import type { ConformanceHarness, Counterparty } from './harness.ts'
import { eventTimeOf, told } from './told.ts'
import { World, type Life, type LifePlan } from './world.ts'

/** One rule that every connector keeps. */
export interface ConformanceCheck {
  /** A sentence: `loses nothing and takes nothing twice when it is killed at any effect`. */
  readonly name: string
  run (): Promise<void>
}

const CLOCK_FACTOR = 100
const WITHIN_MS: DurationMs = 20_000
const LOOK_EVERY_MS: DurationMs = 2
/** How long nothing may happen before it counts as nothing happening. */
const QUIET_MS: DurationMs = 150
/** How long a killed connector may take to let go of its sockets. */
const KILL_MS: DurationMs = 40

/** What a connector must do whatever happens around it. Each check opens a world of its own; failures are AssertionErrors that say what was lost, or came twice. */
export function conformanceChecks<Options> (harness: ConformanceHarness<Options>): readonly ConformanceCheck[] {
  const check = (name: string, run: (trial: Trial<Options>) => Promise<void>): ConformanceCheck => ({ name, run: () => plainly(async () => { await using trial = await Trial.open(harness); await run(trial) }) })
  return [
    check('takes every message once', takesEveryMessage),
    check('keeps the order of each patient', keepsOrder),
    check('takes a message that comes again once', takesAgainOnce),
    { name: 'loses nothing and takes nothing twice when it is killed at any effect', run: () => plainly(() => survivesEveryCrash(harness)) },
    check('acknowledges nothing before the log has it', acknowledgesLast),
    check('holds back what it reads while the log is slow', holdsBack),
    check('waits while the log is away, and goes on when it is back', outlivesTheLog),
    check('makes a dead letter of what can never be taken, and goes on', passesPoison),
    check('ends while it is busy, and goes on after a start', endsWhileBusy),
  ]
}

/** A world, a counterparty and the connector between them. */
class Trial<Options> implements AsyncDisposable {
  readonly world: World
  readonly harness: ConformanceHarness<Options>
  readonly counterparty: Counterparty<Options>
  readonly #clock = fastClock(CLOCK_FACTOR)
  #connector: Connector | undefined
  #life: Life | undefined
  #release: (() => void) | undefined
  #closed = false

  private constructor (harness: ConformanceHarness<Options>, counterparty: Counterparty<Options>) {
    this.harness = harness
    this.counterparty = counterparty
    this.world = new World(this.#clock)
  }

  static async open<O> (harness: ConformanceHarness<O>): Promise<Trial<O>> { return new Trial(harness, await harness.open()) }

  async start (plan: LifePlan = {}): Promise<Life> {
    const { kind, mapping = PLAIN_MAPPING } = this.harness
    const options = this.counterparty.options()
    const life = this.#life = this.world.life(kind, options, mapping, plan)
    const connector: Partial<Connector> | undefined = await kind.start(life.context, options)
    for (const member of ['endpoint', 'health', Symbol.asyncDispose] as const) assert.ok(connector?.[member] !== undefined, `what "start" answers is a connector: it has no ${member === Symbol.asyncDispose ? '[Symbol.asyncDispose]' : member}`)
    this.#connector = connector as Connector
    this.counterparty.connected?.(this.#connector.endpoint)
    return life
  }

  /** The log takes nothing until what this answers is called, or the trial ends. */
  hold (): () => void {
    let resolve!: () => void
    this.world.hold = new Promise<void>(done => { resolve = done })
    return this.#release = () => { this.world.hold = undefined; resolve() }
  }

  /** As an operator does: what was received is answered before the other side sees it go. */
  async stop (): Promise<void> {
    await this.#dispose()
    this.counterparty.disconnected?.()
  }

  async #dispose (): Promise<void> {
    const connector = this.#connector
    this.#connector = undefined
    if (connector === undefined) return
    assert.ok(await within(WITHIN_MS, connector[Symbol.asyncDispose]()), `it has not ended ${WITHIN_MS / 1_000} s after it was told to`)
  }

  /** As a killed process: nothing that it still does has an effect. */
  async kill (life: Life): Promise<void> {
    life.kill()
    this.counterparty.disconnected?.()
    // A dead life's promises never settle; its sockets and timers must go all the same.
    await within(KILL_MS, this.#dispose().catch(() => {}))
  }

  /** Message `n` of each of `patients` invented patients, patients in turn. */
  messages (patients: number, each: number): readonly Buffer[] {
    return Array.from({ length: patients * each }, (_, i) => this.harness.message(`P${i % patients}`, Math.floor(i / patients)))
  }

  until (what: string, holds: () => boolean): Promise<void> { return until(() => `${what} (${this.world.published.length} published, ${this.world.refused.length} refused, ${this.delivered()} delivered)`, () => this.#closed || holds()) }

  delivered (): number { return this.counterparty.delivered(table => this.world.rowsOf(table)) }

  /** Everything is on the log, once. */
  complete (messages: number, when = ''): void { assert.ok(this.world.published.length === messages, when + told(this.world.published, messages)) }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#closed = true
    this.#release?.()
    try {
      if (this.#life?.isDead === true) await within(KILL_MS, this.stop().catch(() => {}))
      else await this.stop()
    } finally {
      await this.counterparty[Symbol.asyncDispose]()
    }
  }
}

async function takesEveryMessage (trial: Trial<unknown>): Promise<void> {
  await trial.start()
  trial.counterparty.offer(trial.messages(5, 6))
  await trial.until('all delivered', () => trial.delivered() === 30)
  trial.complete(30)
  assert.ok(trial.world.refused.length === 0, `a good message is refused: ${trial.world.refused[0]?.cause} (${trial.world.refused[0]?.detail})`)
}

async function keepsOrder (trial: Trial<unknown>): Promise<void> {
  if (trial.harness.ordered === false) return
  await trial.start()
  trial.counterparty.offer(trial.messages(3, 12))
  await trial.until('all delivered', () => trial.delivered() === 36)
  trial.complete(36)
  for (const patient of new Set(trial.world.published.map(m => m.patient.id))) {
    const times = trial.world.published.filter(m => m.patient.id === patient).map(eventTimeOf)
    assert.deepEqual(times, times.toSorted((a, b) => a - b), 'a patient\'s messages in the order in which they were offered')
  }
}

async function takesAgainOnce (trial: Trial<unknown>): Promise<void> {
  await trial.start()
  const messages = trial.messages(3, 3)
  trial.counterparty.offer(messages)
  await trial.until('all delivered', () => trial.delivered() === 9)
  trial.counterparty.offer(messages)
  await trial.until('all delivered again', () => trial.delivered() === 18)
  trial.complete(9)
}

/** What a life is offered that is cut off, beside the poison. */
const OFFERED = 4

/**
 * A calm life is counted first; then one life for each of its effects is cut off before it, and one after it. Messages that are on their way together
 * reach the log together: so there are lives, too, in which it has taken some of them and no more.
 */
async function survivesEveryCrash<Options> (harness: ConformanceHarness<Options>): Promise<void> {
  const effects = await lifeOf(harness, {})
  for (let crashAt = 1; crashAt <= effects; crashAt++) for (const afterEffect of [false, true]) await lifeOf(harness, { crashAt, afterEffect })
  for (let takes = 1; takes < OFFERED; takes++) await lifeOf(harness, { takes })
}

async function lifeOf<Options> (harness: ConformanceHarness<Options>, plan: LifePlan): Promise<number> {
  await using trial = await Trial.open(harness)
  const life = await trial.start(plan)
  const messages = trial.messages(2, 2)
  trial.counterparty.offer([...messages.slice(0, 2), harness.poison, ...messages.slice(2)])
  const all = (): boolean => trial.delivered() === 5
  const at = plan.takes !== undefined ? `when the log had ${plan.takes}` : plan.crashAt === undefined ? 'calm' : `${plan.afterEffect === true ? 'after' : 'before'} effect ${plan.crashAt}`
  if (plan.takes === undefined) await Promise.race([life.crashed, trial.until(`delivered, killed ${at}`, all)])
  else {
    await trial.until(`on the log, killed ${at}`, () => trial.world.published.length === plan.takes)
    await systemClock.sleep(QUIET_MS)
  }
  if (plan.takes !== undefined || life.isDead || !all()) {
    await trial.kill(life)
    // Each good message that the other side regards as delivered is on the log (the poison may be among the delivered).
    assert.ok(trial.world.published.length + trial.world.refused.length >= trial.delivered(), `killed ${at}: something acknowledged is lost: ${trial.delivered()} acknowledged, ${trial.world.published.length} on the log, ${trial.world.refused.length} dead letters`)
    await trial.start()
    await trial.until(`delivered after a kill ${at}`, all)
  }
  trial.complete(OFFERED, `killed ${at}: `)
  assert.ok(trial.world.refused.length === 1, `killed ${at}: what was refused is kept, once: there are ${trial.world.refused.length} dead letters`)
  return life.effects
}

async function acknowledgesLast (trial: Trial<unknown>): Promise<void> {
  const release = trial.hold()
  await trial.start()
  trial.counterparty.offer(trial.messages(2, 2))
  await trial.until('the first is being published', () => trial.world.publishing > 0)
  await systemClock.sleep(QUIET_MS)
  assert.equal(trial.delivered(), 0, 'nothing is acknowledged while the log has nothing')
  release()
  await trial.until('all delivered', () => trial.delivered() === 4)
  trial.complete(4)
}

async function holdsBack (trial: Trial<unknown>): Promise<void> {
  const release = trial.hold()
  const max = trial.harness.inFlightMax ?? 64
  await trial.start()
  const all = 10 * Math.ceil(max / 10) * 4
  trial.counterparty.offer(trial.messages(10, all / 10))
  await trial.until('some are being published', () => trial.world.publishing > 0)
  await systemClock.sleep(QUIET_MS)
  assert.ok(trial.world.publishingMax <= max, `${trial.world.publishingMax} messages on their way at once, of at most ${max}`)
  assert.ok((trial.counterparty.handedOut?.() ?? 0) < all, `all ${all} messages were read while the log took none`)
  release()
  await trial.until('all delivered', () => trial.delivered() === all)
  trial.complete(all)
}

async function outlivesTheLog (trial: Trial<unknown>): Promise<void> {
  trial.world.away = true
  await trial.start()
  trial.counterparty.offer([...trial.messages(3, 4), trial.harness.poison])
  await systemClock.sleep(QUIET_MS)
  assert.equal(trial.delivered(), 0, 'nothing is acknowledged while the log is away, nor what is refused')
  await trial.stop()
  assert.equal(trial.delivered(), 0, 'nothing is acknowledged when it ends while the log is away')
  await trial.start()
  await systemClock.sleep(QUIET_MS)
  trial.world.away = false
  await trial.until('all delivered', () => trial.delivered() === 13)
  trial.complete(12)
  assert.ok(trial.world.refused.length === 1, `of the bad message there is one dead letter, not ${trial.world.refused.length}`)
}

async function passesPoison (trial: Trial<unknown>): Promise<void> {
  await trial.start()
  const [first, second] = trial.messages(1, 2) as [Buffer, Buffer]
  trial.counterparty.offer([first, trial.harness.poison, second])
  await trial.until('all delivered', () => trial.delivered() === 3)
  trial.complete(2)
  assert.ok(trial.world.refused.length === 1, `of the bad message there is one dead letter, not ${trial.world.refused.length}`)
  assert.ok(trial.world.refused[0]!.raw.length > 0, 'a dead letter has its bytes')
  assert.equal(trial.world.refused[0]!.feed, 'feed', 'a dead letter names its feed')
}

async function endsWhileBusy (trial: Trial<unknown>): Promise<void> {
  await trial.start()
  trial.counterparty.offer(trial.messages(4, 10))
  await trial.until('some are on the log', () => trial.world.published.length >= 5)
  await trial.stop()
  const ended = trial.world.published.length
  assert.ok(ended >= trial.delivered(), `what was acknowledged is on the log: ${trial.delivered()} acknowledged, ${ended} there`)
  await systemClock.sleep(QUIET_MS)
  assert.ok(trial.world.published.length === ended, `it took ${trial.world.published.length - ended} more messages after it had ended`)
  await trial.start()
  await trial.until('all delivered', () => trial.delivered() === 40)
  trial.complete(40)
}

/** Runs a rule. Where it fails and its end fails as well, the rule's own failure is told. */
async function plainly (run: () => Promise<void>): Promise<void> {
  try { await run() } catch (e) {
    let origin = e
    while (origin instanceof Error && origin.name === 'SuppressedError' && 'suppressed' in origin) origin = origin.suppressed
    throw origin
  }
}

/** Whether the work was done within that time. */
async function within (ms: DurationMs, work: PromiseLike<void>): Promise<boolean> {
  const done = new AbortController()
  try {
    return await Promise.race([work.then(() => true), systemClock.sleep(ms, done.signal).then(() => false)])
  } finally {
    done.abort()
  }
}

async function until (what: () => string, holds: () => boolean): Promise<void> {
  const startedMs = systemClock.monotonicMs()
  while (!holds()) {
    if (systemClock.monotonicMs() - startedMs > WITHIN_MS) assert.fail(`not within ${WITHIN_MS / 1_000} s: ${what()}`)
    await systemClock.sleep(LOOK_EVERY_MS)
  }
}
