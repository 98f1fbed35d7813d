import { viewKey } from '../../../features/define/index.ts'
import { featuresProcessorName } from '../../../features/processor.ts'
import type { Generation } from '../../../features/published/index.ts'
import { TOPICS } from '../../../streams/events/index.ts'
import type { Log } from '../../../streams/log/index.ts'
import type { Clock, DurationMs } from '../../../streams/time/index.ts'
import { appendViewRecords, type ViewSet } from './view-set.ts'

const LOOK_EVERY_MS: DurationMs = 1_000

export interface ViewBuildsOptions { readonly log: Log, readonly set: ViewSet, readonly clock: Clock, readonly say: (line: string) => void, readonly onFailure: (cause: unknown) => void }

/**
 * Watches generations that build their state from the log. One has caught up when it has committed all that was in the log a second ago; then it is
 * written down, and bare names mean its views from now on. Any instance may find that out: the word is the same.
 */
export class ViewBuilds implements Disposable {
  readonly #options: ViewBuildsOptions
  readonly #ends = new Map<number, readonly number[]>()
  #building: readonly Generation[]
  #looking: Promise<void> | undefined
  readonly #stop: () => void

  constructor (options: ViewBuildsOptions) {
    this.#options = options
    this.#building = options.set.generations.filter(({ running }) => running.some(view => !options.set.aliases.isLive(view)))
    this.#stop = options.clock.every(LOOK_EVERY_MS, () => { void this.look() })
  }

  /** Generations that have not caught up. */
  get building (): readonly number[] { return this.#building.map(({ number }) => number) }

  /** One look; the next comes by itself. */
  look (): Promise<void> {
    if (this.#building.length === 0) return Promise.resolve()
    this.#looking ??= this.#look().catch(e => { this.#options.onFailure(e) }).finally(() => { this.#looking = undefined })
    return this.#looking
  }

  [Symbol.dispose] (): void { this.#stop() }

  async #look (): Promise<void> {
    for (const generation of this.#building) if (await this.#hasCaughtUp(generation.number)) await this.#promote(generation)
  }

  async #hasCaughtUp (number: number): Promise<boolean> {
    const { log } = this.#options
    const before = this.#ends.get(number)
    const partitions = Array.from({ length: log.partitionsOf(TOPICS.events) }, (_, partition) => ({ topic: TOPICS.events, partition }))
    const ranges = await Promise.all(partitions.map(of => log.range(of)))
    this.#ends.set(number, ranges.map(({ end }) => end))
    if (before === undefined) return false
    const committed = await Promise.all(partitions.map(of => log.committedOffset(featuresProcessorName(number), of)))
    return before.every((end, i) => (committed[i] ?? ranges[i]!.start) >= end)
  }

  async #promote (generation: Generation): Promise<void> {
    const { log, set, say } = this.#options
    const views = generation.running.filter(view => !set.aliases.isLive(view))
    await appendViewRecords(log, views.map(({ name, version }) => ({ kind: 'live', view: name, version })))
    this.#building = this.#building.filter(g => g !== generation)
    set.aliases.promote(views)
    for (const view of views) say(`view ${viewKey(view)} has caught up, and is served as ${view.name}`)
  }
}
