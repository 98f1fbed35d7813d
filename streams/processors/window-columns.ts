import type { AvroRecord, FlyweightOf } from '../codec/index.ts'
import type { WindowMachine, WindowOperator } from '../windows/index.ts'
import { numberOf } from './access.ts'
import type { Around, Columns } from './columns-program.ts'
import { valueWriter, type WindowOutput } from './output.ts'

export interface WindowParts<S extends AvroRecord> {
  readonly schema: S
  readonly keyFields: readonly string[]
  readonly machine: WindowMachine
  readonly output: WindowOutput
  readonly schemaId: number
}

/** A window operator over the readings of a flyweight, its results written as they come. */
export function windowColumns<S extends AvroRecord> ({ schema, keyFields, machine, output, schemaId }: WindowParts<S>, around: Around): Columns<S> {
  const eventTimeOf = numberOf(schema, machine.eventTime)
  const valueOf = numberOf(schema, machine.value)
  const write = valueWriter(output, { keys: keyFields, names: machine.operator.names, schemaId })
  const keyField = output.key === undefined ? 0 : keyFields.indexOf(output.key)
  const { slots, out } = around
  const operator: WindowOperator = machine.operator.open(
    { get count () { return slots.count }, sorted: () => slots.sorted(), compare: (a, b) => slots.compare(a, b), skips: (slot, due) => around.skips(slot, due), changed: slot => { around.changed(slot) } },
    result => {
      if (around.muted) return
      const keyStart = out.at
      out.put(slots.fieldBuffer(result.slot, keyField), slots.fieldStart(result.slot, keyField), slots.fieldEnd(result.slot, keyField))
      const valueStart = out.at
      write(result, slots, out)
      out.add(0, result.at, keyStart, valueStart, valueStart, out.at)
    },
  )
  return new WindowColumns(operator, eventTimeOf, valueOf)
}

class WindowColumns<S extends AvroRecord> implements Columns<S> {
  readonly #operator: WindowOperator
  readonly #valueOf: (record: FlyweightOf<S>) => number
  readonly eventTimeOf: (record: FlyweightOf<S>) => number

  constructor (operator: WindowOperator, eventTimeOf: (record: FlyweightOf<S>) => number, valueOf: (record: FlyweightOf<S>) => number) {
    this.#operator = operator
    this.#valueOf = valueOf
    this.eventTimeOf = eventTimeOf
  }

  get due (): number { return this.#operator.due }

  take (slot: number, record: FlyweightOf<S>, _side: number, eventTime: number, clock: number): number {
    const value = this.#valueOf(record)
    if (value - value !== 0 || eventTime !== eventTime) return -1
    return this.#operator.add(slot, eventTime, value, clock)
  }

  close (clock: number): void { this.#operator.close(clock) }
  restoreClock (clock: number): void { this.#operator.restoreClock(clock) }
  save (slot: number, clock: number): Buffer { return this.#operator.save(slot, clock) }
  restore (slot: number, bytes: Buffer): void { this.#operator.restore(slot, bytes) }
}
