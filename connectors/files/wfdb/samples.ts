import type { SampleFormat } from './header.ts'

/** The sample value that says there was none: the least of its format (WFDB signal(5)). */
const INVALID: Readonly<Record<SampleFormat, number>> = { 16: -32_768, 24: -8_388_608, 32: -2_147_483_648, 80: -128, 212: -2_048 }

export function isInvalid (format: SampleFormat, sample: number): boolean { return sample === INVALID[format] }

/** How many samples `bytes` bytes hold. */
export function samplesIn (format: SampleFormat, bytes: number): number {
  switch (format) {
    case '16': return Math.floor(bytes / 2)
    case '24': return Math.floor(bytes / 3)
    case '32': return Math.floor(bytes / 4)
    case '80': return bytes
    case '212': return Math.floor(bytes * 2 / 3)
  }
}

/**
 * Sample `i` of a file of samples (WFDB signal(5)). 16, 24, 32: two's complement, least byte first. 80: offset binary, 128 is 0. 212: two samples of 12
 * bits in three bytes; the middle byte has the high bits of the first below, those of the second above.
 */
export function sampleAt (bytes: Buffer, format: SampleFormat, i: number): number {
  switch (format) {
    case '16': return bytes.readInt16LE(i * 2)
    case '24': return bytes.readIntLE(i * 3, 3)
    case '32': return bytes.readInt32LE(i * 4)
    case '80': return bytes.readUInt8(i) - 128
    case '212': {
      const at = Math.floor(i / 2) * 3
      const middle = bytes.readUInt8(at + 1)
      const value = i % 2 === 0 ? bytes.readUInt8(at) | (middle & 0x0f) << 8 : bytes.readUInt8(at + 2) | (middle & 0xf0) << 4
      return value > 2_047 ? value - 4_096 : value
    }
  }
}
