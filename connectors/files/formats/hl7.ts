import { hl7Mapper, readHl7File } from '../../hl7/index.ts'
import type { MessageMapper } from '../../kit/index.ts'
import type { FileFormat, FileRecord, TakenFile } from '../import/format.ts'

/** HL7 v2 messages one after the other, in batches or not, or as JSON lines. A message is known by its own control id, as one that is sent. */
export function hl7Format (map: MessageMapper = hl7Mapper()): FileFormat {
  return { name: 'hl7', endings: /\.(hl7|txt|er7|jsonl|ndjson)(\.gz)?$/i, records, map }
}

/** A message ends where the next begins, so the last one may be half. A trailer that counts otherwise than what came is told: what came is taken. */
async function * records (file: TakenFile): AsyncIterable<FileRecord> {
  const messages = readHl7File({ name: file.name, json: /\.(jsonl|ndjson)(\.gz)?$/i.test(file.path), content: () => file.content() }, what => {
    file.count('batch-count-wrong')
    file.remark(what)
  })
  let last: Buffer | undefined
  try {
    for await (const raw of messages) {
      if (last !== undefined) yield { raw: last, whole: true }
      last = raw
    }
  } catch (e) {
    if (last !== undefined) yield { raw: last, whole: true } // it was whole: the next one is what is wrong
    throw e
  }
  if (last !== undefined) yield { raw: last, whole: false }
}
