import avro from 'avsc'
import { LatidoError, messageOf } from '../../errors/index.ts'
import { classText } from './generate-class.ts'
import { readText } from './generate-read.ts'
import { planRecord } from './plan.ts'
import { READER_RUNTIME } from './runtime.ts'
import { shapeOf, unsupported, type AvroRecord, type RecordShape } from './schema.ts'
import type { FlyweightClass, Layout } from './types.ts'

type Read = Layout['read']
const EMPTY = Buffer.alloc(0)

/**
 * Generates the flyweight of a record's schema: a class whose one instance is laid over the bytes of value after value, in one pass and without
 * an object. Names are checked against Avro's grammar before they become code. Throws SCHEMA_UNSUPPORTED for maps, for unions of other than null
 * and one type, and for types that refer to themselves.
 */
export function compileFlyweight<const S extends AvroRecord> (schema: S): FlyweightClass<S> {
  const shape = shapeOf(schema)
  const names: string[] = []
  const text = classText(shape, false, names)
  const { cut, nothing } = failuresOf(shape)
  const own = positional(shape, shape)
  if (own === undefined) throw unsupported(`${shape.name} holds what has no place`)
  const make = new Function('EMPTY', 'cut', 'nothing', 'own', `${READER_RUNTIME}${text}return ${names[0]!}`) as (...given: readonly unknown[]) => new () => object
  const generated = make(EMPTY, cut, nothing, own)
  const layouts = new Map<string, Layout>()
  return Object.assign(generated, {
    layoutOf: (writer: unknown): Layout => {
      const key = JSON.stringify(writer)
      let layout = layouts.get(key)
      if (layout === undefined) layouts.set(key, layout = positionalOf(shape, writer) ?? resolving(schema, writer, own))
      return layout
    },
  }) as unknown as FlyweightClass<S>
}

function failuresOf (shape: RecordShape): { readonly cut: () => never, readonly nothing: () => never } {
  const cut = (): never => { throw new LatidoError('PAYLOAD_INVALID', `a value does not fit the schema of ${shape.name}`, 'find the producer that writes it') }
  return { cut, nothing: cut }
}

/** undefined: bytes of this writer cannot be read by position. */
function positionalOf (reader: RecordShape, writer: unknown): Layout | undefined {
  let shape: RecordShape
  try {
    shape = shapeOf(writer)
  } catch {
    return undefined // a type that refers to itself: resolved as an object
  }
  return positional(reader, shape)
}

function positional (reader: RecordShape, writer: RecordShape): Layout | undefined {
  const plan = planRecord(reader, writer)
  if (plan === undefined) return undefined
  const make = new Function('cut', `${READER_RUNTIME}${readText(reader, plan)}return read`) as (cut: () => never) => Read
  return { positional: true, read: make(failuresOf(reader).cut) }
}

/** What differs more is resolved by avsc and written again as this schema has it; slow, and the same to its reader. */
function resolving (reader: unknown, writer: unknown, own: Layout): Layout {
  const from = typeOf(writer)
  const to = typeOf(reader)
  let resolver: avro.Resolver
  try {
    resolver = to.createResolver(from)
  } catch (cause) {
    throw new LatidoError('SCHEMA_INCOMPATIBLE', `records of one schema cannot be read with another: ${messageOf(cause)}`, 'give new fields a default, or use a new record name', cause)
  }
  return {
    positional: false,
    read: (target, buffer, start, end) => {
      const again = rewritten(to, resolver, buffer, start, end)
      own.read(target, again, 0, again.length)
      return end
    },
  }
}

function rewritten (to: avro.Type, resolver: avro.Resolver, buffer: Buffer, start: number, end: number): Buffer {
  try {
    const bytes = buffer.subarray(start, end)
    const { value, offset } = to.decode(bytes, 0, resolver) as { readonly value: unknown, readonly offset: number }
    if (offset === bytes.length) return to.toBuffer(value)
  } catch (cause) {
    throw new LatidoError('PAYLOAD_INVALID', 'a value does not fit its writer\'s schema', 'find the producer that writes it', cause)
  }
  throw new LatidoError('PAYLOAD_INVALID', 'a value ends elsewhere than its record', 'find the producer that writes it')
}

function typeOf (schema: unknown): avro.Type { return avro.Type.forSchema(JSON.parse(JSON.stringify(schema)) as avro.Schema) }
