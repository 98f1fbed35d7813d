import { expect, it, describe } from 'vitest'
import { crc32c } from '@node-rs/crc32'
import { BatchBuilder, BatchCursor } from '../../../../../streams/codec/index.ts'
import { prepareCompression, deflateBatch } from '../../../../../streams/log/kafka/direct/compression/index.ts'
import { decodeFetched } from '../../../../../streams/log/kafka/direct/consumer/decode.ts'

const CONTROL = 1 << 5

function batch (base: number, values: readonly string[], producerId = -1, { transactional = producerId >= 0, epoch = 3 } = {}): Buffer {
  const builder = new BatchBuilder()
  for (const v of values) builder.append(1_000, null, Buffer.from(v))
  const bytes = builder.finish(base, -1, { id: producerId, epoch: 0, sequence: 0, transactional })
  bytes.writeInt32BE(epoch, 12)
  return bytes
}

/** A marker as brokers write it: key of version and type. */
function marker (base: number, producerId: number, committed: boolean): Buffer {
  const builder = new BatchBuilder()
  builder.append(1_000, Buffer.from([0, 0, 0, committed ? 1 : 0]), Buffer.alloc(6))
  const bytes = builder.finish(base, -1, { id: producerId, epoch: 0, sequence: -1, transactional: true })
  bytes.writeInt16BE(bytes.readInt16BE(21) | CONTROL, 21)
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17)
  return bytes
}

function read (parts: readonly Buffer[], from: number, aborted: readonly { readonly producerId: number, readonly firstOffset: number }[] = [], cut = 0): { values: string[], nextOffset: number, spans: number, lastEpoch: number } {
  const lead = Buffer.alloc(7, 0xff) // an answer does not begin with its records
  const buffer = Buffer.concat([lead, ...parts, Buffer.alloc(5)])
  const { spans, nextOffset, lastEpoch } = decodeFetched({ buffer, start: lead.length, end: buffer.length - 5 - cut, aborted }, from, 'in/0')
  const cursor = new BatchCursor(spans, from)
  const values: string[] = []
  while (cursor.next()) values.push(`${cursor.offset}:${cursor.valueBuffer.toString('utf8', cursor.valueStart, cursor.valueEnd)}`)
  return { values, nextOffset, spans: spans.length, lastEpoch }
}

describe('what a fetch has answered', () => {
  it('neighbouring batches are one range, read where they lie', () => {
    expect(read([batch(5, ['a', 'b']), batch(7, ['c'])], 5)).toEqual({ values: ['5:a', '6:b', '7:c'], nextOffset: 8, spans: 1, lastEpoch: 3 })
  })

  it('begins within a batch, and passes over batches that end before', () => {
    expect(read([batch(0, ['a', 'b']), batch(2, ['c', 'd', 'e'])], 3)).toMatchObject({ values: ['3:d', '4:e'], nextOffset: 5 })
  })

  it('leaves a batch that was cut off for the next fetch, wherever it was cut', () => {
    const last = batch(1, ['b'])
    for (let cut = 1; cut < last.length; cut++) expect(read([batch(0, ['a']), last], 0, [], cut)).toMatchObject({ values: ['0:a'], nextOffset: 1 })
    expect(read([last], 1, [], 3)).toEqual({ values: [], nextOffset: 1, spans: 0, lastEpoch: -1 })
  })

  it('hides an aborted transaction up to its marker, and no other producer\'s records', () => {
    const parts = [batch(0, ['no'], 7), batch(1, ['yes'], 8), batch(2, ['plain']), batch(3, ['no'], 7), marker(4, 8, true), marker(5, 7, false), batch(6, ['again'], 7), marker(7, 7, true)]
    expect(read(parts, 0, [{ producerId: 7, firstOffset: 0 }])).toMatchObject({ values: ['1:yes', '2:plain', '6:again'], nextOffset: 8 })
  })

  it('takes the aborted transactions in order of their offsets, whatever the order of the answer', () => {
    const parts = [batch(0, ['no'], 7), marker(1, 7, false), batch(2, ['no'], 9), marker(3, 9, false), batch(4, ['yes'], 9)]
    expect(read(parts, 0, [{ producerId: 9, firstOffset: 2 }, { producerId: 7, firstOffset: 0 }])).toMatchObject({ values: ['4:yes'], nextOffset: 5 })
  })

  it('hides the rest of an aborted transaction that began before the answer', () => {
    expect(read([batch(10, ['no'], 7), marker(11, 7, false), batch(12, ['yes'], 7)], 10, [{ producerId: 7, firstOffset: 2 }])).toMatchObject({ values: ['12:yes'], nextOffset: 13 })
  })

  it('moves on over markers alone', () => {
    expect(read([marker(4, 7, true), marker(5, 8, false)], 4)).toMatchObject({ values: [], nextOffset: 6 })
  })

  it('inflates compressed batches between others', async () => {
    await prepareCompression()
    const large = 'x'.repeat(2_000)
    expect(read([batch(0, ['a']), deflateBatch(batch(1, [large]), 'lz4'), deflateBatch(batch(2, [large, 'b']), 'zstd'), batch(4, ['c'])], 0)).toMatchObject({ values: ['0:a', `1:${large}`, `2:${large}`, '3:b', '4:c'], spans: 4 })
  })

  it('reads offsets beyond 32 bits', () => {
    const base = 2 ** 41
    expect(read([batch(base, ['a', 'b'])], base + 1)).toMatchObject({ values: [`${base + 1}:b`], nextOffset: base + 2 })
  })

  it('says which batch is damaged: by its checksum, its format, its length', () => {
    const flipped = batch(3, ['abc'])
    flipped[flipped.length - 2]! ^= 1
    expect(() => read([batch(2, ['a']), flipped], 2)).toThrow(/in\/0 at offset 3 does not fit its checksum/)
    const old = batch(3, ['abc'])
    old[16] = 1
    expect(() => read([old], 3)).toThrow(/format 1/)
    const short = batch(3, ['abc'])
    short.writeInt32BE(3, 8)
    expect(() => read([short], 3)).toThrow(/length/)
  })
})
