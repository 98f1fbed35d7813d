import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileEncoder, compileFlyweight } from '../../../../streams/codec/index.ts'
import { plainOf } from './plain.ts'
import { avscOf, encoderOf, flyweightOf, isUnion, recordSchema, schemaAndValue, valueOf, type Field, type RecordType, type Type } from './random-schema.ts'

type Writer = Readonly<Record<string, (...given: readonly unknown[]) => Writer>> & { item (): Writer }
type Values = Readonly<Record<string, unknown>>

function writeFields (writer: Writer, fields: readonly Field[], values: Values): void { for (const { name, type } of fields) writeValue(writer, name, type, values[name]) }

function writeValue (writer: Writer, name: string, type: Type | 'null', value: unknown): void {
  if (isUnion(type)) {
    if (value === null) writer[`${name}Null`]!()
    else writeValue(writer, name, type.find(t => t !== 'null') as Type, value)
    return
  }
  if (type === 'bytes' || (typeof type === 'object' && type.type === 'fixed')) { writeBytes(writer, name, value as Buffer); return }
  if (typeof type === 'string') { writer[name]!(value); return }
  switch (type.type) {
    case 'enum': writer[name]!(type.symbols.indexOf(value as string)); return
    case 'record': writeFields(writer[name]!(), type.fields, value as Values); return
    case 'array': {
      const items = writer[name]!((value as readonly unknown[]).length)
      for (const item of value as readonly unknown[]) {
        if (typeof type.items === 'object' && !isUnion(type.items) && type.items.type === 'record') writeFields(items.item(), type.items.fields, item as Values)
        else writeValue(items.item(), 'value', type.items, item)
      }
    }
  }
}

function writeBytes (writer: Writer, name: string, bytes: Buffer): void { writer[`${name}Bytes`]!(Buffer.concat([Buffer.from([1]), bytes, Buffer.from([2])]), 1, 1 + bytes.length) }

function written (schema: RecordType, encoder: { begin (id: number): unknown, finish (): number, readonly buffer: Buffer }, values: Values, id: number): Buffer {
  encoder.begin(id)
  writeFields(encoder as unknown as Writer, schema.fields, values)
  const end = encoder.finish()
  return Buffer.from(encoder.buffer.subarray(0, end))
}

describe('an encoder', () => {
  it('writes any value of any schema as avsc does, behind Confluent\'s five bytes', () => {
    fc.assert(fc.property(schemaAndValue, fc.nat(), ({ schema, value }, id) => {
      const bytes = written(schema, new (encoderOf(schema))(), value, id)
      expect([bytes[0], bytes.readUInt32BE(1)]).toEqual([0, id])
      expect(bytes.subarray(5).equals(avscOf(schema).toBuffer(value))).toBe(true)
      const laid = new (flyweightOf(schema))()
      laid.over(bytes, 5, bytes.length)
      expect(JSON.stringify(plainOf(schema, laid))).toBe(JSON.stringify({ ...avscOf(schema).fromBuffer(bytes.subarray(5)) as object }))
    }), { numRuns: 400 })
  })

  it('writes one value after the other into the same scratch', () => {
    fc.assert(fc.property(recordSchema.chain(schema => fc.array(valueOf(schema), { minLength: 2, maxLength: 4 }).map(values => ({ schema, values }))), ({ schema, values }) => {
      const encoder = new (encoderOf(schema))()
      for (const value of values) expect(written(schema, encoder, value as Values, 1).subarray(5).equals(avscOf(schema).toBuffer(value))).toBe(true)
    }), { numRuns: 100 })
  })

  it('copies a string from bytes', () => {
    const encoder = new (compileEncoder({ type: 'record', name: 'R', fields: [{ name: 'id', type: 'string' }, { name: 'note', type: ['null', 'string'] }] } as const))()
    const source = Buffer.from('..anna..')
    encoder.begin(1).idBytes(source, 2, 6).noteNull()
    expect(encoder.buffer.subarray(5, encoder.finish()).toString('latin1')).toBe('\x08anna\0')
  })

  it('writes every long that a double holds so that it comes back', () => {
    const schema = { type: 'record', name: 'R', fields: [{ name: 'v', type: 'long' }] } as const
    const encoder = new (compileEncoder(schema))()
    const laid = new (compileFlyweight(schema))()
    fc.assert(fc.property(fc.oneof(fc.maxSafeInteger(), fc.constantFrom(2 ** 53 - 1, 1 - 2 ** 53, 2 ** 30, -(2 ** 30), 2 ** 30 - 1, -1 - 2 ** 30, 2 ** 27, 0, -1)), v => {
      encoder.begin(1).v(v)
      laid.over(encoder.buffer, 5, encoder.finish())
      expect(laid.v).toBe(v)
    }), { numRuns: 500 })
  })

  it('grows for a long value', () => {
    const encoder = new (compileEncoder({ type: 'record', name: 'R', fields: [{ name: 'text', type: 'string' }] } as const))()
    encoder.begin(1).text('é'.repeat(5_000))
    expect(encoder.finish()).toBe(5 + 3 + 10_000)
  })
})

describe('an encoder refuses', () => {
  const SCHEMA = { type: 'record', name: 'R', fields: [{ name: 'a', type: 'int' }, { name: 'list', type: { type: 'array', items: 'int' } }, { name: 'c', type: 'long' }] } as const
  const encoder = new (compileEncoder(SCHEMA))()
  const refused = (run: () => unknown): void => { expect(run).toThrow(expect.objectContaining({ code: 'PAYLOAD_INVALID' }) as Error) }
  it('fields in another order', () => { refused(() => encoder.begin(1).c(1)); refused(() => encoder.begin(1).a(1).a(1)) })
  it('a value without its last field', () => { refused(() => { encoder.begin(1).a(1).list(0); encoder.finish() }) })
  it('fewer items than were said, and more', () => {
    refused(() => { encoder.begin(1).a(1).list(2).item().value(1); encoder.c(1) })
    refused(() => { const items = encoder.begin(1).a(1).list(1); items.item().value(1); items.item() })
  })
  it('numbers that do not fit', () => { refused(() => encoder.begin(1).a(2 ** 31)); refused(() => encoder.begin(1).a(0.5)); refused(() => { encoder.begin(1).a(1).list(0); encoder.c(2 ** 53) }) })
  it('and goes on with the next value', () => {
    encoder.begin(1).a(1).list(1).item().value(2)
    encoder.c(3)
    expect([...encoder.buffer.subarray(5, encoder.finish())]).toEqual([2, 2, 4, 0, 6])
  })
})
