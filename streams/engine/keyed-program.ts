import { assert } from '../errors/index.ts'
import { addWhole, type RecordCursor, type Run } from '../log/index.ts'
import type { ArrivalTimeMs } from '../time/index.ts'
import { KeyedMachine, type Emitted } from './keyed-machine.ts'
import type { Move } from './move.ts'
import { MUTED, OutputStage } from './output-stage.ts'
import type { BatchEffects, Input, Processor } from './processor.ts'
import type { Outputs, PartitionProgram, ProcessorDefinition, ProgramBatch, RefusedRecord } from './program.ts'
import type { Marker, SnapshotRound, SnapshotRow } from './snapshots/index.ts'

/** A processor of one state machine a key, as the loop runs it. */
export function keyedProcessor<State, In, Out> (processor: Processor<State, In, Out>): ProcessorDefinition {
  const { name, input, machine, tickTopics, tick, ownsTicks } = processor
  const { prepare } = processor
  const definition: ProcessorDefinition<KeyedBatch<State, In, Out>> = {
    name, input, tickTopics, tick, ownsTicks,
    snapshots: { name: machine.name, version: machine.codec.version },
    program: (partition, poison) => new KeyedProgram(processor, partition, poison),
    deadLetter: refused => processor.deadLetter(refused),
    ...(prepare === undefined ? {} : { prepare: async batches => { await prepare.call(processor, (await Promise.all(batches.map(b => b.decodeAll()))).flat()) } }),
  }
  return definition as unknown as ProcessorDefinition // its batches come back to it alone
}

class KeyedProgram<State, In, Out> implements PartitionProgram<KeyedBatch<State, In, Out>> {
  readonly #processor: Processor<State, In, Out>
  readonly #partition: number
  readonly #machine: KeyedMachine<State, In, Out>
  /** Those that no batch has now. */
  readonly #stages: OutputStage[] = []

  constructor (processor: Processor<State, In, Out>, partition: number, poison: ReadonlySet<string>) {
    this.#processor = processor
    this.#partition = partition
    this.#machine = new KeyedMachine(processor.machine, poison)
  }

