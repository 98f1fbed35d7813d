const NEWLINE = 10
/** A longer line is no line. */
export const LINE_BYTES_MAX: number = 16 * 1024 * 1024

export interface FileLine { readonly bytes: Buffer, readonly whole: boolean }

/** Lines without their ends; empty ones, and a byte order mark, fall away. What is longer than the limit comes cut off, as a line of its own. */
export async function * linesOf (chunks: AsyncIterable<Buffer>): AsyncIterable<FileLine> {
  let parts: Buffer[] = []
  let size = 0
  let first = true
  const line = (end: Buffer): Buffer | undefined => {
    let bytes = Buffer.concat([...parts, end])
    parts = []
    size = 0
    if (first && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes = bytes.subarray(3)
    first = false
    if (bytes.at(-1) === 13) bytes = bytes.subarray(0, -1)
    return bytes.some(byte => byte !== 32 && byte !== 9) ? bytes.subarray(0, LINE_BYTES_MAX) : undefined
  }
  for await (const chunk of chunks) {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const bytes = line(chunk.subarray(from, end))
      if (bytes !== undefined) yield { bytes, whole: true }
      from = end + 1
    }
    const rest = chunk.subarray(from)
    if (size <= LINE_BYTES_MAX && rest.length > 0) parts.push(Buffer.from(rest)) // a copy: the chunk may go
    size += rest.length
  }
  const bytes = line(Buffer.alloc(0))
  if (bytes !== undefined) yield { bytes, whole: false }
}
