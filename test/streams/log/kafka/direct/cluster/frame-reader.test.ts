import fc from 'fast-check'
import { expect, it } from 'vitest'
import { FrameReader } from '../../../../../../streams/log/kafka/direct/cluster/frame-reader.ts'

const frames = fc.array(fc.uint8Array({ minLength: 4, maxLength: 300 }).map(b => Buffer.from(b)), { maxLength: 12 })

function framed (all: readonly Buffer[]): Buffer {
  return Buffer.concat(all.flatMap(frame => { const size = Buffer.alloc(4); size.writeInt32BE(frame.length); return [size, frame] }))
}

it('gives the same frames however the stream is cut, and though the chunk\'s buffer is used again', () => {
  fc.assert(fc.property(frames, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (all, cuts) => {
    const seen: Buffer[] = []
    const reader = new FrameReader(1_000, frame => { seen.push(frame) })
    const stream = framed(all)
    const shared = Buffer.alloc(40)
    for (let at = 0, i = 0; at < stream.length; i++) {
      const length = Math.min(cuts[i % cuts.length]!, stream.length - at)
      stream.copy(shared, 0, at, at + length)
      reader.feed(shared.subarray(0, length))
      shared.fill(0xee)
      at += length
    }
    expect(seen.map(f => f.toString('hex'))).toEqual(all.map(f => f.toString('hex')))
  }))
})

it('makes one buffer for a frame, which is the receiver\'s', () => {
  const seen: Buffer[] = []
  const reader = new FrameReader(100_000, frame => { seen.push(frame) })
  const large = Buffer.alloc(90_000, 7)
  for (const piece of [framed([large]).subarray(0, 50_000), framed([large]).subarray(50_000)]) reader.feed(piece)
  expect(seen).toHaveLength(1)
  expect(seen[0]!.buffer.byteLength).toBe(90_000)
})

it.each([[3], [-1], [1_001], [0x4854_5450]])('refuses a size of %i', size => {
  const header = Buffer.alloc(4)
  header.writeInt32BE(size)
  expect(() => { new FrameReader(1_000, () => {}).feed(header) }).toThrow(RangeError)
})
