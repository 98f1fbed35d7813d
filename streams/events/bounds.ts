import type avro from 'avsc'
import { compileFlyweight, type AvroRecord } from '../codec/index.ts'
import { isLatidoError } from '../errors/index.ts'

/** Throws where bytes are not a value of the type that lies within them. */
export type Bounds = (buffer: Buffer, start: number, end: number) => void

/**
 * avsc makes as many items as the count of an array says before it looks where the bytes end: a damaged count would cost all memory. Values of
 * types with arrays are therefore laid out by position first. undefined: the type has no array, or cannot be laid out.
 */
export function boundsOf (type: avro.Type): Bounds | undefined {
  const schema = JSON.parse(JSON.stringify(type.schema())) as AvroRecord
  if (!JSON.stringify(schema).includes('"array"')) return undefined
  try {
    const laid = new (compileFlyweight(schema))()
    return (buffer, start, end) => { laid.over(buffer, start, end) }
  } catch (e) {
    if (isLatidoError(e) && e.code === 'SCHEMA_UNSUPPORTED') return undefined
    throw e
  }
}
