import { crc32 } from 'node:zlib'
import type { AvroRecord, FlyweightOf } from '../codec/index.ts'
import { StringInterner } from '../codec/index.ts'
import { keyedProcessor, type Input, type OutputRecord, type Processor, type ProcessorDefinition, type RefusedRecord, type StateMachine } from '../engine/index.ts'
import { addWhole } from '../log/index.ts'
import { parseDuration } from '../time/index.ts'
import { keyOf } from './access.ts'
import { AvroReader, RECORD, REFUSED, WAIT } from './avro-reader.ts'
import { ColumnsProgram, type ColumnsBatch, type ColumnsParts } from './columns-program.ts'
import { JoinColumns, type JoinParts } from './join-columns.ts'
import type { Common, DefinedProcessor, JoinProcessor, MachineProcessor, NumberField, TextField, WindowProcessor } from './definition.ts'
import { KeyColumns } from './key-columns.ts'
import { Writers } from './schemas.ts'
import { windowColumns } from './window-columns.ts'

const SKEW_MS = parseDuration('5 m')
/** A tick: no key, no value. */
const NOTHING = Buffer.alloc(0)

type AnyWindows = WindowProcessor<AvroRecord, string, string, string, string>
type AnyJoin = JoinProcessor<AvroRecord, AvroRecord, string, string, 'inner' | 'left'>
type AnyMachine = MachineProcessor<AvroRecord, string, unknown, unknown>

/** A processor over windows. Types follow from the schema, which is best declared `as const`: keys are its texts, event time and value its numbers. */
export function defineProcessor<const S extends AvroRecord, const K extends TextField<S>, const E extends NumberField<S>, const V extends NumberField<S>, N extends string> (options: WindowProcessor<S, K, E, V, N>): DefinedProcessor<S>
/** A processor that joins two streams, which a merged topic has brought into one order. */
export function defineProcessor<const L extends AvroRecord, const R extends AvroRecord, const K extends TextField<L> & TextField<R>, const E extends NumberField<L> & NumberField<R>, Kind extends 'inner' | 'left'> (options: JoinProcessor<L, R, K, E, Kind>): DefinedProcessor<L | R>
/** A processor of a state machine a key. */
export function defineProcessor<const S extends AvroRecord, const K extends TextField<S>, State, Out> (options: MachineProcessor<S, K, State, Out>): DefinedProcessor<S>
export function defineProcessor (options: unknown): DefinedProcessor {
  const { machine } = options as { readonly machine: { readonly kind?: string } }
  if (machine.kind === 'join') return joinProcessor(options as AnyJoin)
  return machine.kind === 'windows' ? windowProcessor(options as AnyWindows) : machineProcessor(options as AnyMachine)
}

function windowProcessor (options: AnyWindows): DefinedProcessor {
  const { name, input, key, machine, output, late, skew } = options
  return {
    name,
    input: input.topic,
    schemas: [input.schema],
    open: async (schemas, clock) => {
      const writers = await Writers.open(schemas, clock)
      const schemaId = 'avro' in output ? await writers.idOf(output.topic, output.avro) : -1
      const keyOfRecord = keyOf(input.schema, key.fields)
      const parts: ColumnsParts<AvroRecord> = {
        name, keyFields: key.fields, readers: () => new AvroReader([input.schema], writers), keyOf: (record, keys) => keyOfRecord(record, keys),
        columns: around => windowColumns({ schema: input.schema, keyFields: key.fields, machine, output, schemaId }, around),
        topics: late === undefined ? [output.topic] : [output.topic, late], lateTopic: late === undefined ? -1 : 1, skewMs: skew === undefined ? SKEW_MS : parseDuration(skew),
      }
      return columnsDefinition(options, input.topic, parts, `${machine.operator.layout} of ${machine.value} at ${machine.eventTime} by ${key.fields.join(' ')}`)
    },
  }
}

