import fc from 'fast-check'
import { expect, it } from 'vitest'
import { murmur2, partitionFor, readInt64, writeInt64 } from '../../../streams/codec/index.ts'

// org.apache.kafka.common.utils.UtilsTest.testMurmur2
it.each([
  ['21', -973932308], ['foobar', -790332482], ['a-little-bit-long-string', -985981536], ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971], ['abc', 479470107],
])('hashes %s as Kafka does', (key, hash) => { expect(murmur2(Buffer.from(key))).toBe(hash) })

it('puts every key into a partition that exists', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 1, max: 256 }), (key, partitions) => {
    const partition = partitionFor(key, partitions)
    expect(partition >= 0 && partition < partitions && Number.isInteger(partition)).toBe(true)
  }))
})

it('reads and writes 64-bit numbers as a Java long, exact for every safe integer', () => {
  fc.assert(fc.property(fc.maxSafeInteger(), value => {
    const buffer = Buffer.alloc(10, 0xaa)
    writeInt64(buffer, 1, value)
    expect(buffer.readBigInt64BE(1)).toBe(BigInt(value))
    expect(readInt64(buffer, 1)).toBe(value)
  }))
})
