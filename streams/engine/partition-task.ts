import { LatidoError } from '../errors/index.ts'
import { addWhole, type Run } from '../log/index.ts'
import type { ArrivalTimeMs, DurationMs } from '../time/index.ts'
import { MUTED } from './output-stage.ts'
import type { ProcessorHost } from './processor.ts'
import type { Outputs, PartitionProgram, ProcessorDefinition, ProgramBatch } from './program.ts'
import { SliceCursor } from './slice-cursor.ts'
import type { Marker, SnapshotRound, SnapshotsOf } from './snapshots/index.ts'

/** A run on its way through the loop, and the offset to commit when it is through. */
export interface TaskBatch { readonly partition: number, readonly nextOffset: number, readonly program: ProgramBatch }


/** One partition under one processor: its program, how far it is committed, what it last told downstream. */
export class PartitionTask {
  readonly partition: number
  readonly #definition: ProcessorDefinition
  readonly #host: ProcessorHost
  readonly #program: PartitionProgram
  /** Everything below is in the state, and for an owner committed. */
  #committed: number
  #told: ArrivalTimeMs = 0
  /** When the partition's clock was last told by a record, by the machine's monotonic clock: the brokers' clock may be another. */
  #heardMs: number | undefined
  #replayed = 0
  /** The newest marker that is stored. */
  #marker: Marker
  /** Where a warm copy is reading. */
  #run: { readonly slice: SliceCursor, readonly nextOffset: number } | undefined

  private constructor (definition: ProcessorDefinition, host: ProcessorHost, partition: number, program: PartitionProgram, committed: number, marker: Marker) {
    this.#definition = definition
    this.#host = host
    this.partition = partition
    this.#program = program
    this.#committed = committed
    this.#marker = marker
  }

