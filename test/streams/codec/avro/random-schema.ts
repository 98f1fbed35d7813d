import avro from 'avsc'
import fc from 'fast-check'
import { compileEncoder, compileFlyweight, type EncoderClass, type FlyweightClass } from '../../../../streams/codec/index.ts'

/** Schemas and values of the kinds that have places, at random; names are unique within a schema. */
export type Field = { readonly name: string, readonly type: Type, readonly default?: unknown } // an alias: interfaces have no index signature
export type Type =
  | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'string' | 'bytes'
  | { readonly type: 'enum', readonly name: string, readonly symbols: readonly string[] }
  | { readonly type: 'fixed', readonly name: string, readonly size: number }
  | { readonly type: 'array', readonly items: Type }
  | RecordType
  | readonly [Type | 'null', Type | 'null']
export type RecordType = { readonly type: 'record', readonly name: string, readonly fields: readonly Field[] }

const LEAVES = ['boolean', 'int', 'long', 'float', 'double', 'string', 'bytes', 'enum', 'fixed'] as const
interface Draft { readonly kind: typeof LEAVES[number] | 'record' | 'array', readonly nullable: 'no' | 'first' | 'last', readonly size: number, readonly inner: readonly Draft[] }

const draft: fc.Arbitrary<Draft> = fc.letrec<{ draft: Draft }>(tie => ({
  draft: fc.record({
    kind: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...LEAVES) }, { weight: 1, arbitrary: fc.constantFrom('record' as const, 'array' as const) }),
    nullable: fc.constantFrom('no' as const, 'no' as const, 'first' as const, 'last' as const),
    size: fc.integer({ min: 1, max: 20 }),
    inner: fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.constant([]), fc.array(tie('draft'), { minLength: 1, maxLength: 4 })),
  }),
})).draft

export const recordSchema: fc.Arbitrary<RecordType> = fc.array(draft, { minLength: 1, maxLength: 7 }).map(drafts => {
  let names = 0
  const name = (): string => `n${++names}`
  const fieldsOf = (of: readonly Draft[]): readonly Field[] => of.map(d => ({ name: name(), type: typeOf(d) }))
  const typeOf = (d: Draft): Type => {
    const bare = bareOf(d)
    return d.nullable === 'no' ? bare : d.nullable === 'first' ? ['null', bare] : [bare, 'null']
  }
  const bareOf = (d: Draft): Type => {
    switch (d.kind) {
      case 'enum': return { type: 'enum', name: name(), symbols: Array.from({ length: d.size }, (_, i) => `s${i}`) }
      case 'fixed': return { type: 'fixed', name: name(), size: d.size }
      case 'record': return d.inner.length === 0 ? 'int' : { type: 'record', name: name(), fields: fieldsOf(d.inner) }
      case 'array': { const [one, ...more] = d.inner; return { type: 'array', items: one === undefined ? 'string' : more.length === 0 ? typeOf(one) : { type: 'record', name: name(), fields: fieldsOf(d.inner) } } }
      default: return d.kind
    }
  }
  return { type: 'record', name: name(), fields: fieldsOf(drafts) }
})

const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.string({ maxLength: 90 }))
const bytes = fc.uint8Array({ maxLength: 40 }).map(b => Buffer.from(b))

export function valueOf (type: Type | 'null'): fc.Arbitrary<unknown> {
  switch (type) {
    case 'null': return fc.constant(null)
    case 'boolean': return fc.boolean()
    case 'int': return fc.integer()
    case 'long': return fc.oneof(fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), fc.integer(), fc.integer({ min: 0, max: 2 ** 45 })) // avsc writes larger ones inexactly
    case 'float': return fc.float({ noNaN: true })
    case 'double': return fc.double({ noNaN: true })
    case 'string': return text
    case 'bytes': return bytes
    default:
  }
  if (isUnion(type)) return fc.oneof(...type.map(valueOf))
  const named = type as Exclude<typeof type, string>
  switch (named.type) {
    case 'enum': return fc.constantFrom(...named.symbols)
    case 'fixed': return fc.uint8Array({ minLength: named.size, maxLength: named.size }).map(b => Buffer.from(b))
    case 'array': return fc.array(valueOf(named.items), { maxLength: 4 })
    case 'record': return fc.record(Object.fromEntries(named.fields.map(f => [f.name, valueOf(f.type)])))
  }
}

export function isUnion (type: Type | 'null'): type is readonly [Type | 'null', Type | 'null'] { return Array.isArray(type) }
export function avscOf (schema: RecordType): avro.Type { return avro.Type.forSchema(JSON.parse(JSON.stringify(schema)) as avro.Schema) }

export const schemaAndValue: fc.Arbitrary<{ readonly schema: RecordType, readonly value: Readonly<Record<string, unknown>> }> = recordSchema.chain(schema => valueOf(schema).map(value => ({ schema, value: value as Readonly<Record<string, unknown>> })))

type Nothing = { readonly fields: readonly [] }
/** For schemas that are known only at run time: what is generated, without the types of its fields. */
export const flyweightOf = compileFlyweight as unknown as (schema: RecordType) => FlyweightClass<Nothing>
export const encoderOf = compileEncoder as unknown as (schema: RecordType) => EncoderClass<Nothing>
