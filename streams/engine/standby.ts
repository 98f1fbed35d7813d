import { createHash } from 'node:crypto'
import { isLatidoError } from '../errors/index.ts'
import { PoisonError } from './keyed-machine.ts'
import type { EngineOptions } from './options.ts'
import { PartitionTask } from './partition-task.ts'
import type { ProcessorHost } from './processor.ts'
import type { ProcessorDefinition } from './program.ts'

/** A copy that met something it cannot take is left alone for so long: by then its owner has stored what it did about it. */
const RETRY_MS = 10_000

interface Copy { readonly task: PartitionTask, committed: number }

/**
 * Warm copies of partitions that other instances own: restored from the snapshots, following the input up to what the owner has committed,
 * saying nothing. They go on in small slices between the turns of the loop. Who keeps which is drawn by hash, so that instances which know
 * nothing of each other spread their copies.
 */
export class Standbys {
  readonly #definition: ProcessorDefinition
  readonly #host: ProcessorHost
  readonly #options: EngineOptions
  readonly #instance: string
  readonly #copies = new Map<number, Copy>()
  readonly #retryAtMs = new Map<number, number>()
  #lookedMs = Number.NEGATIVE_INFINITY
  #turn = 0

  constructor (definition: ProcessorDefinition, host: ProcessorHost, options: EngineOptions, instance: string) {
    this.#definition = definition
    this.#host = host
    this.#options = options
    this.#instance = instance
  }

  get partitions (): readonly number[] { return [...this.#copies.keys()] }
  /** A copy has records waiting. */
  get behind (): boolean { return [...this.#copies.values()].some(c => c.task.position < c.committed) }

  /** One slice of work. */
  async advance (owned: ReadonlySet<number>): Promise<void> {
    const now = this.#host.clock.monotonicMs()
    const wanted = this.#wanted(owned)
    for (const partition of this.#copies.keys()) if (!wanted.includes(partition)) this.#copies.delete(partition)
    if (now - this.#lookedMs >= this.#options.standbyIntervalMs) {
      this.#lookedMs = now
      for (const partition of this.#copies.keys()) await this.#guarded(partition, () => this.#look(partition))
      const missing = wanted.find(p => !this.#copies.has(p) && now >= (this.#retryAtMs.get(p) ?? now))
      if (missing !== undefined) await this.#guarded(missing, () => this.#open(missing))
    }
    const behind = [...this.#copies].filter(([, c]) => c.task.position < c.committed)
    const next = behind[this.#turn++ % Math.max(1, behind.length)]
    if (next !== undefined) await this.#guarded(next[0], async () => { await next[1].task.follow(next[1].committed, this.#options.standbyRecordsMax) })
  }

  /** The copy of a partition that is now this instance's own; it leaves here. */
  async take (partition: number, committed: number | undefined): Promise<PartitionTask | undefined> {
    const copy = this.#copies.get(partition)
    if (copy === undefined) return undefined
    await this.#guarded(partition, () => this.#look(partition))
    const kept = this.#copies.get(partition)
    this.#copies.delete(partition)
    return kept === undefined || committed === undefined || kept.task.position > committed ? undefined : kept.task
  }

  async #open (partition: number): Promise<void> {
    this.#copies.set(partition, { task: await PartitionTask.warm(this.#definition, this.#host, partition), committed: 0 })
    await this.#look(partition)
  }

  /** How far the owner is, and which rows it has stored. */
  async #look (partition: number): Promise<void> {
    const copy = this.#copies.get(partition)
    if (copy === undefined) return
    await this.#host.snapshots.follow?.(copy.task.of, row => { copy.task.stored(row.key, row.stamp, row.clock) })
    copy.committed = await this.#host.log.committedOffset(this.#definition.name, { topic: this.#definition.input, partition }) ?? 0
  }

  /** A copy that fails is dropped: it may cost time later, and must not stop what this instance owns. */
  async #guarded (partition: number, run: () => Promise<void>): Promise<void> {
    try {
      await run()
    } catch (e) {
      if (!isLatidoError(e) && !(e instanceof PoisonError)) throw e
      this.#copies.delete(partition)
      this.#retryAtMs.set(partition, this.#host.clock.monotonicMs() + RETRY_MS)
      this.#host.onChange?.(`${this.#definition.name}: the warm copy of partition ${partition} is dropped (${isLatidoError(e) ? e.code : 'a step failed'})`)
    }
  }

  #wanted (owned: ReadonlySet<number>): readonly number[] {
    const others = Array.from({ length: this.#host.log.partitionsOf(this.#definition.input) }, (_, p) => p).filter(p => !owned.has(p))
    if (others.length <= this.#options.standbyPartitionsMax) return others
    const rank = (partition: number): string => createHash('sha256').update(`${this.#instance}/${partition}`).digest('hex')
    return others.map(p => ({ p, rank: rank(p) })).sort((a, b) => a.rank < b.rank ? -1 : 1).slice(0, this.#options.standbyPartitionsMax).map(({ p }) => p)
  }
}
