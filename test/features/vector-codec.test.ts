import fc from 'fast-check'
import { expect, it } from 'vitest'
import { FEATURE_VECTOR_SCHEMA, openVectorCodec, packVector, unpackVector } from '../../features/vector-codec.ts'
import { TRIGGERS, type FeatureVector } from '../../features/vector.ts'
import { SchemaBook } from '../../streams/events/index.ts'

const value = fc.oneof({ weight: 4, arbitrary: fc.double() }, { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity, -0, 0, Number.MIN_VALUE) })
const vector = (times: fc.Arbitrary<number>, length: { readonly minLength?: number, readonly maxLength: number }): fc.Arbitrary<Pick<FeatureVector, 'values' | 'times'>> =>
  fc.array(fc.tuple(value, times), length).map(pairs => ({ values: Float64Array.from(pairs, p => p[0]), times: Float64Array.from(pairs, p => Number.isNaN(p[0]) ? NaN : p[1]) }))

function same (a: Float64Array, b: Float64Array): void {
  expect(a.length).toBe(b.length)
  a.forEach((x, i) => { if (!Object.is(x, b[i])) throw new Error(`${i}: ${x} is not ${b[i]}`) })
}

it('gives values and times back bit by bit: NaN, infinities, minus zero', () => {
  fc.assert(fc.property(vector(fc.constantFrom(1e12, 1e12 + 1, 2e12, 0.5), { maxLength: 70 }), v => {
    const back = unpackVector(packVector(v))
    same(back.values, v.values)
    same(back.times, v.times)
  }), { numRuns: 300 })
})

it.each([255, 256, 257, 400, 7_000])('takes %d different times', n => {
  const v = { values: Float64Array.from({ length: n }, (_, i) => i), times: Float64Array.from({ length: n }, (_, i) => 1e12 + i) }
  const back = unpackVector(packVector(v))
  same(back.values, v.values)
  same(back.times, v.times)
})

it('costs nothing but a bit for an absent feature', () => {
  const v = { values: new Float64Array(80).fill(NaN), times: new Float64Array(80).fill(NaN) }
  expect(packVector(v).length).toBe(2 + 10 + 2)
})

it('refuses bytes that are cut short', () => {
  const packed = packVector({ values: Float64Array.of(1, NaN, 3), times: Float64Array.of(10, NaN, 20) })
  for (let n = 0; n < packed.length; n++) expect(() => unpackVector(packed.subarray(0, n))).toThrow(expect.objectContaining({ code: 'PAYLOAD_INVALID' }) as Error)
})

it('carries a vector whole in Confluent\'s wire format', async () => {
  const book = await SchemaBook.open({ url: 'mock://', storage: { load: () => [], add: () => Promise.resolve() } })
  const codec = await openVectorCodec(book, 'latido.features')
  for (const trigger of TRIGGERS) {
    const v: FeatureVector = { type: 'vector', view: 'vitals', version: 3, asOf: 1_900_000_000_123, trigger, through: 77, values: Float64Array.of(NaN, 5.5), times: Float64Array.of(NaN, 1_900_000_000_000) }
    const bytes = codec.encode(v)
    expect(codec.decode(bytes, 0, bytes.length)).toEqual(v)
    const { through: _, ...untold } = v
    const silent = codec.encode(untold)
    expect(codec.decode(silent, 0, silent.length)).toEqual({ ...v, through: -1 })
  }
})

it('tells the view of a framed vector without decoding it, for every length of name that a view may have', async () => {
  const book = await SchemaBook.open({ url: 'mock://', storage: { load: () => [], add: () => Promise.resolve() } })
  const codec = await openVectorCodec(book, 'latido.features')
  for (let length = 1; length <= 63; length++) {
    const view = 'v'.repeat(length)
    const bytes = Buffer.concat([Buffer.from('before'), codec.encode({ type: 'vector', view, version: 1, asOf: 1, trigger: 'timer', values: Float64Array.of(1), times: Float64Array.of(1) })])
    expect(codec.viewOf(bytes, 6)).toBe(view)
  }
})

it('lays a vector over its bytes: the same values and times when they are asked for, and straight into a row', async () => {
  const book = await SchemaBook.open({ url: 'mock://', storage: { load: () => [], add: () => Promise.resolve() } })
  const codec = await openVectorCodec(book, 'latido.features')
  fc.assert(fc.property(vector(fc.constantFrom(1e12, 2e12), { maxLength: 70 }), v => {
    const bytes = Buffer.concat([Buffer.from('before'), codec.encode({ type: 'vector', view: 'vitals', version: 2, asOf: 5, trigger: 'device', ...v }), Buffer.from('behind')])
    const laid = codec.lay(bytes, 6, bytes.length - 6)
    const row = new Float64Array(v.values.length + 2).fill(7)
    laid.packed.readValues(row, 1)
    same(row.subarray(1, -1), v.values)
    same(laid.times, v.times)
    same(laid.values, v.values)
    expect([laid.view, laid.version, laid.asOf, laid.trigger, laid.packed.present, row[0], row.at(-1)]).toEqual(['vitals', 2, 5, 'device', v.values.filter(x => !Number.isNaN(x)).length, 7, 7])
  }), { numRuns: 100 })
})

it('reads what was written before vectors said how far they went', async () => {
  const book = await SchemaBook.open({ url: 'mock://', storage: { load: () => [], add: () => Promise.resolve() } })
  const codec = await openVectorCodec(book, 'latido.features')
  const before = await book.codec<object>('latido.features', { ...FEATURE_VECTOR_SCHEMA, fields: FEATURE_VECTOR_SCHEMA.fields.filter(f => f.name !== 'through') })
  const bytes = before.encode({ view: 'vitals', version: 3, asOf: 5, trigger: 0, packed: packVector({ values: Float64Array.of(1), times: Float64Array.of(4) }) })
  expect(codec.decode(bytes, 0, bytes.length)).toMatchObject({ view: 'vitals', asOf: 5, through: -1 })
})
