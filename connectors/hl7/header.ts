/**
 * MSH, byte by byte: the delimiters, the charset and the answer are needed
 * before (or without) a parse. Text here is latin1, so a field can be echoed in an answer byte for byte.
 */
export interface Delimiters {
  readonly field: string
  readonly component: string
  /** Empty where MSH-2 does not declare one. */
  readonly repetition: string
  readonly escape: string
  readonly subcomponent: string
}

export interface Header {
  readonly delimiters: Delimiters
  /** MSH-2 as sent. */
  readonly encodingCharacters: string
  /** Where MSH starts, after a byte-order mark or stray line ends. */
  readonly start: number
  /** MSH-n as sent, undecoded; empty if absent. */
  field (n: number): string
  /** Component c (from 1) of the first repetition of MSH-n. */
  component (n: number, c: number): string
}

export const STANDARD: Delimiters = { field: '|', component: '^', repetition: '~', escape: '\\', subcomponent: '&' }

const STANDARD_ENCODING = '^~\\&'

/** A header longer than this is none. */
const HEADER_BYTES_MAX = 65_536

/** undefined: the bytes do not begin with a usable MSH. */
export function readHeader (raw: Buffer): Header | undefined {
  const start = skipLead(raw)
  const text = firstLine(raw, start)
  if (!text.startsWith('MSH') || text.length < 5) return undefined
  const separator = text.charAt(3)
  const fields = text.split(separator)
  const encodingCharacters = fields[1] ?? ''
  const delimiters = delimitersOf(separator, encodingCharacters)
  if (delimiters === undefined) return undefined
  const field = (n: number): string => n === 1 ? separator : fields[n - 1] ?? ''
  const component = (n: number, c: number): string => {
    const first = delimiters.repetition === '' ? field(n) : partOf(field(n), delimiters.repetition, 0)
    return partOf(first, delimiters.component, c - 1)
  }
  return { delimiters, encodingCharacters, start, field, component }
}

/** For the answer to bytes that are not HL7: an MSH that stands near the beginning, if any. */
export function findHeader (raw: Buffer): Header | undefined {
  const at = raw.subarray(0, 4096).indexOf('MSH', 0, 'latin1')
  return at < 0 ? undefined : readHeader(raw.subarray(at))
}

function skipLead (raw: Buffer): number {
  let at = raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf ? 3 : 0
  while (raw[at] === 0x0d || raw[at] === 0x0a) at++
  return at
}

function firstLine (raw: Buffer, start: number): string {
  const text = raw.toString('latin1', start, Math.min(raw.length, start + HEADER_BYTES_MAX))
  const end = text.indexOf('\r')
  const line = end < 0 ? text : text.slice(0, end)
  const newline = line.indexOf('\n')
  return newline < 0 ? line : line.slice(0, newline)
}

/** Delimiters are printable, not letters or digits, and all different. A fifth character (truncation, v2.7) is ignored. */
function delimitersOf (separator: string, encoding: string): Delimiters | undefined {
  if (separator === STANDARD.field && encoding === STANDARD_ENCODING) return STANDARD
  if (encoding === '' || encoding.length > 5) return undefined
  const all = separator + encoding
  if (!/^[!-/:-@[-`{-~]+$/.test(all) || new Set(all).size !== all.length) return undefined
  return { field: separator, component: encoding.charAt(0), repetition: encoding.charAt(1), escape: encoding.charAt(2), subcomponent: encoding.charAt(3) }
}

/** Part `n` (from 0) between delimiters; the whole text is part 0 where there are none. */
export function partOf (text: string, delimiter: string, n: number): string {
  let start = 0
  for (let i = 0; i < n; i++) {
    const next = text.indexOf(delimiter, start)
    if (next < 0) return ''
    start = next + 1
  }
  const end = text.indexOf(delimiter, start)
  return end < 0 ? (start === 0 ? text : text.slice(start)) : text.slice(start, end)
}
