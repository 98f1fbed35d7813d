import { LiveMapping, type Connector, type ConnectorHealth, type DeviceClocks, type Feed, type KeptTable, type UnmappedSeen } from '../../../connectors/kit/index.ts'
import type { FeedConfiguration, FeedInfo } from '../../../dashboards/server/index.ts'
import type { LoadedFeed } from '../../config/index.ts'
import type { FeedIntake } from './feed-intake.ts'

export interface RunningFeedParts {
  readonly loaded: LoadedFeed
  readonly feed: Feed
  readonly connector: Connector
  readonly mapping: LiveMapping
  readonly intake: FeedIntake
  /** Where unmapped codes are kept. */
  readonly kept: KeptTable<UnmappedSeen>
}

const CURRENT: FeedConfiguration = { state: 'current', faults: [] }
const UNMAPPED_SHOWN = 200

/** One feed that runs: its connector, its mapping, what is counted of it, and how its files stand. */
export class RunningFeed implements Connector {
  readonly name: string
  readonly feed: Feed
  readonly #connector: Connector
  readonly #mapping: LiveMapping
  readonly #intake: FeedIntake
  readonly #kept: KeptTable<UnmappedSeen>
  readonly #optionsText: string
  readonly kind: string
  #configuration: FeedConfiguration = CURRENT
  #keeping: Promise<unknown> = Promise.resolve()

  constructor ({ loaded, feed, connector, mapping, intake, kept }: RunningFeedParts) {
    this.name = loaded.name
    this.kind = loaded.kind.kind
    this.feed = feed
    this.#optionsText = loaded.optionsText
    this.#connector = connector
    this.#mapping = mapping
    this.#intake = intake
    this.#kept = kept
  }

  get endpoint (): string { return this.#connector.endpoint }
  get mapping (): LiveMapping { return this.#mapping }
  get counters (): ReadonlyMap<string, number> { return this.#intake.counters }
  get configuration (): FeedConfiguration { return this.#configuration }

  /** The connector's own, with a word on files that were refused while it runs on. */
  health (): ConnectorHealth {
    const health = this.#connector.health()
    return health.why === '' && this.#configuration.faults[0] !== undefined ? { ...health, why: this.#configuration.faults[0] } : health
  }

  /** undefined: its devices, if it has any, have no clocks of their own. */
  clocks (): DeviceClocks | undefined { return this.#connector.clocks?.() }

  /** Takes over a newer mapping; options that have changed need a restart, which is said. */
  replace (loaded: LoadedFeed): void {
    this.#mapping.replace(loaded.mapping)
    this.#configuration = loaded.optionsText === this.#optionsText ? CURRENT : { state: 'restart', faults: [`${loaded.name}.json: its connector or options have changed; they take effect when Latido is started again`] }
  }

  accepted (): void { this.#configuration = CURRENT }
  refused (faults: readonly string[]): void { this.#configuration = { state: 'refused', faults } }
  gone (why: string): void { this.#configuration = { state: 'restart', faults: [why] } }

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
      counts: { published: of('published'), duplicates: of('duplicate'), refused: [...counters].reduce((sum, [what, n]) => what.startsWith('refused-') ? sum + n : sum, 0), archived: of('archived') },
      clocks: this.clocks() ?? null,
      unmapped: seen.slice(0, UNMAPPED_SHOWN), others: this.#mapping.others + seen.slice(UNMAPPED_SHOWN).reduce((sum, { count }) => sum + count, 0),
    }
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.#connector[Symbol.asyncDispose]()
    await this.keep()
  }
}
