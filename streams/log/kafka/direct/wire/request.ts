import type { WireReader } from './reader.ts'
import type { WireWriter } from './writer.ts'

/**
 * One call of the Kafka protocol, written by hand for the versions that we speak (names and fields as in the protocol guide,
 * https://kafka.apache.org/protocol). The highest version that both sides know is used.
 */
export interface Api<Request, Response> {
  readonly name: string
  readonly key: number
  readonly minVersion: number
  readonly maxVersion: number
  /** First version with tagged fields and compact types: decides the header. */
  readonly flexibleFrom: number
  encode (writer: WireWriter, request: Request, version: number): void
  /** Large payloads (fetched records) are slices of the answer's buffer, which is the caller's to keep. */
  decode (reader: WireReader, version: number): Response
}
