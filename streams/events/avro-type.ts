import avro from 'avsc'
import { messageOf } from '../errors/index.ts'

/** The type of a schema's text. Throws avsc's error where it is none. */
export function avroTypeOf (schema: string): avro.Type { return avro.Type.forSchema(JSON.parse(schema) as avro.Schema) }

/** Why a reader's schema cannot read what was written with another (BACKWARD); undefined: it can. */
export function whyUnreadable (reader: string, writer: string): string | undefined {
  const type = avroTypeOf(reader)
  try {
    type.createResolver(avroTypeOf(writer))
    return undefined
  } catch (e) {
    return messageOf(e)
  }
}
