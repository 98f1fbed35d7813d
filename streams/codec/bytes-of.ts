/** A copy of a key's or a value's bytes; null where it begins below 0. */
export function bytesOf (buffer: Buffer, start: number, end: number): Buffer | null { return start < 0 ? null : Buffer.from(buffer.subarray(start, end)) }
