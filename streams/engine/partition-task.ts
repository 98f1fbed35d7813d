import { LatidoError } from '../errors/index.ts'
import type { RecordSink, Run } from '../log/index.ts'
import type { ArrivalTimeMs, DurationMs } from '../time/index.ts'
import type { ProcessorHost } from './processor.ts'
import type { Outputs, PartitionProgram, ProcessorDefinition, ProgramBatch } from './program.ts'

/** A run on its way through the loop, and the offset to commit when it is through. */
export interface TaskBatch { readonly partition: number, readonly nextOffset: number, readonly program: ProgramBatch }

const NOWHERE: RecordSink = { add: () => {} }
/** A replay's outputs: they are in the log already. */
const MUTED: Outputs = () => NOWHERE

/** One partition under one processor: its program, how far it is committed, what it last told downstream. */
export class PartitionTask {
  readonly partition: number
  readonly #definition: ProcessorDefinition
  readonly #host: ProcessorHost
  readonly #program: PartitionProgram
  #committed: number
  #told: ArrivalTimeMs = 0

  private constructor (definition: ProcessorDefinition, host: ProcessorHost, partition: number, program: PartitionProgram, committed: number) {
    this.#definition = definition
    this.#host = host
    this.partition = partition
    this.#program = program
    this.#committed = committed
  }

  get keys (): number { return this.#program.keys }
  get position (): number { return this.#committed }

  /** Rows back, then replay from the marker, emitting nothing, up to the committed offset. */
  static async open (definition: ProcessorDefinition, host: ProcessorHost, partition: number, committed: number | undefined): Promise<PartitionTask> {
    const { start } = await host.log.range({ topic: definition.input, partition })
    const snapshot = await host.snapshots.load(definition.snapshots.name, definition.snapshots.version, partition)
    const task = new PartitionTask(definition, host, partition, definition.program(partition, snapshot.poison), committed ?? start)
    if (committed !== undefined) {
      if (snapshot.marker.offset > committed) throw new LatidoError('SNAPSHOT_INVALID', `the snapshots of ${definition.name} are ahead of the log (partition ${partition})`, 'the log was exchanged: delete the snapshots folder of the data directory')
      task.#program.restore(snapshot.rows, snapshot.marker)
      await task.#replay(snapshot.marker.offset, committed)
    }
    return task
  }

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
    for (const refused of program.refused) {
      const { topic, key, value } = this.#definition.deadLetter(refused)
      out(topic).add(refused.at, key ?? value, key === null ? -1 : 0, key?.length ?? -1, value, 0, value.length)
    }
    if (this.#program.clock - this.#told < tickLatencyMs) return
    const { tick, tickTopics } = this.#definition
    for (const topic of tickTopics) out(topic).add(this.#program.clock, tick, -1, -1, tick, 0, tick.length)
    this.#told = this.#program.clock
  }

  committed (offset: number): void { this.#committed = offset }

  async snapshot (rowsMax: number): Promise<void> {
    if (this.#program.dirtyKeys === 0) return
    const { rows, marker } = this.#program.snapshot(this.#committed, rowsMax)
    await this.#host.snapshots.save(this.#definition.snapshots.name, this.#definition.snapshots.version, this.partition, rows, marker)
  }

  wantsTick (now: ArrivalTimeMs, intervalMs: DurationMs, latencyMs: DurationMs): boolean { return this.tickInMs(now, intervalMs, latencyMs) <= 0 }

  /** How long until this partition needs a tick if nothing comes. */
  tickInMs (now: ArrivalTimeMs, intervalMs: DurationMs, latencyMs: DurationMs): number {
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
      if (run.nextOffset >= committed) return
    }
  }
}
