import { LatidoError } from '../errors/index.ts'
import type { OutRecord, Run } from '../log/index.ts'
import type { ArrivalTimeMs, DurationMs } from '../time/index.ts'
import { KeyedMachine, type Emitted } from './keyed-machine.ts'
import type { Processor, ProcessorHost, RefusedRecord } from './processor.ts'

type Step<In> = { readonly offset: number, readonly timestamp: ArrivalTimeMs } & (
  | { readonly kind: 'record', readonly key: string, readonly value: In, readonly buffer: Buffer, readonly start: number, readonly end: number }
  | { readonly kind: 'tick' | 'refused' })

/** A run, decoded. */
export interface TaskBatch<In> {
  readonly partition: number
  readonly nextOffset: number
  readonly count: number
  readonly values: readonly In[]
  readonly steps: readonly Step<In>[]
  /** Grows while stepping, by records found poisonous before. */
  readonly refused: RefusedRecord[]
}

interface Batch { readonly topic: string, readonly partition: number, readonly records: readonly OutRecord[] }

/** One partition under one processor: its keyed machine, how far it is committed, what it last told downstream. */
export class PartitionTask<State, In, Out> {
  readonly partition: number
  readonly #processor: Processor<State, In, Out>
  readonly #host: ProcessorHost
  readonly #machine: KeyedMachine<State, In, Out>
  #committed: number
  #told: ArrivalTimeMs = 0

  private constructor (processor: Processor<State, In, Out>, host: ProcessorHost, partition: number, machine: KeyedMachine<State, In, Out>, committed: number) {
    this.#processor = processor
    this.#host = host
    this.partition = partition
    this.#machine = machine
    this.#committed = committed
  }

  get keys (): number { return this.#machine.keys }
  get position (): number { return this.#committed }

  /** Rows back, then replay from the marker, emitting nothing, up to the committed offset. */
  static async open<State, In, Out> (processor: Processor<State, In, Out>, host: ProcessorHost, partition: number, committed: number | undefined): Promise<PartitionTask<State, In, Out>> {
    const of = { topic: processor.input, partition }
    const { start } = await host.log.range(of)
    const snapshot = await host.snapshots.load(processor.machine.name, processor.machine.codec.version, partition)
    const machine = new KeyedMachine(processor.machine, snapshot.poison)
    const task = new PartitionTask(processor, host, partition, machine, committed ?? start)
    if (committed !== undefined) {
      if (snapshot.marker.offset > committed) throw new LatidoError('SNAPSHOT_INVALID', `the snapshots of ${processor.name} are ahead of the log (partition ${partition})`, 'the log was exchanged: delete the snapshots folder of the data directory')
      machine.restore(snapshot.rows, snapshot.marker)
      await task.#replay(snapshot.marker.offset, committed)
    }
    return task
  }

  decode ({ records, nextOffset, partition }: Run, below: number = Number.MAX_SAFE_INTEGER): TaskBatch<In> {
    const batch = { partition, nextOffset: Math.min(nextOffset, below), count: 0, values: [] as In[], steps: [] as Step<In>[], refused: [] as RefusedRecord[] }
    while (records.next() && records.offset < below) {
      const { offset, timestamp } = records
      const input = this.#processor.decode(records)
      batch.count++
      if (input.kind === 'record') {
        batch.values.push(input.value)
        batch.steps.push({ kind: 'record', offset, timestamp, key: input.key, value: input.value, buffer: records.valueBuffer, start: records.valueStart, end: records.valueEnd })
      } else {
        batch.steps.push({ kind: input.kind, offset, timestamp })
        if (input.kind === 'refused') batch.refused.push({ cause: input.cause, detail: input.detail, partition, offset, at: timestamp, raw: bytesOf(records.valueBuffer, records.valueStart, records.valueEnd) })
      }
    }
    return batch
  }

  /** Steps each record; throws PoisonError at one that the machine cannot take. */
  step (batch: TaskBatch<In>): readonly Emitted<Out>[] {
    const emitted: Emitted<Out>[] = []
    const collect = (e: Emitted<Out>): void => { emitted.push(e) }
    for (const step of batch.steps) {
      if (step.kind !== 'record') { this.#machine.tick(step.offset, step.timestamp, collect); continue }
      const taken = this.#machine.record(step.offset, step.timestamp, step.key, step.value, collect)
      if (!taken) batch.refused.push({ cause: 'step-failed', detail: `a step of ${this.#processor.name} failed`, partition: this.partition, offset: step.offset, at: step.timestamp, raw: bytesOf(step.buffer, step.start, step.end) })
    }
    return emitted
  }

  /** The records of a batch's outputs, its dead letters, and a tick where downstream would not learn the time otherwise. */
  output (batch: TaskBatch<In>, emitted: readonly Emitted<Out>[], tickLatencyMs: DurationMs): readonly Batch[] {
    const byTopic = new Map<string, OutRecord[]>()
    const add = (topic: string, record: OutRecord): void => {
      const records = byTopic.get(topic)
      if (records === undefined) byTopic.set(topic, [record])
      else records.push(record)
    }
    for (const e of emitted) for (const { topic, key, value } of this.#processor.records(e)) add(topic, { key, value, timestamp: e.at })
    for (const refused of batch.refused) {
      const { topic, key, value } = this.#processor.deadLetter(refused)
      add(topic, { key, value, timestamp: refused.at })
    }
    if (this.#machine.clock - this.#told >= tickLatencyMs) {
      for (const topic of this.#processor.tickTopics) add(topic, { key: null, value: this.#processor.tick, timestamp: this.#machine.clock })
      this.#told = this.#machine.clock
    }
    return [...byTopic].map(([topic, records]) => ({ topic, partition: this.partition % this.#host.log.partitionsOf(topic), records }))
  }

  committed (offset: number): void { this.#committed = offset }

  async snapshot (rowsMax: number): Promise<void> {
    if (this.#machine.dirtyKeys === 0) return
    const { rows, marker } = this.#machine.snapshot(this.#committed, rowsMax)
    await this.#host.snapshots.save(this.#processor.machine.name, this.#processor.machine.codec.version, this.partition, rows, marker)
  }

  wantsTick (now: ArrivalTimeMs, intervalMs: DurationMs, latencyMs: DurationMs): boolean { return this.tickInMs(now, intervalMs, latencyMs) <= 0 }

  /** How long until this partition needs a tick if nothing comes. */
  tickInMs (now: ArrivalTimeMs, intervalMs: DurationMs, latencyMs: DurationMs): number {
    const due = this.#machine.earliestDue()
    const forDue = due === undefined ? Number.POSITIVE_INFINITY : Math.max(due - now, this.#machine.clock + Math.min(latencyMs, intervalMs) / 2 - now)
    return Math.min(this.#machine.clock + intervalMs - now, forDue)
  }

  async #replay (from: number, committed: number): Promise<void> {
    const reader = this.#host.log.reader({ topic: this.#processor.input, partition: this.partition }, from)
    for (let run = from < committed ? await reader.next() : undefined; run !== undefined; run = await reader.next()) {
      const batch = this.decode(run, committed)
      await this.#processor.prepare?.(batch.values)
      this.step(batch)
      if (run.nextOffset >= committed) return
    }
  }
}

/** A copy of a record's value; a null value (start -1) is empty. */
function bytesOf (buffer: Buffer, start: number, end: number): Buffer { return Buffer.from(buffer.subarray(Math.max(start, 0), Math.max(end, 0))) }
