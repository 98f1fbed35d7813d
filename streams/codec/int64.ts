const HIGH = 0x1_0000_0000

/** Big-endian signed 64-bit; exact up to 2^53, which offsets and times never exceed. */
export function readInt64 (buffer: Buffer, at: number): number { return buffer.readInt32BE(at) * HIGH + buffer.readUInt32BE(at + 4) }

export function writeInt64 (buffer: Buffer, at: number, value: number): void {
  const high = Math.floor(value / HIGH)
  buffer.writeInt32BE(high, at)
  buffer.writeUInt32BE(value - high * HIGH, at + 4)
}
