import type { AvroRecord, FlyweightOf } from '../codec/index.ts'
import type { RecordCursor } from '../log/index.ts'
import { JoinOperator, type JoinMachine } from '../windows/index.ts'
import { numberOf, type NumberOf } from './access.ts'
import type { AvroReader } from './avro-reader.ts'
import type { Around, Columns } from './columns-program.ts'

export interface JoinParts {
  readonly schemas: readonly AvroRecord[]
  readonly machine: JoinMachine
  readonly json: (left: FlyweightOf<AvroRecord>, right: FlyweightOf<AvroRecord> | undefined) => unknown
  readonly reader: () => AvroReader<AvroRecord>
}

/** A join over the values of a merged topic: both sides are laid out when a pair is emitted. */
export class JoinColumns implements Columns<AvroRecord> {
  readonly #operator: JoinOperator
  readonly #eventTimes: readonly NumberOf<AvroRecord>[]
  readonly #left: AvroReader<AvroRecord>
  pending: Promise<void> | undefined

  constructor ({ schemas, machine, json, reader }: JoinParts, around: Around) {
    const { slots, out } = around
    const left = this.#left = reader()
    const right = reader()
    this.#eventTimes = schemas.map(schema => numberOf(schema, machine.eventTime))
    const keys = { get count () { return slots.count }, sorted: () => slots.sorted(), compare: (a: number, b: number) => slots.compare(a, b), skips: (slot: number, due: number) => around.skips(slot, due), changed: (slot: number) => { around.changed(slot) } }
    this.#operator = new JoinOperator(machine.options, keys, (slot, leftBytes, rightBytes, at) => {
      if (around.muted) return
      left.lay(leftBytes, 0, leftBytes.length)
      if (rightBytes !== undefined) right.lay(rightBytes, 0, rightBytes.length)
      const value = Buffer.from(JSON.stringify(json(left.flyweight, rightBytes === undefined ? undefined : right.flyweight)) ?? 'null')
      const keyStart = out.at
      out.put(slots.fieldBuffer(slot, 0), slots.fieldStart(slot, 0), slots.fieldEnd(slot, 0))
      const valueStart = out.at
      out.put(value, 0, value.length)
      out.add(0, at, keyStart, valueStart, valueStart, out.at)
    })
  }

  get due (): number { return this.#operator.due }
  eventTimeOf (record: FlyweightOf<AvroRecord>, side: number): number { return this.#eventTimes[side]!(record) }

  take (slot: number, _record: FlyweightOf<AvroRecord>, side: number, eventTime: number, clock: number, from: RecordCursor): number {
    if (eventTime !== eventTime) return -1
    return this.#operator.add(slot, side, eventTime, () => Buffer.from(from.valueBuffer.subarray(from.valueStart, from.valueEnd)), clock)
  }

  close (clock: number): void { this.#operator.close(clock) }
  restoreClock (): void {}
  save (slot: number): Buffer { return this.#operator.save(slot) }

  /** The writers of what is kept have to be known before it can be emitted. */
  restore (slot: number, bytes: Buffer): void {
    for (const value of this.#operator.restore(slot, bytes)) {
      const ready = this.#left.learn(value)
      if (ready !== undefined) this.pending = this.pending === undefined ? ready : Promise.all([this.pending, ready]).then(() => {})
    }
  }
}
