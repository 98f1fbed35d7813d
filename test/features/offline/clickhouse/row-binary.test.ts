import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RowBinaryWriter } from '../../../../features/offline/clickhouse/row-binary.ts'

function written (write: (out: RowBinaryWriter) => void): Buffer {
  const out = new RowBinaryWriter(1)
  write(out)
  return Buffer.from(out.written())
}

/** A naive LEB128 and UTF-8 twin. */
function naiveText (value: string): Buffer {
  const bytes = Buffer.from(value)
  const length: number[] = []
  let rest = bytes.length
  do { length.push(rest > 127 ? (rest & 127) | 128 : rest); rest >>= 7 } while (rest > 0)
  return Buffer.concat([Buffer.from(length), bytes])
}

describe('the RowBinary writer', () => {
  it('writes any text as its length and its UTF-8 bytes, known or not', () => {
    fc.assert(fc.property(fc.array(fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ maxLength: 300 }))), texts => {
      const all = Buffer.concat(texts.map(naiveText))
      expect(written(out => { for (const text of texts) out.text(text) })).toEqual(all)
      expect(written(out => { for (const text of [...texts, ...texts]) out.known(text) })).toEqual(Buffer.concat([all, all]))
    }))
  })

  it('writes safe integers as Int64', () => {
    fc.assert(fc.property(fc.maxSafeInteger(), value => { expect(written(out => { out.int64(value) }).readBigInt64LE()).toBe(BigInt(value)) }))
  })

  it('writes arrays of doubles with every bit of NaN, infinity and zero kept', () => {
    fc.assert(fc.property(fc.float64Array({ maxLength: 400 }), values => {
      const bytes = written(out => { out.float64s(values) })
      const body = bytes.subarray(bytes.length - values.byteLength)
      values.forEach((value, i) => { expect(body.readDoubleLE(8 * i)).toBe(value) })
    }))
  })

  it('keeps times within the years that the column has, and takes no time as 1970', () => {
    const time = (ms: number): number => Number(written(out => { out.time(ms) }).readBigInt64LE())
    expect([time(1.9), time(-1), time(NaN), time(-1e15), time(1e15)]).toEqual([1, -1, 0, Date.UTC(1900, 0, 1), Date.UTC(2299, 11, 31)])
  })
})
