import avro from 'avsc'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { compileFlyweight } from '../../../../streams/codec/index.ts'
import { plainOf } from './plain.ts'
import { avscOf, flyweightOf, isUnion, recordSchema, schemaAndValue, valueOf, type Field, type RecordType, type Type } from './random-schema.ts'

/** As avsc gives it back: floats rounded, no prototypes. */
const asRead = (schema: RecordType, bytes: Buffer): unknown => plainObjects(avscOf(schema).fromBuffer(bytes))
function plainObjects (value: unknown): unknown {
  if (Buffer.isBuffer(value) || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(plainObjects)
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plainObjects(v)]))
}
const within = (bytes: Buffer): { readonly buffer: Buffer, readonly start: number, readonly end: number } => ({ buffer: Buffer.concat([Buffer.from([255, 255, 255]), bytes, Buffer.alloc(12, 255)]), start: 3, end: 3 + bytes.length })
const INVALID = expect.objectContaining({ code: 'PAYLOAD_INVALID' }) as Error

const VITAL = {
  type: 'record', name: 'Vital', fields: [
    { name: 'patient', type: 'string' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'value', type: ['null', 'double'] },
    { name: 'code', type: ['null', 'string'] },
    { name: 'place', type: { type: 'record', name: 'Place', fields: [{ name: 'ward', type: 'string' }, { name: 'bed', type: 'int' }] } },
    { name: 'flags', type: { type: 'array', items: { type: 'record', name: 'Flag', fields: [{ name: 'id', type: 'int' }, { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 2 } }] } } },
    { name: 'names', type: { type: 'array', items: 'string' } },
  ],
} as const

/** avsc reads integers beyond 2^52 inexactly, and a null number is NaN here. */
function comparable (value: unknown): unknown {
  if (typeof value === 'number') return Number.isNaN(value) ? null : Number.isInteger(value) && Math.abs(value) >= 2 ** 52 ? 'large' : value
  if (Buffer.isBuffer(value) || value === null || typeof value !== 'object') return value
  return Array.isArray(value) ? value.map(comparable) : Object.fromEntries(Object.entries(value).map(([k, v]) => [k, comparable(v)]))
}

