const NEWLINE = 10

/** The lines of a stream, without empty ones, with no more in memory than one line and one chunk. Of a longer line than `lineBytesMax` the beginning comes, one byte more than that. */
export async function * linesOf (stream: AsyncIterable<Uint8Array>, lineBytesMax: number): AsyncIterable<Buffer> {
  let parts: Buffer[] = []
  let size = 0
  const grow = (part: Buffer): void => {
    const kept = part.subarray(0, Math.max(0, lineBytesMax + 1 - size))
    size += kept.length
    if (kept.length > 0) parts.push(kept)
  }
  const take = (): Buffer => {
    const line = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    parts = []
    size = 0
    return line
  }
  for await (const piece of stream) {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      grow(chunk.subarray(from, at))
      from = at + 1
      const line = take()
      if (!isBlank(line)) yield line
    }
    grow(Buffer.from(chunk.subarray(from))) // a copy: the rest of the chunk may go
  }
  const rest = take()
  if (!isBlank(rest)) yield rest
}

function isBlank (line: Buffer): boolean { return line.every(byte => byte === 13 || byte === 32 || byte === 9) }
