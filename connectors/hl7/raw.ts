import { createHash } from 'node:crypto'
import { readHeader, type Header } from './header.ts'
import type { RefusedRow } from './mapped.ts'

/** Of a segment that a row needs to be read, this much: a PID or an OBR with a document in it is cut. */
const CONTEXT_BYTES_MAX = 4096
const CR = 0x0d
const LF = 0x0a

/**
 * A refused row as a message of its own: MSH, the segments that it needs to be read, and itself whole. Its control id is the message's with
 * the row's number (letters and digits: no delimiter is one), so that a retry publishes just this row and is no duplicate of the message. A message
 * that holds nothing else stays what it is.
 */
export function rawOfRow (raw: Buffer, { rows, needs }: RefusedRow): Buffer {
  const header = readHeader(raw)
  const lines = linesOf(raw)
  const around = [...new Set(needs)].sort((a, b) => a - b)
  if (header === undefined || lines.length === 1 + around.length + rows.length) return raw
  const context = around.map(n => lines[n - 1]?.subarray(0, CONTEXT_BYTES_MAX))
  const parts = [mshOf(raw, header, rows[0] ?? 0), ...context, ...rows.map(n => lines[n - 1])].filter(line => line !== undefined)
  return Buffer.concat(parts.flatMap(line => [line, Buffer.of(CR)]))
}

function mshOf (raw: Buffer, header: Header, row: number): Buffer {
  const line = linesOf(raw)[0]?.subarray(header.start === 3 ? 3 : 0) ?? Buffer.alloc(0)
  const fields = line.toString('latin1').split(header.delimiters.field)
  const control = header.field(10) === '' ? createHash('sha256').update(raw).digest('hex').slice(0, 16) : header.field(10)
  while (fields.length < 10) fields.push('')
  fields[9] = `${control}ROW${row}`
  return Buffer.from(fields.join(header.delimiters.field), 'latin1')
}

const split = new WeakMap<Buffer, readonly Buffer[]>()

/** The segments as bytes, counted as the parser counts them: blank lines are none. Split once a message. */
function linesOf (raw: Buffer): readonly Buffer[] {
  const known = split.get(raw)
  if (known !== undefined) return known
  const lines: Buffer[] = []
  let start = 0
  for (let i = 0; i <= raw.length; i++) {
    if (i < raw.length && raw[i] !== CR && raw[i] !== LF) continue
    const line = raw.subarray(start, i)
    if (line.length > 64 || line.toString('latin1').trim() !== '') lines.push(line)
    start = i + 1
  }
  split.set(raw, lines)
  return lines
}
