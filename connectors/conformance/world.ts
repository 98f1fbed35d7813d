import { LatidoError } from '../../streams/errors/index.ts'
import type { ArrivalTimeMs, Clock } from '../../streams/time/index.ts'
import { Feed, fixedMapping, type ConnectorContext, type ConnectorKind, type FeedMapping, type InboundMessage, type Intake, type KeptTable, type PublishOutcome, type RefusedInput, type SecretRef } from '../kit/index.ts'

/** What a crash may fall on either side of: everything that outlives the process. */
export type Effect = 'publish' | 'refuse' | 'archive' | 'save'

/** A plan for one life of the connector. */
export interface LifePlan {
  /** The life ends at this effect, counted from 1; absent: it does not end by itself. */
  readonly crashAt?: number
  /** Whether that effect was still done. */
  readonly afterEffect?: boolean
  /** The log takes so many messages in this life; those behind them wait. */
  readonly takes?: number
}

/**
 * A log, its duplicates, dead letters and tables, in memory: they outlive the lives of a connector, each of which may be cut off at any effect. What a
 * dead life still says reaches nobody, as with a killed process.
 */
export class World {
  readonly published: InboundMessage[] = []
  readonly refused: RefusedInput[] = []
  archived = 0
  /** Publishing, refusing and archiving fail as they do when the log is away. */
  away = false
  /** Publishing waits for it. */
  hold: Promise<void> | undefined
  /** Messages that are being published now, and the most that ever were. */
  publishing = 0
  publishingMax = 0
  readonly #seen = new Map<string, string>()
  readonly #kept = new Set<string>()
  readonly #tables = new Map<string, Map<string, unknown>>()
  readonly #clock: Clock

  constructor (clock: Clock) { this.#clock = clock }

  /** Begins a life: what a connector of `kind` is started with, and the end of it. */
  life<Options> (kind: ConnectorKind<Options>, options: Options, mapping: FeedMapping, plan: LifePlan = {}): Life {
    const life = new Life(this, this.#clock, plan)
    const feed = new Feed({ name: 'feed', kind: kind.kind, intake: life.intake, mapping: fixedMapping(mapping), map: kind.mapper(options) })
    life.context = { feed, clock: this.#clock, table: name => life.table(name), secret: secretOf, say: () => {} }
    return life
  }

  /** Whether it is new; it is known from now on. */
  add (message: InboundMessage): PublishOutcome {
    const identity = `${message.source}|${message.messageId}`
    const content = message.content.toString('latin1')
    if (this.#seen.get(identity) === content) return { kind: 'duplicate' }
    this.#seen.set(identity, content)
    this.published.push(message)
    return { kind: 'published', arrival: this.#clock.now() }
  }

  /** As an intake does: the same bytes refused for the same cause are one dead letter. */
  refuse (refused: RefusedInput): void {
    const identity = `${refused.source}|${refused.cause}|${refused.raw.toString('latin1')}`
    if (this.#kept.has(identity)) return
    this.#kept.add(identity)
    this.refused.push(refused)
  }

  rowsOf (name: string): Map<string, unknown> {
    let rows = this.#tables.get(name)
    if (rows === undefined) this.#tables.set(name, rows = new Map<string, unknown>())
    return rows
  }
}

/** One life of a connector in a world. */
export class Life {
  readonly intake: Intake
  context!: ConnectorContext
  effects = 0
  /** Resolves when the life was cut off. */
  readonly crashed: Promise<void>
  readonly #world: World
  readonly #plan: LifePlan
  #dead = false
  #taken = 0
  #die!: () => void

  constructor (world: World, clock: Clock, plan: LifePlan) {
    this.#world = world
    this.#plan = plan
    this.crashed = new Promise(resolve => { this.#die = resolve })
    this.intake = {
      publish: message => this.#publish(message),
      refuse: async refused => { this.#needsLog(); await this.#effect(() => { world.refuse(refused) }) },
      archive: async () => { this.#needsLog(); await this.#effect(() => { world.archived++ }) },
      patientInBed: () => undefined,
      now: (): ArrivalTimeMs => clock.now(),
      count: () => {},
    }
  }

  get isDead (): boolean { return this.#dead }

  /** Cuts the life off now: nothing it does has an effect any more. */
  kill (): void { this.#dead = true; this.#die() }

  table<T> (name: string): KeptTable<T> {
    const rows = this.#world.rowsOf(name)
    return {
      load: () => [...rows].map(([key, value]) => [key, structuredClone(value) as T] as const),
      save: (key, value) => this.#effect(() => { if (value === undefined) rows.delete(key); else rows.set(key, structuredClone(value)) }),
    }
  }

  async #publish (message: InboundMessage): Promise<PublishOutcome> {
    const world = this.#world
    world.publishing++
    world.publishingMax = Math.max(world.publishingMax, world.publishing)
    try {
      await world.hold
      this.#needsLog()
      if (this.#taken === this.#plan.takes) return await never()
      let outcome: PublishOutcome = { kind: 'duplicate' }
      await this.#effect(() => { outcome = world.add(message); if (outcome.kind === 'published') this.#taken++ }) // what comes twice takes no place
      return outcome
    } finally {
      world.publishing--
    }
  }

  #needsLog (): void { if (this.#world.away && !this.#dead) throw new LatidoError('LOG_WRITE_FAILED', 'the log is away', 'start it') }

  /** Does it and resolves; or cuts the life off before or after it, and never does. */
  async #effect (run: () => void): Promise<void> {
    if (this.#dead) return await never()
    const last = ++this.effects === this.#plan.crashAt
    if (!last || this.#plan.afterEffect === true) run()
    if (last) { this.kill(); return await never() }
  }
}

function never (): Promise<never> { return new Promise(() => {}) }

/** In a world a secret is its own name. */
function secretOf (ref: SecretRef): string { return 'file' in ref ? ref.file : ref.env }