describe('a flyweight', () => {
  it('is laid over a value, and its fields are numbers, ranges, text, and items to walk', () => {
    const bytes = avro.Type.forSchema(JSON.parse(JSON.stringify(VITAL)) as avro.Schema).toBuffer({ patient: 'anna', at: 1_900_000_000_123, value: 36.6, code: null, place: { ward: 'w', bed: 7 }, flags: [{ id: 1, hash: Buffer.from('ab') }, { id: 2, hash: Buffer.from('cd') }], names: ['x'] })
    const vital = new (compileFlyweight(VITAL))()
    const { buffer, start, end } = within(bytes)
    vital.over(buffer, start, end)
    expect([vital.patient, vital.patientEnd - vital.patientStart, vital.at, vital.value, vital.code, vital.codeStart, vital.place.ward, vital.place.bed, vital.flagsCount]).toEqual(['anna', 4, 1_900_000_000_123, 36.6, null, -1, 'w', 7, 2])
    const ids: number[] = []
    while (vital.flags.next()) ids.push(vital.flags.id + vital.flags.hash[0]!)
    expect([ids, vital.names.next(), vital.names.value, vital.names.next()]).toEqual([[98, 101], true, 'x', false])
    expectTypeOf(vital.patient).toEqualTypeOf<string>()
    expectTypeOf(vital.code).toEqualTypeOf<string | null>()
    expectTypeOf(vital.flags.hash).toEqualTypeOf<Buffer>()
    expectTypeOf(vital.place.bed).toEqualTypeOf<number>()
    expectTypeOf(vital.names.value).toEqualTypeOf<string>()
    expectTypeOf<keyof typeof vital>().toExtend<string>()
  })

  it('says of any schema and value what avsc says', () => {
    fc.assert(fc.property(schemaAndValue, ({ schema, value }) => {
      const bytes = avscOf(schema).toBuffer(value)
      const { buffer, start, end } = within(bytes)
      const laid = new (flyweightOf(schema))()
      laid.over(buffer, start, end)
      expect(plainOf(schema, laid)).toEqual(asRead(schema, bytes))
    }), { numRuns: 400 })
  })

  it('may be laid over one value after the other, in any order, and remembers nothing', () => {
    fc.assert(fc.property(recordSchema.chain(schema => fc.array(valueOf(schema), { minLength: 2, maxLength: 5 }).map(values => ({ schema, values }))), ({ schema, values }) => {
      const laid = new (flyweightOf(schema))()
      for (const value of values) {
        const bytes = avscOf(schema).toBuffer(value)
        laid.over(bytes, 0, bytes.length)
        expect(plainOf(schema, laid)).toEqual(asRead(schema, bytes))
      }
    }), { numRuns: 100 })
  })

  it('refuses a value that is cut, anywhere, and one that has bytes behind it', () => {
    fc.assert(fc.property(schemaAndValue, ({ schema, value }) => {
      const bytes = avscOf(schema).toBuffer(value)
      const laid = new (flyweightOf(schema))()
      const { buffer, start, end } = within(bytes)
      for (let cut = 0; cut < bytes.length; cut++) expect(() => { laid.over(buffer, start, start + cut) }).toThrow(INVALID)
      expect(() => { laid.over(buffer, start, end + 1) }).toThrow(INVALID)
    }), { numRuns: 100 })
  })

  it('refuses mutated bytes or reads them as avsc does; it never looks beyond the end', () => {
    fc.assert(fc.property(schemaAndValue, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), ({ schema, value }, mutations) => {
      const bytes = avscOf(schema).toBuffer(value)
      if (bytes.length === 0) return
      for (const [at, byte] of mutations) bytes[at % bytes.length] = byte
      const laid = new (flyweightOf(schema))()
      const seen = (filling: number): unknown => {
        const buffer = Buffer.concat([bytes, Buffer.alloc(20, filling)])
        try {
          laid.over(buffer, 0, bytes.length)
          return plainOf(schema, laid)
        } catch (e) {
          expect(e).toEqual(INVALID)
          return 'refused'
        }
      }
      const said = seen(0)
      expect(said).toEqual(seen(255))
      if (said !== 'refused') expect(comparable(said)).toEqual(comparable(asRead(schema, bytes)))
    }), { numRuns: 400 })
  })

  it('takes blocks of items with their bytes told, and more than one', () => {
    const schema = { type: 'record', name: 'R', fields: [{ name: 'list', type: { type: 'array', items: 'int' } }, { name: 'after', type: 'int' }] } as const
    const laid = new (compileFlyweight(schema))()
    laid.over(Buffer.from([3, 4, 2, 4, 2, 6, 0, 14]), 0, 8) // two items in two bytes, one item, none
    const items: number[] = []
    while (laid.list.next()) items.push(laid.list.value)
    expect([laid.listCount, items, laid.after]).toEqual([3, [1, 2, 3], 7])
  })

  it('does not believe a count of items that its bytes cannot hold', () => {
    const laid = new (compileFlyweight({ type: 'record', name: 'R', fields: [{ name: 'list', type: { type: 'array', items: 'int' } }] } as const))()
    const claims = Buffer.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 2])
    expect(() => { laid.over(claims, 0, claims.length) }).toThrow(INVALID)
  })

  it('refuses a long that a double cannot hold, and an int of more than 32 bits', () => {
    const long = new (compileFlyweight({ type: 'record', name: 'R', fields: [{ name: 'v', type: 'long' }] } as const))()
    const int = new (compileFlyweight({ type: 'record', name: 'R', fields: [{ name: 'v', type: 'int' }] } as const))()
    const large = Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20])
    expect(() => { long.over(large, 0, large.length) }).toThrow(INVALID)
    const of33 = Buffer.from([0x80, 0x80, 0x80, 0x80, 0x20])
    expect(() => { int.over(of33, 0, of33.length) }).toThrow(INVALID)
    long.over(of33, 0, of33.length)
    expect(long.v).toBe(2 ** 32)
  })
})

describe('a schema that has no places is refused', () => {
  const refused = (...fields: readonly { readonly name: string, readonly type: unknown }[]): void => {
    expect(() => compileFlyweight({ type: 'record', name: 'R', fields: fields as never })).toThrow(expect.objectContaining({ code: 'SCHEMA_UNSUPPORTED' }) as Error)
  }
  it('a map', () => { refused({ name: 'm', type: { type: 'map', values: 'int' } }) })
  it('a union of more than null and one type', () => { refused({ name: 'u', type: ['null', 'int', 'string'] }) })
  it('a type that refers to itself', () => { refused({ name: 'r', type: { type: 'record', name: 'Node', fields: [{ name: 'next', type: ['null', 'Node'] }] } }) })
  it('items without bytes', () => { refused({ name: 'a', type: { type: 'array', items: { type: 'record', name: 'E', fields: [] } } }) })
  it('a name that is code', () => { refused({ name: 'a;process.exit()', type: 'int' }) })
  it('two fields with one property', () => { refused({ name: 'a', type: 'string' }, { name: 'aStart', type: 'int' }); refused({ name: 'buffer', type: 'int' }) })
})

