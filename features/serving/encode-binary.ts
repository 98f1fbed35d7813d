import { LatidoError } from '../../streams/errors/index.ts'
import type { FeatureTable } from './feature-table.ts'

/** The media type of the binary form. */
export const BINARY_MEDIA_TYPE = 'application/vnd.latido.features'
/** `LTF1` */
export const BINARY_MAGIC = 0x3146544c
const PREFIX_BYTES = 8

/** What the binary form says in words, as JSON before the columns. */
export interface BinaryHead {
  readonly now: number
  readonly entity: string
  /** How many entities, in the order asked. */
  readonly entities: number
  readonly views: readonly { readonly view: string, readonly version: number, readonly ttlMs: number, readonly features: readonly string[] }[]
}

/**
 * `LTF1`, the length of the head (u32), the head as JSON padded with spaces to a multiple of 8, then doubles, all little-endian: for each view
 * its `asOf` of each entity, its values and its event times entity by entity. NaN is absent; an `asOf` of NaN says never stored. docs/serving.md.
 */
export function encodeBinary ({ selection, entities, now, data }: FeatureTable): Buffer {
  const head: BinaryHead = { now, entity: selection.entity, entities: entities.length, views: selection.views.map(({ view, names }) => ({ view: view.name, version: view.version, ttlMs: view.ttlMs, features: names })) }
  const text = JSON.stringify(head)
  const headBytes = (text.length + 7) & ~7 // names are ASCII
  const out = Buffer.allocUnsafeSlow(PREFIX_BYTES + headBytes + data.byteLength)
  out.writeUInt32LE(BINARY_MAGIC, 0)
  out.writeUInt32LE(headBytes, 4)
  out.fill(32, PREFIX_BYTES + text.length, PREFIX_BYTES + headBytes)
  out.write(text, PREFIX_BYTES, 'latin1')
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), PREFIX_BYTES + headBytes)
  return out
}

/** The head and the columns of an answer. Throws PAYLOAD_INVALID on bytes of another kind. */
export function decodeBinary (bytes: Uint8Array): { readonly head: BinaryHead, readonly data: Float64Array } {
  const fault = (): LatidoError => new LatidoError('PAYLOAD_INVALID', 'these bytes are not features in the binary form', `ask for ${BINARY_MEDIA_TYPE}, and read the answer whole`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.byteLength < PREFIX_BYTES || view.getUint32(0, true) !== BINARY_MAGIC) throw fault()
  const dataAt = PREFIX_BYTES + view.getUint32(4, true)
  if (dataAt > bytes.byteLength || (bytes.byteLength - dataAt) % 8 !== 0) throw fault()
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(PREFIX_BYTES, dataAt))) as BinaryHead
  const data = new Float64Array((bytes.byteLength - dataAt) / 8)
  new Uint8Array(data.buffer).set(bytes.subarray(dataAt))
  return { head, data }
}