function joinProcessor (options: AnyJoin): DefinedProcessor {
  const { name, input, key, machine, output, late, skew } = options
  const schemas = [input.left, input.right]
  return {
    name,
    input: input.topic,
    schemas,
    open: async (registry, clock) => {
      const writers = await Writers.open(registry, clock)
      const reader = (): AvroReader<AvroRecord> => new AvroReader(schemas, writers)
      const keys = schemas.map(schema => keyOf(schema, key.fields))
      const { withinMs, graceMs, kind } = machine.options
      const parts: ColumnsParts<AvroRecord> = {
        name, keyFields: key.fields, readers: reader, keyOf: (record, to, side) => keys[side]!(record, to),
        columns: around => new JoinColumns({ schemas, machine, json: output.json as JoinParts['json'], reader }, around),
        topics: late === undefined ? [output.topic] : [output.topic, late], lateTopic: late === undefined ? -1 : 1, skewMs: skew === undefined ? SKEW_MS : parseDuration(skew),
      }
      return columnsDefinition(options, input.topic, parts, `join ${withinMs} ${graceMs} ${kind} at ${machine.eventTime} by ${key.fields.join(' ')}`)
    },
  }
}

function machineProcessor (options: AnyMachine): DefinedProcessor {
  const { name, input, key, machine, output } = options
  return {
    name,
    input: input.topic,
    schemas: [input.schema],
    open: async (schemas, clock) => {
      const reader = new AvroReader([input.schema], await Writers.open(schemas, clock))
      const processor: Processor<unknown, FlyweightOf<AvroRecord>, unknown> = {
        ...commonOf(options, input.topic),
        machine: machine as StateMachine<unknown, FlyweightOf<AvroRecord>, unknown>,
        decode: decoder(reader, keyOf(input.schema, key.fields), key.fields.length),
        write: ({ key: of, out, at }, to) => {
          const key = Buffer.from(of, 'latin1')
          const value = Buffer.from(JSON.stringify(output.json === undefined ? out : output.json(out, of)) ?? 'null')
          addWhole(to(output.topic), at, key, value)
        },
      }
      return keyedProcessor(processor)
    },
  }
}

/** `layout` describes what a row holds: rows of another one are not read, and the state is built again from the log. */
function columnsDefinition (options: Common, input: string, parts: ColumnsParts<AvroRecord>, layout: string): ProcessorDefinition {
  new ColumnsProgram(parts, 0, new Set()) // what is wrong in the definition is said here, not at the first partition
  const definition: ProcessorDefinition<ColumnsBatch<AvroRecord>> = { ...commonOf(options, input), snapshots: { name: options.name, version: crc32(layout) }, program: (partition, poison) => new ColumnsProgram(parts, partition, poison) }
  return definition as unknown as ProcessorDefinition // its batches come back to it alone
}

/** Everything but state and outputs. */
function commonOf ({ name, deadLetters = `${name}.dead-letters`, tickTopics = [], ownsTicks = false }: Common, input: string): Pick<ProcessorDefinition, 'name' | 'input' | 'deadLetter' | 'tickTopics' | 'tick' | 'ownsTicks'> {
  return { name, input, tickTopics, ownsTicks, tick: NOTHING, deadLetter: typeof deadLetters === 'function' ? deadLetters : refused => deadLetter(deadLetters, name, refused) }
}

function deadLetter (topic: string, processor: string, { cause, detail, partition, offset, at, raw }: RefusedRecord): OutputRecord {
  return { topic, key: null, value: Buffer.from(JSON.stringify({ processor, cause, detail, partition, offset, at, raw: raw.toString('base64') })) }
}

function decoder (reader: AvroReader<AvroRecord>, keyOfRecord: ReturnType<typeof keyOf<AvroRecord>>, keyFields: number): Processor<unknown, FlyweightOf<AvroRecord>, unknown>['decode'] {
  const keys = new KeyColumns(keyFields)
  const names = new StringInterner('latin1')
  return (record): Input<FlyweightOf<AvroRecord>> => {
    const kind = reader.read(record)
    if (kind === WAIT) return { kind: 'wait', ready: reader.ready }
    if (kind === REFUSED) return { kind: 'refused', cause: reader.cause, detail: reader.detail }
    if (kind !== RECORD) return { kind: 'tick' }
    if (!keyOfRecord(reader.flyweight, keys)) return { kind: 'refused', cause: 'key-invalid', detail: 'a key is missing or too long' }
    return { kind: 'record', key: keys.scratchText(names), value: reader.flyweight }
  }
}