describe('what another version of the schema has written', () => {
  const INT_DEFAULT: Readonly<Record<string, unknown>> = { boolean: true, int: 3, long: 4, float: 0.5, double: 1.5, string: '', bytes: '' }
  const NARROWER: Readonly<Record<string, readonly Type[]>> = { long: ['int'], float: ['int'], double: ['int', 'float'], string: ['bytes'], bytes: ['string'] }

  /** A writer of before: other order, fields that the reader dropped, none that it has added, narrower numbers. */
  const evolved = fc.tuple(recordSchema, recordSchema, fc.array(fc.nat(1_000), { minLength: 16, maxLength: 16 })).map(([reader, dropped, dice]) => {
    let throws = 0
    const die = (sides: number): number => dice[throws++ % dice.length]! % sides
    const readerFields: Field[] = []
    const writerFields: Field[] = []
    for (const field of reader.fields) {
      const { name, type } = field
      const plain = typeof type === 'string' ? INT_DEFAULT[type] : isUnion(type) && type[0] === 'null' ? null : undefined
      if (plain !== undefined && die(3) === 0) { readerFields.push({ ...field, default: plain }); continue }
      readerFields.push(field)
      const narrower = typeof type === 'string' ? NARROWER[type] : undefined
      const written: Field = narrower !== undefined && die(2) === 0 ? { name, type: narrower[die(narrower.length)]! } : field
      writerFields.splice(die(writerFields.length + 1), 0, written)
    }
    const renamed = (JSON.parse(JSON.stringify(dropped.fields).replace(/"n(?=\d)/g, '"d')) as readonly Field[])
    for (const field of renamed) writerFields.splice(die(writerFields.length + 1), 0, field)
    return { reader: { ...reader, fields: readerFields }, writer: { ...reader, fields: writerFields } }
  })

  it('is read by position as avsc resolves it', () => {
    fc.assert(fc.property(evolved.chain(({ reader, writer }) => valueOf(writer).map(value => ({ reader, writer, value }))), ({ reader, writer, value }) => {
      const bytes = avscOf(writer).toBuffer(value)
      const Laid = flyweightOf(reader)
      const layout = Laid.layoutOf(writer)
      expect(layout.positional).toBe(true)
      const laid = new Laid()
      const { buffer, start, end } = within(bytes)
      laid.over(buffer, start, end, layout)
      const type = avscOf(reader)
      const resolved = type.fromBuffer(bytes, type.createResolver(avscOf(writer))) as unknown
      expect(JSON.stringify(plainOf(reader, laid))).toEqual(JSON.stringify(plainObjects(resolved)))
      for (let cut = 0; cut < bytes.length; cut++) expect(() => { laid.over(buffer, start, start + cut, layout) }).toThrow(INVALID)
    }), { numRuns: 300 })
  })

  it('is resolved as an object where more differs, and looks the same', () => {
    const reader = { type: 'record', name: 'R', fields: [{ name: 'a', type: ['null', 'int'] }, { name: 'b', type: 'string', default: 'nobody' }] } as const
    const writer = { type: 'record', name: 'R', fields: [{ name: 'a', type: 'int' }] } as const
    const Laid = compileFlyweight(reader)
    const layout = Laid.layoutOf(writer)
    const laid = new Laid()
    const bytes = avro.Type.forSchema(JSON.parse(JSON.stringify(writer)) as avro.Schema).toBuffer({ a: 5 })
    laid.over(bytes, 0, bytes.length, layout)
    expect([layout.positional, laid.a, laid.b, laid.buffer.toString('utf8', laid.bStart, laid.bEnd)]).toEqual([false, 5, 'nobody', 'nobody'])
    expect(() => { laid.over(bytes, 0, bytes.length - 1, layout) }).toThrow(INVALID)
    expect(() => { laid.over(Buffer.concat([bytes, bytes]), 0, bytes.length * 2, layout) }).toThrow(INVALID)
  })

  it('is refused where it cannot be read', () => {
    const Laid = compileFlyweight({ type: 'record', name: 'R', fields: [{ name: 'a', type: 'int' }] } as const)
    expect(() => Laid.layoutOf({ type: 'record', name: 'R', fields: [{ name: 'a', type: 'string' }] })).toThrow(expect.objectContaining({ code: 'SCHEMA_INCOMPATIBLE' }) as Error)
  })
})
