import type { RefusalCause } from '../../streams/events/index.ts'
import { STANDARD, type Header } from './header.ts'
import type { Fault } from './outcome.ts'
import { formatTime } from './time.ts'
import { isKnownType } from './types.ts'

/** HL7 table 0008: accept, error (may retry), reject (do not retry); the same at commit level for enhanced mode. */
export type AckCode = 'AA' | 'AE' | 'AR' | 'CA' | 'CE' | 'CR'
export type Verdict = 'accepted' | 'error' | 'rejected'

export interface Answer {
  readonly verdict: Verdict
  /** What ERR says; with `accepted` it is a warning: the message was taken, a part of it was not. */
  readonly fault?: Fault
  /** Plain words for ERR-8, without values. */
  readonly text?: string
}

/** At application level: original mode, and within a response batch. */
export const APPLICATION_CODES: Readonly<Record<Verdict, AckCode>> = { accepted: 'AA', error: 'AE', rejected: 'AR' }
const COMMIT_CODES: Readonly<Record<Verdict, AckCode>> = { accepted: 'CA', error: 'CE', rejected: 'CR' }

/** The answers to one batch, and the BHS that it came with. */
export interface AnsweredBatch { readonly header: Header | undefined, readonly answers: readonly Buffer[] }

/**
 * Which answers a message gets (HL7 v2.5.1, 2.9.2 and 2.9.3). MSH-15 and MSH-16 both empty: original mode, one application answer.
 * Else enhanced: an accepted message gets CA and then AA as asked, a refused one a single answer at the lowest level that is asked for.
 * Where the fields ask for nothing (NE, NE) one application answer is sent all the same: over MLLP a sender that waits would wait for ever.
 */
export function ackCodes (header: Header | undefined, verdict: Verdict): readonly AckCode[] {
  const [application, commit] = [APPLICATION_CODES[verdict], COMMIT_CODES[verdict]]
  const accept = header?.component(15, 1).trim() ?? ''
  const apply = header?.component(16, 1).trim() ?? ''
  const asked: AckCode[] = []
  if (wants(accept, verdict)) asked.push(commit)
  if (wants(apply, verdict)) asked.push(application)
  if (asked.length === 0) return [application]
  return verdict === 'accepted' ? asked : asked.slice(0, 1)
}

/** HL7 table 0155. */
function wants (condition: string, verdict: Verdict): boolean {
  return condition === 'AL' || (condition === 'SU' && verdict === 'accepted') || (condition === 'ER' && verdict !== 'accepted')
}

/** HL7 table 0357. */
const ERROR_CODES: Partial<Record<RefusalCause, string>> = {
  'not-hl7': '100', malformed: '100', 'patient-missing': '101', 'value-unparsable': '102', 'value-impossible': '102', 'time-unparsable': '102', 'time-in-future': '102', 'time-implausible': '102', 'charset-invalid': '102',
  'code-unknown': '103', 'unit-unknown': '103', 'payload-invalid': '103', 'unsupported-type': '200', 'device-unmapped': '204', 'merge-loop': '205', 'identifier-conflict': '205',
}
const ERROR_TEXTS: Readonly<Record<string, string>> = {
  100: 'Segment sequence error', 101: 'Required field missing', 102: 'Data type error', 103: 'Table value not found', 200: 'Unsupported message type', 201: 'Unsupported event code', 202: 'Unsupported processing id', 204: 'Unknown key identifier', 205: 'Duplicate key identifier', 207: 'Application internal error',
}

