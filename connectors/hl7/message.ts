import HL7 from 'hl7-standard'
import { decodePayload } from './charset.ts'
import { isStandard, toStandard } from './delimiters.ts'
import type { Delimiters, Header } from './header.ts'
import { Segment } from './segment.ts'

export interface Message {
  /** In the order of the message, whatever their type: what follows an OBR belongs to it. */
  readonly segments: readonly Segment[]
  readonly msh: Segment
  /** Positions of lines that are no segments (no valid name); they were left out. */
  readonly oddLines: readonly number[]
  readonly notice?: 'charset-fallback' | 'charset-mismatch'
}

export type Parsed =
  | { readonly kind: 'ok', readonly message: Message }
  | { readonly kind: 'malformed' | 'charset-invalid' | 'too-large', readonly detail: string }

export interface MessageLimits {
  readonly segmentsMax: number
  /** Fields, components, repetitions and subcomponents together: each becomes an object in memory. */
  readonly partsMax: number
}

/** hl7-standard looks each line's name up among all names before it: thousands of different ones would hold the process. */
const NAMES_MAX = 256

const SEGMENT = /^[A-Z][A-Z0-9]{2}(\||$)/

/**
 * A payload to segments, around hl7-standard (reading only). It is given what it reads correctly: text with one kind of line end,
 * `|^~\&`, valid segment names, more than one line end. Escapes are decoded after its split (Segment). Its exceptions are values here.
 */
export function parseMessage (raw: Buffer, header: Header, limits: MessageLimits): Parsed {
  const decoded = decodePayload(raw.subarray(header.start), header.component(18, 1))
  if (decoded.kind !== 'ok') return { kind: 'charset-invalid', detail: 'MSH-18 names a character set that these bytes are not in' }
  const lines = decoded.text.split(/\r\n|\r|\n/).filter(line => line.trim() !== '')
  if (lines.length > limits.segmentsMax) return { kind: 'too-large', detail: `more than ${limits.segmentsMax} segments` }
  if (partsOver(decoded.text, header.delimiters, limits.partsMax)) return { kind: 'too-large', detail: `more than ${limits.partsMax} parts` }
  const { good, oddLines } = sort(lines, header)
  if (good.filter(line => line.text.startsWith('MSH')).length !== 1) return { kind: 'malformed', detail: 'a second MSH in one frame' }
  if (new Set(good.map(line => line.text.slice(0, 3))).size > NAMES_MAX) return { kind: 'malformed', detail: `more than ${NAMES_MAX} kinds of segment` }
  const segments = split(good, header.delimiters)
  const msh = segments?.[0]
  if (segments === undefined || msh === undefined) return { kind: 'malformed', detail: 'the segments cannot be split' }
  return { kind: 'ok', message: { segments, msh, oddLines, ...(decoded.notice === undefined ? {} : { notice: decoded.notice }) } }
}

interface Line { readonly number: number, readonly text: string }

function sort (lines: readonly string[], header: Header): { readonly good: readonly Line[], readonly oddLines: readonly number[] } {
  const good: Line[] = []
  const oddLines: number[] = []
  lines.forEach((line, i) => {
    const text = i === 0 ? mshToStandard(line, header) : toStandard(line, header.delimiters)
    if (SEGMENT.test(text)) good.push({ number: i + 1, text: text.length === 3 ? `${text}|` : text })
    else oddLines.push(i + 1)
  })
  return { good, oddLines }
}

/** MSH-1 and MSH-2 are the delimiters themselves: they are replaced, not translated. */
function mshToStandard (line: string, header: Header): string {
  if (isStandard(header.delimiters) && header.encodingCharacters.length === 4) return line
  const rest = line.slice(4 + header.encodingCharacters.length)
  return `MSH|^~\\&${toStandard(rest, header.delimiters)}`
}

function split (lines: readonly Line[], sender: Delimiters): Segment[] | undefined {
  try {
    const parsed = new HL7(`${lines.map(line => line.text).join('\r')}\r`)
    parsed.transform()
    const segments: Segment[] = []
    for (const [name, group] of Object.entries(parsed.transformed)) {
      for (const one of group) {
        const line = lines[one.index]
        if (line !== undefined) segments.push(new Segment(name, line.number, one, line.text, sender))
      }
    }
    return segments.length === lines.length ? segments.sort((a, b) => a.number - b.number) : undefined
  } catch {
    return undefined
  }
}

function partsOver (text: string, d: Delimiters, max: number): boolean {
  if (text.length <= max) return false
  let parts = 0
  for (const c of text) if ((c === d.field || c === d.component || c === d.repetition || c === d.subcomponent) && ++parts > max) return true
  return false
}
