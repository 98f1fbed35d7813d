import fc from 'fast-check'
import { expect, it } from 'vitest'
import { WireReader, WireWriter } from '../../../../../../streams/log/kafka/direct/wire/index.ts'

const int = (bits: number): fc.Arbitrary<number> => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 })
const text = fc.option(fc.string({ unit: 'grapheme', maxLength: 200 }))
const bytes = fc.option(fc.uint8Array({ maxLength: 700 }).map(b => Buffer.from(b)))
const hex = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(b => Buffer.from(b).toString('hex'))
const safe = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })

/** Each primitive: how it is drawn, written and read. */
const kinds = {
  boolean: [fc.boolean(), (w: WireWriter, v: boolean) => w.boolean(v), (r: WireReader) => r.boolean()],
  int8: [int(8), (w: WireWriter, v: number) => w.int8(v), (r: WireReader) => r.int8()],
  int16: [int(16), (w: WireWriter, v: number) => w.int16(v), (r: WireReader) => r.int16()],
  int32: [int(32), (w: WireWriter, v: number) => w.int32(v), (r: WireReader) => r.int32()],
  int64: [safe, (w: WireWriter, v: number) => w.int64(v), (r: WireReader) => r.int64()],
  uvarint: [fc.nat(2 ** 31 - 1), (w: WireWriter, v: number) => w.uvarint(v), (r: WireReader) => r.uvarint()],
  string: [text, (w: WireWriter, v: string | null) => w.string(v), (r: WireReader) => r.string()],
  compactString: [text, (w: WireWriter, v: string | null) => w.compactString(v), (r: WireReader) => r.compactString()],
  bytesField: [bytes, (w: WireWriter, v: Buffer | null) => w.bytesField(v), (r: WireReader) => r.bytesField()],
  compactBytes: [bytes, (w: WireWriter, v: Buffer | null) => w.compactBytes(v), (r: WireReader) => r.compactBytes()],
  uuid: [hex, (w: WireWriter, v: string) => w.uuid(v), (r: WireReader) => r.uuid()],
  array: [fc.array(int(32)), (w: WireWriter, v: number[]) => w.array(v, i => { w.int32(i) }), (r: WireReader) => r.array(() => r.int32())],
  compactArray: [fc.array(text), (w: WireWriter, v: (string | null)[]) => w.compactArray(v, i => { w.compactString(i) }), (r: WireReader) => r.compactArray(() => r.compactString())],
} as const

type Drawn = readonly [keyof typeof kinds, unknown]
const drawn: fc.Arbitrary<Drawn> = fc.oneof(...Object.entries(kinds).map(([kind, [values]]) => (values as fc.Arbitrary<unknown>).map((value): Drawn => [kind as keyof typeof kinds, value])))
const write = (writer: WireWriter, [kind, value]: Drawn): unknown => (kinds[kind][1] as (w: WireWriter, v: unknown) => unknown)(writer, value)
const read = (reader: WireReader, [kind]: Drawn): unknown => kinds[kind][2](reader)

it('reads what was written, whatever follows what', () => {
  fc.assert(fc.property(fc.array(drawn, { maxLength: 30 }), all => {
    const writer = new WireWriter()
    for (const one of all) write(writer, one)
    const reader = new WireReader(Buffer.from(writer.bytes))
    expect(all.map(one => read(reader, one))).toEqual(all.map(([, value]) => value))
    expect(reader.at).toBe(writer.length)
  }))
})

it('says so when an answer is cut off, and reads nothing beyond its end', () => {
  fc.assert(fc.property(drawn, fc.double({ min: 0, max: 0.999, noNaN: true }), (one, share) => {
    const writer = new WireWriter()
    write(writer, one)
    const cut = Buffer.from(writer.bytes.subarray(0, Math.floor(writer.length * share)))
    expect(() => read(new WireReader(cut), one)).toThrow(RangeError)
  }))
})

it('passes over tagged fields that it does not know', () => {
  const writer = new WireWriter().uvarint(2).uvarint(0).uvarint(3).raw(Buffer.from('abc')).uvarint(9).uvarint(4).int32(77).int8(5)
  const reader = new WireReader(writer.bytes)
  const seen: number[] = []
  reader.tags(tag => { if (tag === 9) seen.push(reader.int32()) })
  expect([seen, reader.int8()]).toEqual([[77], 5])
})

it('writes what the protocol guide says: big endian, compact lengths plus one, null as zero', () => {
  const writer = new WireWriter().int16(-2).int64(2 ** 40).uvarint(300).compactString('é').compactString(null).string(null).compactArray(null, () => {}).tags()
  expect(writer.bytes.toString('hex')).toBe('fffe' + '0000010000000000' + 'ac02' + '03c3a9' + '00' + 'ffff' + '00' + '00')
})
