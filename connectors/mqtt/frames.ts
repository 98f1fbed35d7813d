const TYPE_AND_QOS = 0xf6
const PUBLISH_QOS_0 = 0x30

/**
 * Walks MQTT packets by their fixed headers alone (MQTT 3.1.1 section 2.2): a type byte, the remaining length in one to four
 * bytes of seven bits, the rest. Costs a few steps a packet, whatever its size, and holds no bytes.
 */
export class FrameMeter {
  readonly #bytesMax: number
  #skip = 0
  #lengthBytes = -1
  #length = 0
  #header = 0
  #atMostOnce = 0

  constructor (bytesMax: number) { this.#bytesMax = bytesMax }

  /** PUBLISH packets with QoS 0 that are here whole. */
  get atMostOnce (): number { return this.#atMostOnce }

  /** False as soon as a packet announces more than the limit, or a length that is no length. */
  accepts (chunk: Buffer): boolean {
    let at = 0
    while (at < chunk.length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - at)
        this.#skip -= step
        at += step
        if (this.#skip === 0) this.#complete()
      } else if (this.#lengthBytes < 0) {
        this.#lengthBytes = 0
        this.#length = 0
        this.#header = chunk[at++] as number
      } else {
        const byte = chunk[at++] as number
        this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes++
        if (this.#length > this.#bytesMax) return false
        if (byte < 0x80) { this.#skip = this.#length; this.#lengthBytes = -1; if (this.#skip === 0) this.#complete() } else if (this.#lengthBytes === 4) return false
      }
    }
    return true
  }

  #complete (): void { if ((this.#header & TYPE_AND_QOS) === PUBLISH_QOS_0) this.#atMostOnce++ }
}

/** All bytes of the packet that `bytes` begin with; `bytes` holds its whole length. */
export function packetBytesOf (bytes: Buffer): number {
  let [at, length] = [1, 0]
  for (; at < bytes.length; at++) {
    length += ((bytes[at] as number) & 0x7f) * 128 ** (at - 1)
    if ((bytes[at] as number) < 0x80) break
  }
  return at + 1 + length
}

/** The protocol level of a CONNECT packet that `bytes` begin with: 3, 4 or 5; undefined while too few bytes are there, 0 if it is none. */
export function protocolLevelOf (bytes: Buffer): number | undefined {
  if (bytes.length > 0 && (bytes[0] as number) >> 4 !== 1) return 0
  let at = 1
  while (at < bytes.length && (bytes[at] as number) >= 0x80) at++
  if (at > 4) return 0
  if (at + 3 > bytes.length) return undefined
  const nameLength = bytes.readUInt16BE(at + 1)
  if (nameLength > 6) return 0
  return bytes[at + 3 + nameLength]
}
