import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { BatchBuilder, BatchCursor, checkBatch } from '../../../../../../streams/codec/index.ts'
import { isLatidoError } from '../../../../../../streams/errors/index.ts'
import { codecOf, deflate, deflateBatch, inflate, inflateBatch, prepareCompression, type Codec } from '../../../../../../streams/log/kafka/direct/compression/index.ts'
import { ofNode, ofWasm, zstdBound } from '../../../../../../streams/log/kafka/direct/compression/zstd.ts'

beforeAll(prepareCompression)

/** From noise to pure repetition, up to several blocks of 64 KB. */
const content = fc.oneof(
  fc.uint8Array({ maxLength: 2_000 }),
  fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 4_000 })).map(([part, times]) => Buffer.concat(Array.from({ length: times }, () => part))),
  fc.array(fc.constantFrom('heartRate', 'spo2', 'bed-12', '\0\0\0', '97', '98.6'), { maxLength: 9_000 }).map(words => Buffer.from(words.join(''))),
).map(b => Buffer.from(b))

/** Snappy in its simplest form: literals only, raw. */
function rawSnappy (bytes: Buffer): Buffer {
  const size: number[] = []
  for (let rest = bytes.length; ; rest >>>= 7) { size.push(rest > 127 ? rest & 127 | 128 : rest); if (rest <= 127) break }
  const literals: Buffer[] = []
  for (let at = 0; at < bytes.length; at += 60) { const part = bytes.subarray(at, at + 60); literals.push(Buffer.from([part.length - 1 << 2]), part) }
  return Buffer.concat([Buffer.from(size), ...literals])
}

const compress: Readonly<Record<Codec, (bytes: Buffer) => Buffer>> = {
  none: bytes => bytes,
  gzip: bytes => gzipSync(bytes),
  snappy: rawSnappy,
  lz4: bytes => deflate('lz4', bytes, 0, bytes.length),
  zstd: bytes => deflate('zstd', bytes, 0, bytes.length),
}
const codecs = Object.keys(compress) as Codec[]

it.each(codecs)('%s: what was compressed comes back, from any place of a buffer', codec => {
  fc.assert(fc.property(content, fc.nat(9), fc.nat(9), (bytes, before, after) => {
    const compressed = compress[codec](bytes)
    const within = Buffer.concat([Buffer.alloc(before, 1), compressed, Buffer.alloc(after, 2)])
    expect(inflate(codec, within, before, before + compressed.length).equals(bytes)).toBe(true)
  }), { numRuns: 60 })
})

it.each(codecs)('%s: what is cut off or damaged is refused as BATCH_CORRUPT or comes out within the limit, and nothing else happens', codec => {
  fc.assert(fc.property(content, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(), (bytes, flips, cut) => {
    const damaged = Buffer.from(compress[codec](bytes))
    for (const [at, value] of flips) if (damaged.length > 0) damaged[at % damaged.length] = value
    const end = damaged.length - (cut % 3 === 0 ? cut % (damaged.length + 1) : 0)
    try { expect(inflate(codec, damaged, 0, end, 300_000).length).toBeLessThanOrEqual(300_000) } catch (e) { if (!isLatidoError(e) || e.code !== 'BATCH_CORRUPT') throw e }
  }), { numRuns: 150 })
})

it.each(codecs)('%s: no more than the limit comes out, and exactly the limit may', codec => {
  const compressed = compress[codec](Buffer.alloc(200_000, 'ab'))
  expect(inflate(codec, compressed, 0, compressed.length, 200_000)).toHaveLength(200_000)
  expect(() => inflate(codec, compressed, 0, compressed.length, 199_999)).toThrow(expect.objectContaining({ code: 'BATCH_CORRUPT' }) as Error)
})

it('gzip: stops while it inflates, not after', () => {
  const bomb = gzipSync(Buffer.alloc(1_000_000))
  expect(() => inflate('gzip', bomb, 0, bomb.length, 1_000)).toThrow(expect.objectContaining({ cause: expect.objectContaining({ code: 'ERR_BUFFER_TOO_LARGE' }) as Error }) as Error)
})

describe('LZ4', () => {
  it('writes the same bytes whatever was written before', () => {
    const bytes = Buffer.from('heartRate=61;spo2=97;heartRate=62;spo2=97;'.repeat(50))
    const before = compress.lz4(bytes)
    compress.lz4(Buffer.from('=97;heartRate=6'.repeat(4_000)))
    expect(compress.lz4(bytes).equals(before)).toBe(true)
  })
  it('refuses a copy from before the block, where other bytes lie', () => {
    const block = Buffer.from([0x10, 0x61, 2, 0, 0x50, 0x62, 0x62, 0x62, 0x62, 0x62])
    const frame = Buffer.concat([Buffer.from('04224d18604082', 'hex'), Buffer.from('01000080', 'hex'), Buffer.from('x'), Buffer.from([block.length, 0, 0, 0]), block, Buffer.alloc(4)])
    expect(() => inflate('lz4', frame, 0, frame.length)).toThrow(expect.objectContaining({ code: 'BATCH_CORRUPT' }) as Error)
  })
  it('writes the frame that Kafka reads: independent blocks of 64 KB, the header\'s checksum, no content checksum', () => {
    expect(compress.lz4(Buffer.from('abc')).toString('hex')).toBe('04224d18604082' + '03000080' + Buffer.from('abc').toString('hex') + '00000000')
  })
  it('repeats what overlaps', () => {
    // token: 1 literal, length 4 + 10; distance 1; then the five last literals
    const block = Buffer.from([0x1a, 0x61, 1, 0, 0x50, 0x62, 0x62, 0x62, 0x62, 0x62])
    const frame = Buffer.concat([Buffer.from('04224d18604082', 'hex'), Buffer.from([block.length, 0, 0, 0]), block, Buffer.alloc(4)])
    expect(inflate('lz4', frame, 0, frame.length).toString()).toBe('a'.repeat(15) + 'bbbbb')
  })
  it('passes over sizes and checksums that other writers add', () => {
    const frame = Buffer.concat([Buffer.from('04224d18', 'hex'), Buffer.from([0x7c, 0x40]), Buffer.alloc(8), Buffer.from([0]), Buffer.from('03000080', 'hex'), Buffer.from('abc'), Buffer.alloc(4, 9), Buffer.alloc(4), Buffer.alloc(4, 9)])
    expect(inflate('lz4', frame, 0, frame.length).toString()).toBe('abc')
  })
})

