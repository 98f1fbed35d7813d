/** Writes samples by bits, apart from how the product reads them (WFDB Applications Guide, signal(5)). */
export const FORMATS = ['16', '24', '32', '80', '212'] as const
export type TestFormat = (typeof FORMATS)[number]

export function pack (format: TestFormat, samples: readonly number[]): Buffer {
  if (format === '80') return Buffer.from(samples.map(sample => sample + 128))
  const bits = Number(format === '212' ? 12 : format)
  const unsigned = samples.map(sample => BigInt.asUintN(bits, BigInt(sample)))
  if (format !== '212') return Buffer.from(unsigned.flatMap(value => Array.from({ length: bits / 8 }, (_, byte) => Number(value >> BigInt(8 * byte) & 0xffn))))
  const bytes: number[] = []
  for (let i = 0; i < unsigned.length; i += 2) {
    const [first, second] = [Number(unsigned[i]!), Number(unsigned[i + 1] ?? 0n)]
    bytes.push(first % 256, Math.floor(second / 256) * 16 + Math.floor(first / 256))
    if (i + 1 < unsigned.length) bytes.push(second % 256)
  }
  return Buffer.from(bytes)
}

/** The sum in 16 bits, signed. */
export function checksumOf (samples: readonly number[]): number { return Number(BigInt.asIntN(16, samples.reduce((sum, sample) => sum + BigInt(sample), 0n))) }
