import type { RecordSchema, SchemaBook } from '../../streams/events/index.ts'
import type { RecordCursor } from '../../streams/log/index.ts'
import type { MemberUpdate } from './members.ts'

export const MEMBER_SCHEMA: RecordSchema = {
  type: 'record', name: 'Member', namespace: 'latido', doc: 'What a ward or a bed is told of one patient.',
  fields: [
    { name: 'patient', type: 'string', doc: 'Pseudonym' },
    { name: 'present', type: 'boolean', doc: 'false: has left' },
    { name: 'names', type: { type: 'array', items: 'string' }, doc: 'Of the values: view@version:feature' },
    { name: 'values', type: { type: 'array', items: 'double' }, doc: 'NaN where absent' },
    { name: 'times', type: { type: 'array', items: 'double' }, doc: 'Event times in milliseconds since 1970, NaN where absent' },
  ],
}

export interface MemberCodec {
  encode (update: MemberUpdate): Buffer
  /** Throws SCHEMA_UNKNOWN or PAYLOAD_INVALID. */
  decode (record: RecordCursor): MemberUpdate
}

export async function openMemberCodec (book: SchemaBook, topic: string): Promise<MemberCodec> {
  const { encode } = await book.codec<MemberUpdate>(topic, MEMBER_SCHEMA)
  return {
    encode,
    decode: ({ valueBuffer, valueStart, valueEnd }) => {
      const { patient, present, names, values, times } = book.decode(valueBuffer, valueStart, valueEnd) as MemberUpdate
      return { patient, present, names, values, times }
    },
  }
}