/** Writes answers by hand, as bytes: what is echoed of the sender's header goes back unchanged. */
export class AckWriter {
  readonly #started: string
  #written = 0
  constructor (startedMs: number) { this.#started = startedMs.toString(36) }

  /** True for the control id of an answer of this writer. */
  isOwn (controlId: string): boolean { return controlId.startsWith(`L${this.#started}-`) }

  /** One answer, unframed. Without a header (the bytes were not HL7) it is addressed to nobody. */
  write (header: Header | undefined, code: AckCode, answer: Answer, nowMs: number): Buffer {
    const d = header?.delimiters ?? STANDARD
    const field = (n: number): string => header?.field(n) ?? ''
    const version = field(12) === '' ? '2.5.1' : field(12)
    const trigger = header?.component(9, 2) ?? ''
    const modern = !(Number.parseFloat(version) < 2.5)
    const type = ['ACK', ...(trigger === '' ? [] : [trigger]), ...(trigger !== '' && modern ? ['ACK'] : [])].join(d.component)
    const msh = ['MSH', header?.encodingCharacters ?? '^~\\&', field(5), field(6), field(3), field(4), formatTime(nowMs), '', type, this.#nextId(), field(11) === '' ? 'P' : field(11), version, '', '', '', '', '', field(18)]
    while (msh.at(-1) === '') msh.pop()
    const lines = [msh, ['MSA', code, field(10)]]
    if (answer.fault !== undefined) lines.push(err(header, answer, answer.fault, modern, d))
    return Buffer.from(lines.map(line => `${line.join(d.field)}\r`).join(''), 'latin1')
  }

  /** A response batch (HL7 v2.5.1, 2.10.3.3): the sender's FHS and BHS with addresses turned round, each naming the one that it answers. */
  writeBatches (file: Header | undefined, batches: readonly AnsweredBatch[], nowMs: number): Buffer {
    const parts: Buffer[] = []
    const end = (name: string, count: number, header: Header | undefined): void => { parts.push(Buffer.from(`${name}${header?.delimiters.field ?? STANDARD.field}${count}\r`)) }
    if (file !== undefined) parts.push(this.#batchHeader('FHS', file, nowMs))
    for (const { header, answers } of batches) {
      if (header !== undefined) parts.push(this.#batchHeader('BHS', header, nowMs))
      parts.push(...answers)
      if (header !== undefined) end('BTS', answers.length, header)
    }
    if (file !== undefined) end('FTS', batches.length, file)
    return Buffer.concat(parts)
  }

  #batchHeader (name: string, header: Header, nowMs: number): Buffer {
    const fields = [name, header.encodingCharacters, header.field(5), header.field(6), header.field(3), header.field(4), formatTime(nowMs), '', '', '', this.#nextId(), header.field(11)]
    return Buffer.from(`${fields.join(header.delimiters.field)}\r`, 'latin1')
  }

  /** Unique among all answers ever: the start instant and a counter. */
  #nextId (): string { return `L${this.#started}-${(++this.#written).toString(36)}` }
}

/** ERR: since v2.5 location, code, severity and text; before, one field with location and code. */
function err (header: Header | undefined, answer: Answer, fault: Fault, modern: boolean, d: { readonly component: string, readonly subcomponent: string }): string[] {
  const code = errorCode(header, fault)
  const c = d.component
  const s = d.subcomponent === '' ? ' ' : d.subcomponent
  const at = fault.at
  const place = at === undefined ? ['', '', ''] : [at.segment, String(at.number), String(at.field)]
  if (!modern) return ['ERR', [...place, [code, ERROR_TEXTS[code] ?? '', 'HL70357'].join(s)].join(c)]
  return ['ERR', '', at === undefined ? '' : place.join(c), [code, ERROR_TEXTS[code] ?? '', 'HL70357'].join(c), answer.verdict === 'accepted' ? 'W' : 'E', '', '', '', answer.text ?? fault.cause]
}

/** Of MSH. */
const PROCESSING_ID = 11

function errorCode (header: Header | undefined, fault: Fault): string {
  if (fault.cause === 'unsupported-type' && fault.at?.field === PROCESSING_ID) return '202'
  if (fault.cause === 'unsupported-type' && isKnownType((header?.component(9, 1) ?? '').toUpperCase())) return '201'
  return ERROR_CODES[fault.cause] ?? '207'
}
