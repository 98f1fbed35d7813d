import { isUnion, type Field, type RecordType, type Type } from './random-schema.ts'

type Laid = Readonly<Record<string, unknown>> & { readonly buffer: Buffer }
interface Walked extends Laid { next (): boolean, rewind (): void }

/** What a flyweight says, as avsc would have said it. */
export function plainOf (schema: RecordType, flyweight: object): unknown { return fieldsOf(schema.fields, flyweight as unknown as Laid) }

function fieldsOf (fields: readonly Field[], laid: Laid): unknown { return Object.fromEntries(fields.map(f => [f.name, fieldOf(f.name, f.type, laid)])) }

function fieldOf (name: string, type: Type | 'null', laid: Laid): unknown {
  if (isUnion(type)) {
    const bare = type.find(t => t !== 'null') as Type
    return isNull(name, bare, laid) ? null : fieldOf(name, bare, laid)
  }
  const value = laid[name]
  if (type === 'boolean') return value === 1
  if (type === 'string' || type === 'bytes') return ranged(name, type, laid)
  if (typeof type === 'string') return value
  switch (type.type) {
    case 'enum': return type.symbols[value as number]
    case 'fixed': return ranged(name, 'bytes', laid)
    case 'record': return fieldsOf(type.fields, value as Laid)
    case 'array': return itemsOf(name, type.items, laid)
  }
}

/** The getter and the range say the same. */
function ranged (name: string, type: 'string' | 'bytes', laid: Laid): unknown {
  const range = Buffer.from(laid.buffer.subarray(laid[`${name}Start`] as number, laid[`${name}End`] as number))
  if (type === 'bytes') return Buffer.from(laid[name] as Buffer).equals(range) ? range : 'another range'
  return laid[name] === range.toString() ? laid[name] : 'another range'
}

/** Walked twice: the second time must say the same. */
function itemsOf (name: string, items: Type, laid: Laid): unknown {
  const walked = laid[name] as Walked
  const once = walk(items, walked)
  walked.rewind()
  const twice = walk(items, walked)
  if (once.length !== laid[`${name}Count`] || JSON.stringify(once) !== JSON.stringify(twice)) return 'another walk'
  return once
}

function walk (items: Type, walked: Walked): readonly unknown[] {
  const all: unknown[] = []
  while (walked.next()) all.push(typeof items === 'object' && !isUnion(items) && items.type === 'record' ? fieldsOf(items.fields, walked) : fieldOf('value', items, walked))
  return all
}

function isNull (name: string, bare: Type, laid: Laid): boolean {
  if (bare === 'string' || bare === 'bytes') return laid[`${name}Start`] === -1 && laid[name] === null
  if (typeof bare === 'string') return Number.isNaN(laid[name])
  if (isUnion(bare)) return false
  switch (bare.type) {
    case 'fixed': return laid[`${name}Start`] === -1
    case 'array': return laid[`${name}Count`] === -1 && !(laid[name] as Walked).next()
    case 'record': return laid[`${name}Present`] === false
    case 'enum': return Number.isNaN(laid[name])
  }
}