describe('Snappy', () => {
  it('reads the blocks of Java\'s framing', () => {
    const parts = ['heart', 'rate'].map(text => rawSnappy(Buffer.from(text)))
    const framed = Buffer.concat([Buffer.from('82534e4150505900' + '00000001' + '00000001', 'hex'), ...parts.flatMap(p => { const size = Buffer.alloc(4); size.writeInt32BE(p.length); return [size, p] })])
    expect(inflate('snappy', framed, 0, framed.length).toString()).toBe('heartrate')
  })
  it('refuses a copy from before the block, where other bytes lie', () => {
    const block = Buffer.from([6, 0, 0x61, 0x05, 2]) // a, then 5 bytes from 2 back
    expect(() => inflate('snappy', block, 0, block.length, 1_000, 61)).toThrow(expect.objectContaining({ code: 'BATCH_CORRUPT' }) as Error)
  })
  it('reads copies of all three kinds', () => {
    // 'abcd', then copies: 4 back by 4 (1 byte), 3 back by 8 (2 bytes), 2 back by 11 (4 bytes)
    const block = Buffer.from([13, 3 << 2, 0x61, 0x62, 0x63, 0x64, 0x01, 4, 2 << 2 | 2, 8, 0, 1 << 2 | 3, 11, 0, 0, 0])
    expect(inflate('snappy', block, 0, block.length).toString()).toBe('abcdabcdabcab')
  })
})

describe('zstd', () => {
  it('by WebAssembly reads and writes as Node\'s own, where Node has one', async () => {
    const wasm = await ofWasm()
    const other = ofNode() ?? wasm
    const bytes = Buffer.from('heartRate 97 '.repeat(5_000))
    for (const [writer, reader] of [[wasm, other], [other, wasm]] as const) expect(Buffer.from(reader.inflate(Buffer.from(writer.deflate(bytes)), bytes.length)).equals(bytes)).toBe(true)
  })
  it('does not believe a frame that claims more than the limit', () => {
    const frame = Buffer.concat([Buffer.from('28b52ffd' + 'e0', 'hex'), Buffer.from('ffffffffffffff7f', 'hex'), Buffer.from([1, 0, 0])])
    expect(() => zstdBound(frame, 1_000_000)).toThrow(RangeError)
  })
  it('finds room by the blocks where a frame does not say its size', () => {
    // window descriptor, no size; a block that repeats 'x' 1,000 times, the last
    const frame = Buffer.concat([Buffer.from('28b52ffd' + '00' + '58', 'hex'), Buffer.from([1_000 << 3 & 255 | 1 << 1 | 1, 1_000 >> 5 & 255, 0, 0x78])])
    expect(zstdBound(frame, 1_000_000)).toBe(1_000)
    expect(inflate('zstd', frame, 0, frame.length).toString()).toBe('x'.repeat(1_000))
  })
})

describe('a batch', () => {
  const built = (count: number, base: number): Buffer => {
    const builder = new BatchBuilder()
    for (let i = 0; i < count; i++) builder.append(1_000 + i, Buffer.from(`bed-${i % 3}`), Buffer.from(`heartRate=${60 + i}`), i % 2 === 0 ? [{ key: 'source', value: Buffer.from('monitor') }] : [])
    return builder.finish(base, -1, { id: 7, epoch: 1, sequence: 5, transactional: true })
  }
  const walked = (batch: Buffer): unknown[] => {
    const cursor = new BatchCursor([batch], 0)
    const all: unknown[] = []
    while (cursor.next()) all.push([cursor.offset, cursor.timestamp, cursor.keyBuffer.toString('utf8', cursor.keyStart, cursor.keyEnd), cursor.valueBuffer.toString('utf8', cursor.valueStart, cursor.valueEnd), cursor.headers()])
    return all
  }

  it.each(['lz4', 'zstd'] as const)('in %s is a whole batch with its own checksum, and inflates to the same bytes but for that', codec => {
    const batch = built(300, 40)
    const compressed = deflateBatch(batch, codec)
    checkBatch(compressed, 'test')
    expect([codecOf(compressed, 0), compressed.length < batch.length]).toEqual([codec, true])
    const among = Buffer.concat([batch, compressed, batch])
    const inflated = inflateBatch(among, batch.length, batch.length + compressed.length)
    expect(walked(inflated)).toEqual(walked(batch))
    batch.copy(inflated, 17, 17, 21)
    expect(inflated.equals(batch)).toBe(true)
  })

  it('stays as it is where compression does not help, or none is wanted', () => {
    const small = built(1, 0)
    expect([deflateBatch(small, 'zstd'), deflateBatch(small, 'none')]).toEqual([small, small])
    expect(inflateBatch(small, 0, small.length).buffer).toBe(small.buffer)
  })

  it('of a codec that Kafka does not have is refused', () => {
    const batch = built(1, 0)
    batch.writeInt16BE(5, 21)
    expect(() => inflateBatch(batch, 0, batch.length)).toThrow(expect.objectContaining({ code: 'BATCH_CORRUPT' }) as Error)
  })
})
