import type { AvroRecord, FlyweightOf } from '../codec/index.ts'
import { PoisonError, type Marker, type Outputs, type PartitionProgram, type ProgramBatch, type RefusedRecord, type SnapshotRound, type SnapshotRow } from '../engine/index.ts'
import type { RecordCursor, Run } from '../log/index.ts'
import type { ArrivalTimeMs, DurationMs, EventTimeMs } from '../time/index.ts'
import { AvroReader, RECORD, REFUSED, WAIT } from './avro-reader.ts'
import { DirtyColumns } from './dirty-columns.ts'
import { KeyColumns } from './key-columns.ts'
import { OutputBuffer } from './output-buffer.ts'

/** What all keys of a partition do, behind the keys: a window operator or a join, with its outputs. */
export interface Columns<S> {
  /** What to await before anything is stepped: a restored state needs something first. */
  pending?: Promise<void> | undefined
  readonly due: ArrivalTimeMs
  eventTimeOf (record: FlyweightOf<S>, side: number): EventTimeMs
  /** Answers how many windows were closed to it for good; -1: the record has no value. */
  take (slot: number, record: FlyweightOf<S>, side: number, eventTime: EventTimeMs, clock: ArrivalTimeMs, from: RecordCursor): number
  close (clock: ArrivalTimeMs): void
  restoreClock (clock: ArrivalTimeMs): void
  save (slot: number, clock: ArrivalTimeMs): Buffer
  restore (slot: number, bytes: Buffer): void
}

/** What columns ask of the program around them. */
export interface Around {
  readonly slots: KeyColumns
  readonly out: OutputBuffer
  /** Nobody hears what is emitted: a replay. */
  readonly muted: boolean
  skips (slot: number, due: ArrivalTimeMs): boolean
  changed (slot: number): void
}

export interface ColumnsParts<S extends AvroRecord> {
  readonly name: string
  readonly keyFields: readonly string[]
  readonly readers: () => AvroReader<S>
  /** Puts a record's key together; false: it is too long. */
  readonly keyOf: (record: FlyweightOf<S>, keys: KeyColumns, side: number) => boolean
  readonly columns: (around: Around) => Columns<S>
  /** The first is where results go. */
  readonly topics: readonly string[]
  /** Place in `topics` of the late output; -1: there is none. */
  readonly lateTopic: number
  readonly skewMs: DurationMs
}

/**
 * All keys of one partition in columns, stepped straight from the run's cursor: no object a record. Rows, marker and replay are as in
 * KeyedMachine: a row has a stamp, a replay passes over what it has seen and closes nothing that it has closed.
 */
export class ColumnsProgram<S extends AvroRecord> implements PartitionProgram<ColumnsBatch<S>>, Around {
  readonly slots: KeyColumns
  readonly out: OutputBuffer
  muted = false
  readonly #parts: ColumnsParts<S>
  readonly #partition: number
  readonly #poison: ReadonlySet<string>
  readonly #reader: AvroReader<S>
  readonly #rows = new DirtyColumns()
  readonly #columns: Columns<S>
  #clock: ArrivalTimeMs = 0
  /** What is being done, for the poison that a step leaves: the record, the clock before it, and what it makes due. */
  #offset = 0
  #before: ArrivalTimeMs = 0
  #closing = -1
  #closingDue: ArrivalTimeMs = 0

  constructor (parts: ColumnsParts<S>, partition: number, poison: ReadonlySet<string>) {
    this.#parts = parts
    this.#partition = partition
    this.#poison = poison
    this.slots = new KeyColumns(parts.keyFields.length)
    this.out = new OutputBuffer(parts.topics)
    this.#reader = parts.readers()
    this.#columns = parts.columns(this)
  }

