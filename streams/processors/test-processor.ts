import avro from 'avsc'
import { BatchBuilder, BatchCursor, type AvroRecord } from '../codec/index.ts'
import type { Outputs, PartitionProgram, ProcessorDefinition, SnapshotRow } from '../engine/index.ts'
import { addWhole } from '../log/index.ts'
import { parseDuration, type ArrivalTimeMs, type Duration } from '../time/index.ts'
import type { DefinedProcessor } from './definition.ts'
import { fixedSchemas, type Schemas } from './schemas.ts'

type FieldsOf<S> = S extends { readonly fields: infer F extends readonly { readonly name: string, readonly type: unknown }[] } ? F[number] : never
type PlainOf<T> =
  T extends 'int' | 'long' | 'float' | 'double' ? number
    : T extends 'string' ? string
      : T extends 'boolean' ? boolean
        : T extends 'null' ? null
          : T extends 'bytes' ? Buffer
            : T extends readonly unknown[] ? PlainOf<T[number]>
              : T extends { readonly type: 'record' } ? Plain<T>
                : T extends { readonly type: 'array', readonly items: infer I } ? readonly PlainOf<I>[]
                  : T extends { readonly type: 'enum' } ? string
                    : T extends { readonly type: infer Inner } ? PlainOf<Inner> : unknown
/** A record of a schema as a plain object. */
export type Plain<S> = S extends unknown ? { readonly [F in FieldsOf<S> as F['name']]: PlainOf<F['type']> } : never

/** A record that a processor wrote: JSON and Avro values are decoded. */
export interface Written { readonly topic: string, readonly key: string | undefined, readonly value: unknown, readonly timestamp: ArrivalTimeMs }

/** `start`: the time at which the test begins. `schemas`: other schemas than the processor's own. */
export interface TestOptions { readonly start?: ArrivalTimeMs, readonly schemas?: Schemas }

/** One partition of a processor, with no broker and no clock but the test's. */
export interface TestedProcessor<S extends AvroRecord = AvroRecord> {
  /** The time of the next record. */
  readonly now: ArrivalTimeMs
  /** Keys that have state, and when a tick would next do something. */
  readonly keys: number
  readonly due: ArrivalTimeMs | undefined
  /** Readings that came too late for a window of theirs, and those whose event time was ahead of their arrival. */
  readonly late: number
  readonly clamped: number
  /** A record of the input, written with the schema of its name (`side`: the place of that schema among the processor's, 0 unless given). */
  send (value: Plain<S>, how?: { readonly at?: ArrivalTimeMs, readonly side?: number }): Promise<void>
  /** Any bytes, as a stranger might send them. */
  sendRaw (key: Buffer | null, value: Buffer | null, at?: ArrivalTimeMs): Promise<void>
  /** Time passes: a tick. */
  advance (by: Duration): Promise<void>
  /** What was written since this was last asked; of one topic, if named. */
  read (topic?: string): readonly Written[]
  /**
   * The process ends and another one begins: up to `rows` of the rows that changed (all unless given) are taken first, everything else comes
   * from the log again, in silence.
   */
  restart (rows?: number): Promise<void>
}

/** Tests a processor without a log: records and time come by hand, outputs are read back, and it may be restarted anywhere. */
export async function testProcessor<S extends AvroRecord> (processor: DefinedProcessor<S>, { start = 0, schemas = fixedSchemas() }: TestOptions = {}): Promise<TestedProcessor<S>> {
  const ids = await Promise.all(processor.schemas.map(async s => (await schemas.idOf(`${processor.input}-${s.name}`, JSON.stringify(s))).id))
  const definition = await processor.open(schemas)
  return new Driver<S>(definition, processor.schemas.map((s, i) => ({ id: ids[i]!, type: typeOf(JSON.stringify(s)) })), start, await schemas.known())
}

interface Framed { readonly id: number, readonly type: avro.Type }

class Driver<S extends AvroRecord> implements TestedProcessor<S> {
  now: ArrivalTimeMs
  late = 0
  clamped = 0
  readonly #definition: ProcessorDefinition
  readonly #inputs: readonly Framed[]
  readonly #types: ReadonlyMap<number, avro.Type>
  readonly #log: Buffer[] = []
  readonly #rows = new Map<string, SnapshotRow>()
  #marker = { offset: 0, clock: 0 }
  #program: PartitionProgram
  #written: Written[] = []

