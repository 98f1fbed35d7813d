import { LatidoError } from '../../errors/index.ts'

/** A schema as JSON has it: a name, a union, or an object with `type`. */
export type AvroSchema = string | readonly AvroSchema[] | { readonly type: unknown, readonly [attribute: string]: unknown }
export interface AvroField { readonly name: string, readonly type: AvroSchema, readonly default?: unknown, readonly [attribute: string]: unknown }
/** A record's schema, best declared `as const`, so that its flyweight's type is known. */
export interface AvroRecord { readonly type: 'record', readonly name: string, readonly fields: readonly AvroField[], readonly [attribute: string]: unknown }

export type NumberKind = 'boolean' | 'int' | 'long' | 'float' | 'double'
export interface RecordShape { readonly kind: 'record', readonly name: string, readonly aliased: boolean, readonly fields: readonly FieldShape[] }
export interface FieldShape { readonly name: string, readonly shape: Shape, readonly default: unknown }
/** A schema with its names resolved. */
export type Shape =
  | RecordShape
  | { readonly kind: 'null' | NumberKind | 'string' | 'bytes' }
  | { readonly kind: 'enum', readonly name: string, readonly symbols: readonly string[] }
  | { readonly kind: 'fixed', readonly name: string, readonly size: number }
  | { readonly kind: 'array', readonly items: Shape }
  | { readonly kind: 'map', readonly values: Shape }
  | { readonly kind: 'union', readonly branches: readonly Shape[] }

const PRIMITIVES: ReadonlySet<string> = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'string', 'bytes'])
/** The names that Avro allows: they become names in generated code. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const FIXED_BYTES_MAX = 1 << 20
const UNNAMED = 'value'

export function unsupported (what: string): LatidoError { return new LatidoError('SCHEMA_UNSUPPORTED', `a schema cannot be read by position: ${what}`, 'change the schema, or decode its records as objects') }

/** Resolves the names of a record's schema. Throws SCHEMA_UNSUPPORTED for what is no schema, and for one that refers to itself. */
export function shapeOf (schema: unknown): RecordShape {
  const shape = new Parser().parse(schema)
  if (shape.kind !== 'record') throw unsupported('it is not a record')
  return shape
}

/** Items that are no records become records of one field, `value`. */
export function itemShape (items: Shape): RecordShape {
  return items.kind === 'record' ? items : { kind: 'record', name: 'item', aliased: false, fields: [{ name: UNNAMED, shape: items, default: undefined }] }
}

class Parser {
  readonly #named = new Map<string, Shape | 'open'>()

  parse (schema: unknown): Shape {
    if (typeof schema === 'string') return PRIMITIVES.has(schema) ? { kind: schema } as Shape : this.#reference(schema)
    if (Array.isArray(schema)) return { kind: 'union', branches: (schema as readonly unknown[]).map(branch => this.parse(branch)) }
    if (typeof schema !== 'object' || schema === null) throw unsupported('a type is missing')
    const { type, items, values } = schema as Readonly<Record<string, unknown>>
    switch (type) {
      case 'record': return this.#record(schema as Readonly<Record<string, unknown>>)
      case 'enum': case 'fixed': return this.#leaf(type, schema as Readonly<Record<string, unknown>>)
      case 'array': return { kind: 'array', items: this.parse(items) }
      case 'map': return { kind: 'map', values: this.parse(values) }
      default: return this.parse(type) // a logical type changes nothing of the bytes
    }
  }

  #reference (name: string): Shape {
    const shape = this.#named.get(name) ?? this.#named.get(last(name))
    if (shape === undefined) throw unsupported('it names a type that it does not define')
    if (shape === 'open') throw unsupported('it refers to itself')
    return shape
  }

  #record (schema: Readonly<Record<string, unknown>>): RecordShape {
    const name = nameIn(schema)
    const { fields, aliases } = schema
    if (!Array.isArray(fields)) throw unsupported('a record has no fields')
    this.#named.set(name, 'open')
    let aliased = aliases !== undefined
    const shapes = (fields as readonly Readonly<Record<string, unknown>>[]).map((field): FieldShape => {
      aliased ||= field['aliases'] !== undefined
      return { name: nameIn(field), shape: this.parse(field['type']), default: field['default'] }
    })
    const shape: RecordShape = { kind: 'record', name, aliased, fields: shapes }
    this.#named.set(name, shape)
    return shape
  }

  #leaf (kind: 'enum' | 'fixed', schema: Readonly<Record<string, unknown>>): Shape {
    const name = nameIn(schema)
    const { symbols, size } = schema
    if (kind === 'enum' && !Array.isArray(symbols)) throw unsupported('an enum has no symbols')
    if (kind === 'fixed' && !(Number.isInteger(size) && (size as number) >= 0 && (size as number) <= FIXED_BYTES_MAX)) throw unsupported('a fixed type has no size, or too large a one')
    const shape: Shape = kind === 'enum' ? { kind, name, symbols: symbols as readonly string[] } : { kind, name, size: size as number }
    this.#named.set(name, shape)
    return shape
  }
}

function nameIn ({ name }: Readonly<Record<string, unknown>>): string {
  if (typeof name !== 'string' || !NAME.test(last(name))) throw unsupported('a name is not one that Avro allows')
  return last(name)
}

function last (name: string): string { return name.slice(name.lastIndexOf('.') + 1) }
