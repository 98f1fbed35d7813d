import type { Api } from '../wire/index.ts'
import { WireReader, WireWriter } from '../wire/index.ts'

/** One call on its way: what to write for a version, and what becomes of the answer. */
export interface Call {
  readonly name: string
  readonly key: number
  readonly api: VersionRange
  readonly timeoutMs: number
  /** By the monotonic clock. */
  readonly dueMs: number
  readonly encode: (writer: WireWriter, version: number) => void
  /** Reads the answer's body and settles the call; answers how long the broker asks us to wait. Throws only for bytes that cannot be read. */
  readonly settle: (reader: WireReader, version: number) => number
  readonly reject: (error: Error) => void
}

export interface VersionRange { readonly minVersion: number, readonly maxVersion: number, readonly flexibleFrom: number }

const API_VERSIONS = 18
const SIZE_BYTES = 4

/**
 * First version whose answer begins with throttle_time_ms, by key of the call: so the cluster can keep it without asking each decoder.
 * Produce has it at the end, ApiVersions after the array: there a field `throttleTimeMs` of the decoded answer says it.
 */
const THROTTLE_FIRST_FROM: ReadonlyMap<number, number> = new Map([
  [1, 1], [2, 2], [3, 3], [8, 3], [9, 3], [10, 1], [11, 2], [12, 1], [13, 1], [14, 1], [15, 1], [16, 1], [19, 2], [20, 1], [21, 0],
  [22, 0], [23, 2], [24, 0], [25, 0], [26, 0], [28, 0], [32, 0], [68, 0], [69, 0], [75, 0],
])

export function callOf<Request, Response> (api: Api<Request, Response>, request: Request, timeoutMs: number, dueMs: number, resolve: (response: Response) => void, reject: (error: Error) => void): Call {
  return {
    name: api.name, key: api.key, api, timeoutMs, dueMs, reject,
    encode: (writer, version) => { api.encode(writer, request, version) },
    settle: (reader, version) => {
      const first = version >= (THROTTLE_FIRST_FROM.get(api.key) ?? Infinity) ? reader.buffer.readInt32BE(reader.at) : 0
      const response = api.decode(reader, version)
      resolve(response)
      return first > 0 ? first : throttleIn(response)
    },
  }
}

function throttleIn (response: unknown): number {
  const ms = (response as { readonly throttleTimeMs?: unknown } | null | undefined)?.throttleTimeMs
  return typeof ms === 'number' ? ms : 0
}

/** Size, header and body. Header v2 (flexible) ends in tagged fields; the client id stays a classic string in both (KIP-482). */
export function frameOf (call: Call, version: number, correlationId: number, clientId: string): Buffer {
  const writer = new WireWriter()
  writer.int32(0).int16(call.key).int16(version).int32(correlationId).string(clientId)
  if (version >= call.api.flexibleFrom) writer.tags()
  call.encode(writer, version)
  const frame = writer.bytes
  frame.writeInt32BE(frame.length - SIZE_BYTES, 0)
  return frame
}

/** At the body of an answer. ApiVersions keeps header v0 in all versions, so that any client can read why it was refused (KIP-511). */
export function bodyOf (frame: Buffer, call: Call, version: number): WireReader {
  const reader = new WireReader(frame, SIZE_BYTES)
  if (version >= call.api.flexibleFrom && call.key !== API_VERSIONS) reader.tags()
  return reader
}
