import { LiveMapping, type Connector, type ConnectorHealth, type DeviceClocks, type Feed, type KeptTable, type UnmappedSeen } from '../../../connectors/kit/index.ts'
import type { FeedConfiguration, FeedInfo } from '../../../dashboards/server/index.ts'
import type { LoadedFeed } from '../../config/index.ts'
import type { ArrivalTimeMs } from '../../../streams/time/index.ts'
import type { FeedIntake } from './feed-intake.ts'

/** A feed's connector, and what it was started from. */
export interface StartedFeed { readonly loaded: LoadedFeed, readonly feed: Feed, readonly connector: Connector }

export interface RunningFeedParts {
  readonly started: StartedFeed
  readonly mapping: LiveMapping
  readonly intake: FeedIntake
  /** Where unmapped codes are kept. */
  readonly kept: KeptTable<UnmappedSeen>
}

const CURRENT: FeedConfiguration = { state: 'current', faults: [] }
const UNMAPPED_SHOWN = 200

/** One feed: its connector, its mapping, what is counted of it, and how its files stand. What is counted outlives a connector that is started again with other options. */
export class RunningFeed implements Connector {
  readonly name: string
  readonly #mapping: LiveMapping
  readonly #intake: FeedIntake
  readonly #kept: KeptTable<UnmappedSeen>
  #started: StartedFeed
  /** Present while no connector runs. */
  #down: ConnectorHealth | undefined
  #configuration: FeedConfiguration = CURRENT
  #keeping: Promise<unknown> = Promise.resolve()

  constructor ({ started, mapping, intake, kept }: RunningFeedParts) {
    this.name = started.loaded.name
    this.#started = started
    this.#mapping = mapping
    this.#intake = intake
    this.#kept = kept
  }

  /** What it was last started from, with its newest mapping. */
  get loaded (): LoadedFeed { return this.#started.loaded }
  get feed (): Feed { return this.#started.feed }
  get kind (): string { return this.loaded.kind.kind }
  get endpoint (): string { return this.#started.connector.endpoint }
  get intake (): FeedIntake { return this.#intake }
  get mapping (): LiveMapping { return this.#mapping }
  get counters (): ReadonlyMap<string, number> { return this.#intake.counters }
  get configuration (): FeedConfiguration { return this.#configuration }

  /** The connector's own, with a word on files that were refused while it runs on. */
  health (): ConnectorHealth {
    const health = this.#down ?? this.#started.connector.health()
    return health.why === '' && this.#configuration.faults[0] !== undefined ? { ...health, why: this.#configuration.faults[0] } : health
  }

  /** undefined: its devices, if it has any, have no clocks of their own. */
  clocks (): DeviceClocks | undefined { return this.#started.connector.clocks?.() }

  /** Whether its connector runs with these options. */
  runs (loaded: LoadedFeed): boolean { return this.#down === undefined && loaded.optionsText === this.loaded.optionsText }

  /** Takes over a newer mapping. */
  replace (loaded: LoadedFeed): void {
    this.#started = { ...this.#started, loaded }
    this.#mapping.replace(loaded.mapping)
    this.#configuration = CURRENT
  }

  /** Ends its connector: what that has received is taken, nothing new. */
  async halt (since: ArrivalTimeMs): Promise<void> {
    if (this.#down !== undefined) return
    this.#down = { state: 'waiting', since, why: 'the connector is being started again' }
    await this.#started.connector[Symbol.asyncDispose]()
  }

  begin (started: StartedFeed): void {
    this.#started = started
    this.#down = undefined
    this.replace(started.loaded)
  }

  failed (since: ArrivalTimeMs, why: string): void { this.#down = { state: 'failed', since, why } }

  accepted (): void { this.#configuration = CURRENT }
  refused (faults: readonly string[]): void { this.#configuration = { state: 'refused', faults } }

  /** Unmapped codes outlive the process. One writer at a time. */
  keep (): Promise<unknown> {
    this.#keeping = this.#keeping.catch(() => {}).then(() => Promise.all(this.#mapping.takeChanges().map(([key, seen]) => this.#kept.save(key, seen))))
    return this.#keeping
  }

  info (): FeedInfo {
    const { site, zone, codes } = this.#mapping.current
    const counters = this.counters
    const of = (what: string): number => counters.get(what) ?? 0
    const seen = this.#mapping.seen
    return {
      name: this.name, connector: this.kind, endpoint: this.endpoint, site, zone, health: this.health(), configuration: this.#configuration, codes: codes.size,
      counts: { published: of('published'), duplicates: of('duplicate'), refused: [...counters].reduce((sum, [what, n]) => what.startsWith('refused-') ? sum + n : sum, 0), archived: of('archived'), codesIgnored: of('codes-ignored') },
      clocks: this.clocks() ?? null,
      unmapped: seen.slice(0, UNMAPPED_SHOWN), others: this.#mapping.others + seen.slice(UNMAPPED_SHOWN).reduce((sum, { count }) => sum + count, 0),
    }
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    if (this.#down === undefined) await this.#started.connector[Symbol.asyncDispose]()
    await this.keep()
  }
}
