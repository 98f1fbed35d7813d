import { itemShape, unsupported, type FieldShape, type NumberKind, type RecordShape, type Shape } from './schema.ts'

/** How one value of the writer's becomes the reader's. */
export type Read =
  | { readonly kind: 'skip', readonly shape: Shape }
  /** `limit`: places of an enum. */
  | { readonly kind: 'number', readonly from: NumberKind | 'enum', readonly limit: number }
  /** `size`: of a fixed type, else -1. */
  | { readonly kind: 'range', readonly size: number }
  | { readonly kind: 'nullable', readonly nullFirst: boolean, readonly of: Read }
  | { readonly kind: 'array', readonly items: RecordRead }
  | RecordRead
/** The writer's fields in its order; `field`: the reader's name, undefined for one that is passed over. */
export interface RecordRead { readonly kind: 'record', readonly reads: readonly { readonly field: string | undefined, readonly read: Read }[] }

const PROMOTIONS: Readonly<Record<string, readonly string[]>> = { int: ['int'], long: ['int', 'long'], float: ['int', 'long', 'float'], double: ['int', 'long', 'float', 'double'], boolean: ['boolean'] }

/**
 * The plan by which the writer's bytes are read in one pass as the reader's: another order, removals, additions with a plain default, and
 * promotions. undefined: something else differs, and the value has to be resolved as an object.
 */
export function planRecord (reader: RecordShape, writer: RecordShape): RecordRead | undefined {
  if (reader.aliased && reader !== writer) return undefined
  const reads: { field: string | undefined, read: Read }[] = []
  for (const { name, shape } of writer.fields) {
    const mine = reader.fields.find(f => f.name === name)
    const read: Read | undefined = mine === undefined ? { kind: 'skip', shape } : planValue(mine.shape, shape)
    if (read === undefined || leastBytes(shape) < 0) return undefined
    reads.push({ field: mine?.name, read })
  }
  const added = reader.fields.filter(f => !writer.fields.some(w => w.name === f.name))
  return added.every(f => plainDefault(f) !== undefined) ? { kind: 'record', reads } : undefined
}

/** What a field holds that the writer does not have: a number, or an empty range or array. undefined: not a plain one. */
export function plainDefault ({ shape, default: value }: FieldShape): number | undefined {
  switch (shape.kind) {
    case 'boolean': return typeof value === 'boolean' ? Number(value) : undefined
    case 'int': case 'long': case 'float': case 'double': return typeof value === 'number' ? value : undefined
    case 'enum': return typeof value === 'string' && shape.symbols.includes(value) ? shape.symbols.indexOf(value) : undefined
    case 'string': case 'bytes': return value === '' ? 0 : undefined
    case 'array': return Array.isArray(value) && value.length === 0 ? 0 : undefined
    case 'union': return value === null && shape.branches[0]?.kind === 'null' ? NaN : undefined
    default: return undefined
  }
}

function planValue (reader: Shape, writer: Shape): Read | undefined {
  switch (reader.kind) {
    case 'boolean': case 'int': case 'long': case 'float': case 'double':
      return PROMOTIONS[reader.kind]!.includes(writer.kind) ? { kind: 'number', from: writer.kind as NumberKind, limit: -1 } : undefined
    case 'enum':
      return writer.kind === 'enum' && writer.symbols.every((symbol, i) => reader.symbols[i] === symbol) ? { kind: 'number', from: 'enum', limit: writer.symbols.length } : undefined
    case 'string': case 'bytes': return writer.kind === 'string' || writer.kind === 'bytes' ? { kind: 'range', size: -1 } : undefined
    case 'fixed': return writer.kind === 'fixed' && writer.size === reader.size ? { kind: 'range', size: reader.size } : undefined
    case 'array': {
      if (writer.kind !== 'array' || (reader.items.kind === 'record') !== (writer.items.kind === 'record')) return undefined
      const items = planRecord(itemShape(reader.items), itemShape(writer.items))
      return items === undefined ? undefined : { kind: 'array', items }
    }
    case 'record': return writer.kind === 'record' ? planRecord(reader, writer) : undefined
    case 'union': return planUnion(reader.branches, writer)
    default: return undefined
  }
}

function planUnion (reader: readonly Shape[], writer: Shape): Read | undefined {
  const mine = nullableOf(reader)
  const theirs = writer.kind === 'union' ? nullableOf(writer.branches) : undefined
  if (mine === undefined || theirs === undefined) return undefined
  const of = planValue(mine.of, theirs.of)
  return of === undefined ? undefined : { kind: 'nullable', nullFirst: theirs.nullFirst, of }
}

export function nullableOf (branches: readonly Shape[]): { readonly nullFirst: boolean, readonly of: Shape } | undefined {
  const [a, b] = branches
  if (a === undefined || b === undefined || branches.length !== 2) return undefined
  if (a.kind === 'null' && b.kind !== 'null') return { nullFirst: true, of: b }
  return b.kind === 'null' && a.kind !== 'null' ? { nullFirst: false, of: a } : undefined
}

/** A lower bound of a value's bytes. Throws SCHEMA_UNSUPPORTED for items that take none: a few bytes could claim any number of them. */
function leastBytes (shape: Shape): number {
  switch (shape.kind) {
    case 'null': return 0
    case 'float': return 4
    case 'double': return 8
    case 'fixed': return shape.size
    case 'record': return shape.fields.reduce((n, f) => n + leastBytes(f.shape), 0)
    case 'array': if (leastBytes(shape.items) === 0) throw unsupported('the items of an array take no bytes'); return 1
    case 'map': leastBytes(shape.values); return 1
    case 'union': for (const branch of shape.branches) leastBytes(branch); return 1
    default: return 1
  }
}
