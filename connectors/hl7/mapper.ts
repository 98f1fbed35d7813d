import { createHash } from 'node:crypto'
import type { MapContext, MappedMessage, MessageMapper } from '../kit/index.ts'
import { readHeader, type Header } from './header.ts'
import { HL7_LIMITS } from './limits.ts'
import { sourceOf } from './context.ts'
import { mapMessage, typeOf } from './map.ts'
import { parseMessage, type Message, type MessageLimits } from './message.ts'
import type { Hl7Fault } from './outcome.ts'
import { HL7_PROFILE, type Hl7Profile } from './profile.ts'
import { rawOfRow } from './raw.ts'

export interface Hl7MapperOptions {
  readonly profile?: Hl7Profile
  readonly limits?: MessageLimits
}

/** Stands for the sender of bytes that name none. */
export const UNNAMED_SOURCE = 'hl7:unnamed'

/** One HL7 v2 message (unframed) to what goes on the log. A refused row's bytes are a message of its own, so that its retry publishes that row and nothing twice. */
export function hl7Mapper ({ profile = HL7_PROFILE, limits = HL7_LIMITS }: Hl7MapperOptions = {}): MessageMapper<Hl7Fault> {
  return (raw, context) => {
    const header = readHeader(raw)
    if (header === undefined) return rejected(unread(raw))
    const parsed = parseMessage(raw, header, limits)
    if (parsed.kind !== 'ok') return rejected({ cause: parsed.kind, detail: parsed.detail })
    return mapParsed(raw, header, parsed.message, context, profile)
  }
}

function mapParsed (raw: Buffer, header: Header, message: Message, context: MapContext, profile: Hl7Profile): MappedMessage<Hl7Fault> {
  const source = sourceOf(message.msh)
  const mapped = mapMessage(message, context, profile)
  if (mapped.kind === 'rejected') return { ...mapped, source }
  const { events, notices } = mapped
  const content = contentOf(raw, header)
  const refused = mapped.refused.map(part => ({ fault: part.fault, raw: rawOfRow(raw, part) }))
  const archived = mapped.archived ? { archived: { type: archiveTypeOf(message), raw } } : {}
  return { kind: 'mapped', source, id: messageIdOf(header, content), content, events, refused, ...archived, notices }
}

/** `BAR^P01`: short and plain, whatever the sender put there. */
function archiveTypeOf (message: Message): string {
  const { type, trigger } = typeOf(message)
  return trigger === '' ? type : `${type}^${trigger}`
}

function rejected (fault: Hl7Fault): MappedMessage<Hl7Fault> { return { kind: 'rejected', source: UNNAMED_SOURCE, fault, notices: new Map() } }

function unread (raw: Buffer): Hl7Fault {
  return isBatch(raw) ? { cause: 'unsupported-type', detail: 'a batch in a frame' } : { cause: 'not-hl7', detail: 'the frame does not begin with MSH' }
}

/** True for the beginning of a batch or of a file of batches. */
export function isBatch (raw: Buffer): boolean { return /^(?:\xef\xbb\xbf)?[\r\n]*(FHS|BHS)[^A-Za-z0-9\s]/.test(raw.toString('latin1', 0, 64)) }

/** The message without MSH-7: a retransmission may carry a new time of sending. */
export function contentOf (raw: Buffer, header: Header): Buffer {
  const sentAt = header.field(7)
  const lead = ['MSH', ...[2, 3, 4, 5, 6].map(n => header.field(n))].join(header.delimiters.field).length + 1
  const from = header.start + lead
  return sentAt === '' ? raw : Buffer.concat([raw.subarray(0, from), raw.subarray(from + sentAt.length)])
}

/** Sending application, facility and control id; a sender without control ids is told apart by content. */
export function messageIdOf (header: Header, content: Buffer): string {
  const control = header.field(10) === '' ? createHash('sha256').update(content).digest('hex') : header.field(10)
  return [header.field(3), header.field(4), control].join('|')
}
