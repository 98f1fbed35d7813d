import { compileEncoder, type AvroRecord } from '../codec/index.ts'
import { LatidoError } from '../errors/index.ts'
import type { Cause, WindowResult } from '../windows/index.ts'
import { NUMBER_BYTES_MAX, writeNumber } from './json-number.ts'
import type { KeyColumns } from './key-columns.ts'
import type { OutputBuffer } from './output-buffer.ts'

/** Where a field of an output comes from. */
export type Source<K extends string = string, N extends string = string> = `key.${K}` | `value.${N}` | 'start' | 'end' | 'revision' | 'cause' | 'at'

/** One result as an object, for outputs that are made by a function. */
export interface WindowView<K extends string = string, N extends string = string> {
  readonly key: Readonly<Record<K, string>>
  readonly value: Readonly<Record<N, number>>
  readonly start: number
  readonly end: number
  readonly revision: number
  readonly cause: Cause
  readonly at: number
}

interface ToTopic<K extends string> {
  readonly topic: string
  /** The field that is the output record's key: by default the first one of the key. */
  readonly key?: K
}

/** `json`: names of the output with their sources, written straight into bytes; or a function that makes an object of each result. */
export interface JsonOutput<K extends string = string, N extends string = string> extends ToTopic<K> { readonly json: Readonly<Record<string, Source<K, N>>> | ((window: WindowView<K, N>) => unknown) }
/** `avro`: the output's schema; `fields`: the source of each of its fields. */
export interface AvroOutput<K extends string = string, N extends string = string> extends ToTopic<K> { readonly avro: AvroRecord, readonly fields: Readonly<Record<string, Source<K, N>>> }
export type WindowOutput<K extends string = string, N extends string = string> = JsonOutput<K, N> | AvroOutput<K, N>

/** Writes the value of a result at `out.at`. */
export type ValueWriter = (result: WindowResult, keys: KeyColumns, out: OutputBuffer) => void

/** What an output is compiled for. `schemaId`: of an Avro output. */
export interface Shape { readonly keys: readonly string[], readonly names: readonly string[], readonly schemaId: number }

export function valueWriter (output: WindowOutput, shape: Shape): ValueWriter {
  if ('avro' in output) return avroWriter(output, shape)
  const { json } = output
  return typeof json === 'function' ? objectWriter(json, shape) : jsonWriter(json, shape)
}

type Op =
  | { readonly kind: 'text', readonly bytes: Buffer }
  | { readonly kind: 'key', readonly field: number }
  | { readonly kind: 'cause' }
  | NumberOp
type NumberOp = { readonly kind: 'value', readonly place: number } | { readonly kind: 'start' | 'end' | 'revision' | 'at' }

function opOf (source: string, { keys, names }: Shape): Op {
  const [head = '', ...rest] = source.split('.')
  const name = rest.join('.')
  if (head === 'key' && keys.includes(name)) return { kind: 'key', field: keys.indexOf(name) }
  if (head === 'value' && names.includes(name)) return { kind: 'value', place: names.indexOf(name) }
  if (head === 'start' || head === 'end' || head === 'revision' || head === 'cause' || head === 'at') return { kind: head }
  throw new LatidoError('CONFIG_INVALID', `an output has no source "${source}"`, `choose among ${[...keys.map(k => `key.${k}`), ...names.map(n => `value.${n}`), 'start', 'end', 'revision', 'cause', 'at'].join(', ')}`)
}

function numberOf (op: NumberOp, result: WindowResult): number { return op.kind === 'value' ? result.values[op.place]! : result[op.kind] }

/** The template becomes text with holes; nothing is allocated a result. */
function jsonWriter (template: Readonly<Record<string, Source>>, shape: Shape): ValueWriter {
  const ops = Object.entries(template).flatMap(([name, source], i): Op[] => [{ kind: 'text', bytes: Buffer.from(`${i === 0 ? '{' : ','}${JSON.stringify(name)}:`) }, opOf(source, shape)])
  ops.push({ kind: 'text', bytes: Buffer.from(ops.length === 0 ? '{}' : '}') })
  const most = ops.reduce((n, op) => n + (op.kind === 'text' ? op.bytes.length : NUMBER_BYTES_MAX), 0)
  return (result, keys, out) => {
    out.need(most)
    for (let i = 0; i < ops.length; i++) {
      const op = ops[i]!
      switch (op.kind) {
        case 'text': out.put(op.bytes, 0, op.bytes.length); break
        case 'key': putText(out, keys.fieldBuffer(result.slot, op.field), keys.fieldStart(result.slot, op.field), keys.fieldEnd(result.slot, op.field)); break
        case 'cause': out.put(CAUSES[result.cause], 0, CAUSES[result.cause].length); break
        default: out.need(NUMBER_BYTES_MAX); out.at = writeNumber(out.bytes, out.at, numberOf(op, result))
      }
    }
  }
}

const CAUSES: Readonly<Record<Cause, Buffer>> = { close: Buffer.from('"close"'), reading: Buffer.from('"reading"'), revision: Buffer.from('"revision"'), retraction: Buffer.from('"retraction"') }
const QUOTE = 34
const BACKSLASH = 92
const SPACE = 32

/** UTF-8 as a JSON string. */
function putText (out: OutputBuffer, from: Buffer, start: number, end: number): void {
  out.need((end - start) * 6 + 2)
  const to = out.bytes
  let at = out.at
  to[at++] = QUOTE
  for (let i = start; i < end; i++) {
    const byte = from[i]!
    if (byte === QUOTE || byte === BACKSLASH) to[at++] = BACKSLASH
    if (byte < SPACE) at += to.write(`\\u00${byte.toString(16).padStart(2, '0')}`, at, 'latin1')
    else to[at++] = byte
  }
  to[at++] = QUOTE
  out.at = at
}

function objectWriter (map: (window: WindowView) => unknown, { keys: fields, names }: Shape): ValueWriter {
  return (result, keys, out) => {
    const key = Object.fromEntries(fields.map((name, f) => [name, keys.fieldBuffer(result.slot, f).toString('utf8', keys.fieldStart(result.slot, f), keys.fieldEnd(result.slot, f))]))
    const value = Object.fromEntries(names.map((name, i) => [name, result.values[i]!]))
    const { start, end, revision, cause, at } = result
    const bytes = Buffer.from(JSON.stringify(map({ key, value, start, end, revision, cause, at })) ?? 'null')
    out.put(bytes, 0, bytes.length)
  }
}

/** What the generated encoder is to this file: a method a field. */
type Encode = Readonly<Record<string, (...given: readonly unknown[]) => unknown>>

function avroWriter ({ avro, fields }: AvroOutput, shape: Shape): ValueWriter {
  const steps = avro.fields.map(({ name }) => {
    const source = fields[name]
    if (source === undefined) throw new LatidoError('CONFIG_INVALID', `field ${name} of ${avro.name} has no source`, 'name one in `fields`')
    return { name, op: opOf(source, shape) }
  })
  const encoder = new (compileEncoder(avro))()
  const write = encoder as unknown as Encode
  return (result, keys, out) => {
    encoder.begin(shape.schemaId)
    for (const { name, op } of steps) {
      if (op.kind === 'key') write[`${name}Bytes`]!(keys.fieldBuffer(result.slot, op.field), keys.fieldStart(result.slot, op.field), keys.fieldEnd(result.slot, op.field))
      else if (op.kind === 'cause') write[name]!(result.cause)
      else if (op.kind !== 'text') write[name]!(numberOf(op, result))
    }
    const end = encoder.finish()
    out.put(encoder.buffer, 0, end)
  }
}
