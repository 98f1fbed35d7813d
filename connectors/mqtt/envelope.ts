/**
 * How one MQTT message stands as bytes, so that a dead letter says where it came from and can be read again:
 * `mqtt TOPIC`, a line feed, and the payload as it came. In the topic `%`, line ends and other control characters are percent-encoded.
 */
const MARK = Buffer.from('mqtt ')
const LINE_FEED = 0x0a
/** An MQTT topic has up to 65,535 bytes; percent-encoding triples them at most. */
const HEAD_BYTES_MAX = 200_000
const ENCODED = /[^ -$&-~\u0080-\uffff]/g

export interface MqttMessage { readonly topic: string, readonly payload: Buffer }

export function toEnvelope (topic: string, payload: Buffer | string): Buffer {
  const plain = topic.replace(ENCODED, one => `%${one.charCodeAt(0).toString(16).padStart(2, '0')}`)
  const head = Buffer.byteLength(plain) + MARK.length + 1
  const size = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length
  const raw = Buffer.allocUnsafe(head + size)
  MARK.copy(raw)
  raw.write(plain, MARK.length)
  raw[head - 1] = LINE_FEED
  if (typeof payload === 'string') raw.write(payload, head); else payload.copy(raw, head)
  return raw
}

/** undefined where the bytes are no envelope. */
export function fromEnvelope (raw: Buffer): MqttMessage | undefined {
  if (raw.compare(MARK, 0, MARK.length, 0, Math.min(MARK.length, raw.length)) !== 0) return undefined
  const end = raw.indexOf(LINE_FEED, MARK.length)
  if (end < 0 || end > HEAD_BYTES_MAX) return undefined
  const plain = raw.toString('utf8', MARK.length, end)
  return { topic: plain.includes('%') ? plain.replace(/%([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))) : plain, payload: raw.subarray(end + 1) }
}
