import type { AvroRecord, FlyweightOf } from '../codec/index.ts'
import { LatidoError } from '../errors/index.ts'
import type { KeyColumns } from './key-columns.ts'

const RANGES: ReadonlySet<string> = new Set(['string', 'bytes'])
const NUMBERS: ReadonlySet<string> = new Set(['boolean', 'int', 'long', 'float', 'double'])

/** Reads a number off a flyweight. */
export type NumberOf<S> = (record: FlyweightOf<S>) => number
/** Puts a key together from a flyweight's fields; false: one is missing, or it is too long. */
export type KeyOf<S> = (record: FlyweightOf<S>, keys: KeyColumns) => boolean

// Generated, because a property that is read by a variable's name is looked up each time. Names were checked against Avro's grammar by the flyweight's compiler.

/** Throws CONFIG_INVALID where the schema has no such number. */
export function numberOf<S extends AvroRecord> (schema: S, field: string): NumberOf<S> {
  check(schema, field, NUMBERS, 'a number')
  return new Function('record', `return record.${field}`) as NumberOf<S>
}

/** Throws CONFIG_INVALID where the schema has no such text. */
export function keyOf<S extends AvroRecord> (schema: S, fields: readonly string[]): KeyOf<S> {
  if (fields.length === 0) throw new LatidoError('CONFIG_INVALID', `the key of ${schema.name} has no field`, 'name at least one')
  for (const field of fields) check(schema, field, RANGES, 'a text')
  const adds = fields.map(f => `record.${f}Start >= 0 && keys.add(record.buffer, record.${f}Start, record.${f}End)`)
  return new Function('record', 'keys', `keys.begin()\nreturn ${adds.join(' && ')}`) as KeyOf<S>
}

function check (schema: AvroRecord, field: string, kinds: ReadonlySet<string>, what: string): void {
  const found = schema.fields.find(f => f.name === field)
  if (found !== undefined && /^[A-Za-z_]\w*$/.test(field) && branchesOf(found.type).every(t => kinds.has(t))) return
  throw new LatidoError('CONFIG_INVALID', `${schema.name} has no field ${field} that is ${what}`, `choose among ${schema.fields.filter(f => branchesOf(f.type).every(t => kinds.has(t))).map(f => f.name).join(', ')}`)
}

function branchesOf (type: unknown): readonly string[] {
  if (typeof type === 'string') return [type]
  if (Array.isArray(type)) return (type as readonly unknown[]).filter(t => t !== 'null').flatMap(branchesOf)
  return typeof type === 'object' && type !== null && 'type' in type ? branchesOf(type.type) : ['']
}