  get keys (): number { return this.slots.count }
  get dirtyKeys (): number { return this.#rows.dirty }
  get clock (): ArrivalTimeMs { return this.#clock }
  earliestDue (): ArrivalTimeMs | undefined { return this.#columns.due === Infinity ? undefined : this.#columns.due }

  restore (rows: Iterable<SnapshotRow>, marker: Marker): void {
    for (const { key, stamp, clock, bytes } of rows) {
      const slot = this.slots.slotOfText(key)
      this.#rows.restored(slot, stamp, clock)
      this.#columns.restore(slot, bytes)
    }
    this.#clock = marker.clock
    this.#columns.restoreClock(marker.clock)
  }

  snapshot (stamp: number, rowsMax: number, bytesMax: number = Infinity): SnapshotRound {
    const rows: SnapshotRow[] = []
    for (let size = 0; rows.length < rowsMax && size < bytesMax;) {
      const slot = this.#rows.take(stamp)
      if (slot < 0) break
      const bytes = this.#columns.save(slot, this.#clock)
      size += bytes.length
      rows.push({ key: this.slots.text(slot), stamp, clock: this.#clock, bytes })
    }
    return { rows, marker: this.#rows.marker(stamp, this.#clock) }
  }

  stored (key: string, stamp: number, clock: ArrivalTimeMs): void {
    const slot = this.slots.slotOfText(key)
    this.#rows.grow(slot + 1)
    this.#rows.stored(slot, stamp, clock)
  }

  open (run: Run, below: number): ColumnsBatch<S> {
    this.muted = below < Number.MAX_SAFE_INTEGER
    return new ColumnsBatch(this, run.records, below)
  }

  skips (slot: number, due: ArrivalTimeMs): boolean {
    this.#closing = slot
    this.#closingDue = due
    return this.#rows.hasClosed(slot, due) || (this.#poison.size > 0 && this.#poison.has(tickPoison(this.slots.text(slot), due)))
  }

  changed (slot: number): void { this.#rows.touch(slot, this.#offset, this.#before) }

  /** What has to be awaited first. */
  pending (): Promise<void> | undefined {
    const { pending } = this.#columns
    if (pending !== undefined) this.#columns.pending = undefined
    return pending
  }

  /** One record; a promise: await it and bring the record again. */
  take (r: RecordCursor, batch: Counts): Promise<void> | undefined {
    const reader = this.#reader
    const kind = reader.read(r)
    if (kind === WAIT) return reader.ready
    batch.count++
    this.#before = this.#clock
    this.#offset = r.offset
    if (r.timestamp > this.#clock) this.#clock = r.timestamp
    if (this.#clock >= this.#columns.due) this.#columns.close(this.#clock)
    this.#closing = -1
    if (kind === RECORD) this.#record(r, batch)
    else if (kind === REFUSED) this.#refuse(reader.cause, reader.detail, r, batch)
    return undefined
  }

  /** What a step that threw leaves behind. */
  poisoned (cause: unknown): PoisonError {
    const slot = this.#closing
    return slot < 0 ? new PoisonError(recordPoison(this.#offset), '', this.#offset, cause) : new PoisonError(tickPoison(this.slots.text(slot), this.#closingDue), this.slots.text(slot), this.#offset, cause)
  }

  #record (r: RecordCursor, batch: Counts): void {
    if (this.#poison.size > 0 && this.#poison.has(recordPoison(r.offset))) { this.#refuse('step-failed', `a step of ${this.#parts.name} failed`, r, batch); return }
    const { flyweight, side } = this.#reader
    if (!this.#parts.keyOf(flyweight, this.slots, side)) { this.#refuse('key-invalid', 'a key is missing or too long', r, batch); return }
    const slot = this.slots.slot()
    this.#rows.grow(slot + 1)
    if (this.#rows.hasSeen(slot, r.offset)) return
    let eventTime = this.#columns.eventTimeOf(flyweight, side)
    if (eventTime > this.#clock) {
      if (eventTime > this.#clock + this.#parts.skewMs) { this.#refuse('event-time-ahead', 'an event time is ahead of its arrival', r, batch); return }
      eventTime = this.#clock
      batch.clamped++
    }
    const late = this.#columns.take(slot, flyweight, side, eventTime, this.#clock, r)
    if (late < 0) { this.#refuse('value-invalid', 'a record has no event time or no value', r, batch); return }
    if (late > 0) this.#late(r, batch)
    this.#rows.touch(slot, r.offset, this.#before)
  }

  /** As it came, with the time at which it was late. */
  #late (r: RecordCursor, batch: Counts): void {
    batch.late++
    if (this.#parts.lateTopic < 0 || this.muted) return
    const { out } = this
    const keyStart = out.at
    if (r.keyStart >= 0) out.put(r.keyBuffer, r.keyStart, r.keyEnd)
    const valueStart = out.at
    out.put(r.valueBuffer, r.valueStart, r.valueEnd)
    out.add(this.#parts.lateTopic, this.#clock, r.keyStart < 0 ? -1 : keyStart, r.keyStart < 0 ? -1 : valueStart, valueStart, out.at)
  }

  #refuse (cause: string, detail: string, r: RecordCursor, batch: Counts): void {
    batch.refused.push({ cause, detail, partition: this.#partition, offset: r.offset, at: r.timestamp, raw: Buffer.from(r.valueBuffer.subarray(Math.max(r.valueStart, 0), Math.max(r.valueEnd, 0))) })
  }
}

interface Counts { count: number, late: number, clamped: number, readonly refused: RefusedRecord[] }

export class ColumnsBatch<S extends AvroRecord> implements ProgramBatch, Counts {
  count = 0
  outputs = 0
  late = 0
  clamped = 0
  readonly refused: RefusedRecord[] = []
  readonly #program: ColumnsProgram<S>
  readonly #records: RecordCursor
  readonly #below: number
  #waiting = false

  constructor (program: ColumnsProgram<S>, records: RecordCursor, below: number) {
    this.#program = program
    this.#records = records
    this.#below = below
  }


  step (): Promise<void> | undefined {
    const r = this.#records
    const program = this.#program
    const pending = program.pending()
    if (pending !== undefined) return pending
    const before = program.out.count
    while (this.#waiting || (r.next() && r.offset < this.#below)) {
      let wait
      try {
        wait = program.take(r, this)
      } catch (e) {
        throw program.poisoned(e)
      }
      this.#waiting = wait !== undefined
      if (wait === undefined) continue
      this.outputs += program.out.count - before
      return wait
    }
    this.outputs += program.out.count - before
    return undefined
  }

  /** Writes all that its partition has made: of several batches in one round the first writes, in order. */
  write (out: Outputs): void {
    this.#program.out.write(out)
    this.#program.out.clear()
  }
}

function recordPoison (offset: number): string { return `record ${offset}` }
function tickPoison (key: string, at: ArrivalTimeMs): string { return `tick ${at} ${key}` }