  get keys (): number { return this.#program.keys }
  get position (): number { return this.#committed }

  /** Records that brought it up to date since it was opened or taken over. */
  get replayed (): number { return this.#replayed }
  get of (): SnapshotsOf { return { processor: this.#definition.name, machine: this.#definition.snapshots.name, version: this.#definition.snapshots.version, partition: this.partition } }

  /** Rows back, then replay from the marker, emitting nothing, up to the committed offset. */
  static async open (definition: ProcessorDefinition, host: ProcessorHost, partition: number, committed: number | undefined): Promise<PartitionTask> {
    const { start } = await host.log.range({ topic: definition.input, partition })
    const task = await PartitionTask.#restored(definition, host, partition, committed ?? start, 'lazy')
    if (committed !== undefined) await task.#replay(Math.max(task.#marker.offset, start), committed)
    return task
  }

  /** A copy of a partition that another instance owns: as its snapshots have it; `follow` takes it on. */
  static async warm (definition: ProcessorDefinition, host: ProcessorHost, partition: number): Promise<PartitionTask> {
    const { start } = await host.log.range({ topic: definition.input, partition })
    const task = await PartitionTask.#restored(definition, host, partition, Number.POSITIVE_INFINITY, 'eager')
    task.#committed = Math.max(task.#marker.offset, start)
    return task
  }

  static async #restored (definition: ProcessorDefinition, host: ProcessorHost, partition: number, committed: number, how: 'eager' | 'lazy'): Promise<PartitionTask> {
    const { name, version } = definition.snapshots
    const snapshot = await host.snapshots.load({ processor: definition.name, machine: name, version, partition }, how)
    if (snapshot.marker.offset > committed) throw new LatidoError('SNAPSHOT_INVALID', `the snapshots of ${definition.name} are ahead of the log (partition ${partition})`, 'the log was exchanged: delete the snapshots folder of the data directory')
    const task = new PartitionTask(definition, host, partition, definition.program(partition, snapshot.poison), committed, snapshot.marker)
    task.#program.restore(snapshot.rows, snapshot.marker)
    return task
  }

  /** Goes on, emitting nothing, by at most `records` records below `committed`; answers how many were taken. */
  async follow (committed: number, records: number): Promise<number> {
    let run = this.#run
    if (run === undefined) {
      if (this.#committed >= committed) return 0
      const next = await this.#host.log.reader({ topic: this.#definition.input, partition: this.partition }, this.#committed).next()
      if (next === undefined) return 0
      run = this.#run = { slice: new SliceCursor(next.records), nextOffset: next.nextOffset }
    }
    run.slice.allow(records, committed)
    const program = this.#program.open({ topic: this.#definition.input, partition: this.partition, records: run.slice, nextOffset: run.nextOffset }, committed)
    await this.#definition.prepare?.([program])
    await this.step({ partition: this.partition, nextOffset: 0, program }, MUTED)
    const { more, holding, lastOffset } = run.slice
    this.#committed = holding ? committed : more ? Math.max(this.#committed, lastOffset + 1) : Math.min(run.nextOffset, committed)
    if (!more) this.#run = undefined
    return program.count
  }

  /** A warm copy becomes its partition's own: the rest is replayed. */
  async takeOver (committed: number): Promise<void> {
    this.#run = undefined
    while (this.#committed < committed) {
      const before = this.#committed
      this.#replayed += await this.follow(committed, Number.MAX_SAFE_INTEGER)
      if (this.#committed === before) break // control records, or nothing, up to there
    }
    this.#run = undefined
    this.#committed = committed
  }

  /** The owner has stored a row: what it has need not be stored again. */
  stored (key: string, stamp: number, clock: ArrivalTimeMs): void { this.#program.stored?.(key, stamp, clock) }

  open (run: Run, below: number = Number.MAX_SAFE_INTEGER): TaskBatch {
    return { partition: run.partition, nextOffset: Math.min(run.nextOffset, below), program: this.#program.open(run, below) }
  }

  /** Steps each record; throws PoisonError at one that the machine cannot take. */
  async step ({ program }: TaskBatch, out: Outputs): Promise<void> {
    for (let wait = program.step(out); wait !== undefined; wait = program.step(out)) await wait
  }

  /** The batch's outputs, its dead letters, and a tick where downstream would not learn the time otherwise. */
  write ({ program }: TaskBatch, out: Outputs, tickLatencyMs: DurationMs): void {
    program.write(out)
    this.#heardMs = this.#host.clock.monotonicMs()
    for (const refused of program.refused) {
      const { topic, key, value } = this.#definition.deadLetter(refused)
      addWhole(out(topic), refused.at, key, value)
    }
    if (this.#program.clock - this.#told < tickLatencyMs) return
    const { tick, tickTopics } = this.#definition
    for (const topic of tickTopics) out(topic).add(this.#program.clock, tick, -1, -1, tick, 0, tick.length)
    this.#told = this.#program.clock
  }

  committed (offset: number): void { this.#committed = offset }

  get dirtyKeys (): number { return this.#program.dirtyKeys }

  /** Some of the rows that changed, as of the committed offset; nothing to store: undefined. */
  round (rowsMax: number, bytesMax: number, markerIntervalMs: DurationMs): SnapshotRound | undefined {
    const { dirtyKeys, clock } = this.#program
    if (dirtyKeys === 0 && (this.#marker.offset === this.#committed || clock - this.#marker.clock < markerIntervalMs)) return undefined
    const round = this.#program.snapshot(this.#committed, rowsMax, bytesMax)
    this.#marker = round.marker
    return round
  }

  /** The brokers' time, as this partition tells it: its clock, and what has passed since it moved. Before it has moved, the machine's. */
  now (): ArrivalTimeMs {
    const { clock } = this.#host
    return this.#heardMs === undefined ? clock.now() : this.#program.clock + Math.floor(clock.monotonicMs() - this.#heardMs)
  }

  wantsTick (intervalMs: DurationMs, latencyMs: DurationMs): boolean { return this.tickInMs(intervalMs, latencyMs) <= 0 }

  /** How long until this partition needs a tick if nothing comes. */
  tickInMs (intervalMs: DurationMs, latencyMs: DurationMs): number {
    const now = this.now()
    const due = this.#program.earliestDue()
    const forDue = due === undefined ? Number.POSITIVE_INFINITY : Math.max(due - now, this.#program.clock + Math.min(latencyMs, intervalMs) / 2 - now)
    return Math.min(this.#program.clock + intervalMs - now, forDue)
  }

  async #replay (from: number, committed: number): Promise<void> {
    const reader = this.#host.log.reader({ topic: this.#definition.input, partition: this.partition }, from)
    for (let run = from < committed ? await reader.next() : undefined; run !== undefined; run = await reader.next()) {
      const batch = this.open(run, committed)
      await this.#definition.prepare?.([batch.program])
      await this.step(batch, MUTED)
      this.#replayed += batch.program.count
      if (run.nextOffset >= committed) return
    }
  }
}