  get keys (): number { return this.#machine.keys }
  get dirtyKeys (): number { return this.#machine.dirtyKeys }
  get clock (): ArrivalTimeMs { return this.#machine.clock }
  earliestDue (): ArrivalTimeMs | undefined { return this.#machine.earliestDue() }
  restore (rows: Iterable<SnapshotRow>, marker: Marker): void { this.#machine.restore(rows, marker) }
  snapshot (stamp: number, rowsMax: number, bytesMax?: number): SnapshotRound { return this.#machine.snapshot(stamp, rowsMax, bytesMax) }
  stored (key: string, stamp: number, clock: ArrivalTimeMs): void { this.#machine.stored(key, stamp, clock) }
  open (run: Run, below: number): KeyedBatch<State, In, Out> { return new KeyedBatch(this.#processor, this.#machine, this.#partition, run.records, below, this.#stages) }
}

interface Moved { readonly at: ArrivalTimeMs, readonly key: Buffer, readonly value: Buffer }
interface Decoded<In> { readonly offset: number, readonly timestamp: ArrivalTimeMs, readonly input: Input<In>, readonly buffer: Buffer, readonly start: number, readonly end: number }

/** Decodes and steps one record after the other, so that a decoded record may be one flyweight; only `prepare` needs all of them at once. */
class KeyedBatch<State, In, Out> implements ProgramBatch {
  count = 0
  readonly refused: RefusedRecord[] = []
  readonly #moved: Moved[] = []
  readonly #processor: Processor<State, In, Out>
  readonly #machine: KeyedMachine<State, In, Out>
  readonly #partition: number
  readonly #records: RecordCursor
  readonly #below: number
  readonly #stages: OutputStage[]
  #stage: OutputStage | undefined
  #effects: BatchEffects<Out> | undefined
  readonly #collect = (e: Emitted<Out>): void => { this.#emit(e) }
  readonly #going: Move[] = []
  readonly #go = (move: Move): void => { this.#going.push(move) }
  #muted = false
  #outputs = 0
  #decoded: readonly Decoded<In>[] | undefined
  #waiting = false

  constructor (processor: Processor<State, In, Out>, machine: KeyedMachine<State, In, Out>, partition: number, records: RecordCursor, below: number, stages: OutputStage[]) {
    this.#processor = processor
    this.#machine = machine
    this.#partition = partition
    this.#stages = stages
    this.#stage = stages.pop() ?? new OutputStage()
    this.#effects = processor.effects?.(partition)
    this.#records = records
    this.#below = below
  }

  get outputs (): number { return this.#outputs + this.#moved.length }

  async decodeAll (): Promise<readonly In[]> {
    const decoded: Decoded<In>[] = []
    const r = this.#records
    while (r.next() && r.offset < this.#below) {
      let input = this.#processor.decode(r)
      if (input.kind === 'wait') { await input.ready; input = this.#processor.decode(r) }
      decoded.push({ offset: r.offset, timestamp: r.timestamp, input, buffer: r.valueBuffer, start: r.valueStart, end: r.valueEnd })
    }
    this.#decoded = decoded
    return decoded.flatMap(({ input }) => input.kind === 'record' ? [input.value] : [])
  }

  step (out: Outputs): Promise<void> | undefined {
    this.#muted = out === MUTED
    if (this.#decoded !== undefined) { for (const d of this.#decoded) this.#take(d.input, d.offset, d.timestamp, d.buffer, d.start, d.end); return undefined }
    const r = this.#records
    while (this.#waiting || (r.next() && r.offset < this.#below)) {
      const input = this.#processor.decode(r)
      this.#waiting = input.kind === 'wait'
      if (input.kind === 'wait') return input.ready
      this.#take(input, r.offset, r.timestamp, r.valueBuffer, r.valueStart, r.valueEnd)
    }
    return undefined
  }

  async effects (): Promise<void> { await this.#effects?.carryOut() }

  write (out: Outputs): void {
    if (this.#stage !== undefined) {
      this.#stage.flush(out)
      this.#stages.push(this.#stage)
      this.#stage = undefined
    }
    for (const { at, key, value } of this.#moved) addWhole(out(this.#processor.input, key), at, key, value)
  }

  #take (input: Input<In>, offset: number, timestamp: ArrivalTimeMs, buffer: Buffer, start: number, end: number): void {
    this.count++
    if (input.kind === 'record' && this.#machine.record(offset, timestamp, input.key, input.value, this.#collect, this.#go)) { this.#forward(buffer, start, end); return }
    const failed = (): void => { this.#refuse('step-failed', `a step of ${this.#processor.name} failed`, offset, timestamp, buffer, start, end) }
    const move = (m: Move): void => { this.#move(m, buffer, start, end) }
    switch (input.kind) {
      case 'record': failed(); return
      case 'merge': if (!this.#machine.merge(offset, timestamp, input.key, input.survivor, this.#collect, move)) failed(); return
      case 'transfer':
        if (!this.#machine.reads(input.transfer)) break
        if (!this.#machine.transfer(offset, timestamp, input.transfer, this.#collect, move)) failed()
        return
      case 'tick': case 'refused': case 'wait':
    }
    this.#machine.tick(offset, timestamp, this.#collect) // time passes with a refused record too
    if (input.kind === 'refused') this.#refuse(input.cause, input.detail, offset, timestamp, buffer, start, end)
    if (input.kind === 'transfer') this.#refuse('payload-invalid', `a transfer of state version ${input.transfer.version}, which ${this.#processor.name} does not read`, offset, timestamp, buffer, start, end)
  }

  /** What a record has caused to go elsewhere, which is rare. */
  #forward (buffer: Buffer, start: number, end: number): void {
    if (this.#going.length === 0) return
    for (const move of this.#going) this.#move(move, buffer, start, end)
    this.#going.length = 0
  }

  #emit (emitted: Emitted<Out>): void {
    if (this.#muted) return
    if (this.#outputs++ === 0) this.#effects = this.#processor.effects?.(this.#partition)
    this.#stage ??= this.#stages.pop() ?? new OutputStage()
    this.#processor.write(emitted, this.#stage.out)
    this.#effects?.add(emitted)
  }

  /** A state, or the record as it came, for the partition of another key. */
  #move (move: Move, buffer: Buffer, start: number, end: number): void {
    if (move.kind === 'forward' && this.#processor.forwards === false) return
    if (move.kind === 'forward') { this.#moved.push({ at: move.at, key: Buffer.from(move.to), value: Buffer.from(buffer.subarray(start, end)) }); return }
    const { encodeTransfer } = this.#processor
    assert(encodeTransfer !== undefined, `${this.#processor.name} can merge, and has no encoding for transfers`)
    this.#moved.push({ at: move.at, key: Buffer.from(move.transfer.to), value: encodeTransfer.call(this.#processor, move.transfer) })
  }

  /** Keeps a copy of the record's value; a null value (start -1) is empty. */
  #refuse (cause: string, detail: string, offset: number, at: ArrivalTimeMs, buffer: Buffer, start: number, end: number): void {
    this.refused.push({ cause, detail, partition: this.#partition, offset, at, raw: Buffer.from(buffer.subarray(Math.max(start, 0), Math.max(end, 0))) })
  }
}