  constructor (definition: ProcessorDefinition, inputs: readonly Framed[], start: ArrivalTimeMs, known: readonly { readonly id: number, readonly schema: string }[]) {
    this.#definition = definition
    this.#inputs = inputs
    this.#types = new Map(known.map(({ id, schema }) => [id, typeOf(schema)]))
    this.#program = definition.program(0, new Set())
    this.now = start
  }

  get keys (): number { return this.#program.keys }
  get due (): ArrivalTimeMs | undefined { return this.#program.earliestDue() }

  async send (value: Plain<S>, { at = this.now, side = 0 }: { readonly at?: ArrivalTimeMs, readonly side?: number } = {}): Promise<void> {
    const { id, type } = this.#inputs[side]!
    const head = Buffer.alloc(5)
    head.writeUInt32BE(id, 1)
    await this.sendRaw(Buffer.from('key'), Buffer.concat([head, type.toBuffer(value)]), at)
  }

  async sendRaw (key: Buffer | null, value: Buffer | null, at: ArrivalTimeMs = this.now): Promise<void> {
    const builder = new BatchBuilder()
    builder.append(at, key, value)
    this.#log.push(builder.finish(this.#log.length, -1))
    this.now = Math.max(this.now, at)
    await this.#take(this.#program, this.#log.length - 1, Number.MAX_SAFE_INTEGER)
  }

  async advance (by: Duration): Promise<void> {
    this.now += parseDuration(by)
    await this.sendRaw(null, Buffer.alloc(0))
  }

  read (topic?: string): readonly Written[] {
    const asked = this.#written.filter(w => topic === undefined || w.topic === topic)
    this.#written = this.#written.filter(w => !asked.includes(w))
    return asked
  }

  async restart (rows: number = Number.MAX_SAFE_INTEGER): Promise<void> {
    const round = this.#program.snapshot(this.#log.length, rows)
    for (const row of round.rows) this.#rows.set(row.key, row)
    for (const key of round.removed ?? []) this.#rows.delete(key)
    this.#marker = round.marker
    const program = this.#definition.program(0, new Set())
    program.restore(this.#rows.values(), this.#marker)
    if (this.#marker.offset < this.#log.length) await this.#take(program, this.#marker.offset, this.#log.length)
    this.#program = program
  }

  async #take (program: PartitionProgram, from: number, below: number): Promise<void> {
    const muted = below < Number.MAX_SAFE_INTEGER
    const batch = program.open({ topic: this.#definition.input, partition: 0, records: new BatchCursor(this.#log.slice(from), from), nextOffset: this.#log.length }, below)
    await this.#definition.prepare?.([batch])
    const out = muted ? NOWHERE : this.#out
    for (let wait = batch.step(out); wait !== undefined; wait = batch.step(out)) await wait
    if (muted) return
    await batch.effects?.()
    batch.write(out)
    this.late += batch.late ?? 0
    this.clamped += batch.clamped ?? 0
    for (const refused of batch.refused) {
      const { topic, key, value } = this.#definition.deadLetter(refused)
      addWhole(this.#out(topic), refused.at, key, value)
    }
  }

  readonly #out: Outputs = topic => ({
    add: (timestamp, key, keyStart, keyEnd, value, start, end) => {
      this.#written.push({ topic, timestamp, key: keyStart < 0 ? undefined : key.toString('utf8', keyStart, keyEnd), value: this.#decoded(Buffer.from(value.subarray(start, end))) })
    },
  })

  #decoded (value: Buffer): unknown {
    if (value[0] !== 0) return value.length === 0 ? undefined : JSON.parse(value.toString()) as unknown
    const type = this.#types.get(value.readUInt32BE(1))
    return type === undefined ? value : type.fromBuffer(value.subarray(5)) as unknown
  }
}

const NOWHERE: Outputs = () => ({ add: () => {} })

function typeOf (schema: string): avro.Type { return avro.Type.forSchema(JSON.parse(schema) as avro.Schema) }
