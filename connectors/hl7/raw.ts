import type { RefusedRow } from './map.ts'

/** Up to this size a refused row is stored with its whole message; beyond, with what it needs to be read. */
const WHOLE_BYTES_MAX = 16_384
const CONTEXT_BYTES_MAX = 4096

/**
 * The raw bytes of a refused row. A large message with many refused rows would multiply: there the row keeps the beginning of
 * MSH, PID, ORC and OBR, and itself whole.
 */
export function rawOfRow (raw: Buffer, { row, pid }: RefusedRow): Buffer {
  if (raw.length <= WHOLE_BYTES_MAX || row === undefined) return raw
  const lines = linesOf(raw)
  const context = [1, pid?.number, row.orc?.number, row.obr?.number].filter(n => n !== undefined)
  const parts = [...context.map(n => lines[n - 1]?.subarray(0, CONTEXT_BYTES_MAX)), lines[row.obx.number - 1]].filter(line => line !== undefined)
  return Buffer.concat(parts.flatMap(line => [line, Buffer.of(0x0d)]))
}

const split = new WeakMap<Buffer, readonly Buffer[]>()

/** The segments as bytes, counted as the parser counts them: blank lines are none. Split once a message. */
function linesOf (raw: Buffer): readonly Buffer[] {
  const known = split.get(raw)
  if (known !== undefined) return known
  const lines: Buffer[] = []
  let start = 0
  for (let i = 0; i <= raw.length; i++) {
    if (i < raw.length && raw[i] !== 0x0d && raw[i] !== 0x0a) continue
    const line = raw.subarray(start, i)
    if (line.length > 64 || line.toString('latin1').trim() !== '') lines.push(line)
    start = i + 1
  }
  split.set(raw, lines)
  return lines
}
