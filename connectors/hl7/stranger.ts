/** What a connection speaks that is no MLLP. */
export type Stranger = 'tls' | 'http'

/** TLS record of type handshake, version 3.x (RFC 8446, 5.1). */
const TLS = Buffer.of(0x16, 0x03)
/** Request lines of HTTP/1 (RFC 9110, 9.3) and the preface of HTTP/2 (RFC 9113, 3.4). */
const HTTP = ['GET ', 'HEAD ', 'POST ', 'PUT ', 'DELETE ', 'OPTIONS ', 'CONNECT ', 'TRACE ', 'PATCH ', 'PRI * '].map(word => Buffer.from(word))
const LONGEST = 8

/** Tells by its first bytes that a connection came to the wrong port; however they are cut. */
export class StrangerWatch {
  #first: Buffer = Buffer.alloc(0)
  #decided = false

  look (chunk: Buffer): Stranger | undefined {
    if (this.#decided) return undefined
    this.#first = this.#first.length === 0 ? chunk.subarray(0, LONGEST) : Buffer.concat([this.#first, chunk.subarray(0, LONGEST - this.#first.length)])
    const begins = [TLS, ...HTTP].filter(word => this.#first.subarray(0, word.length).equals(word.subarray(0, this.#first.length)))
    const whole = begins.find(word => word.length <= this.#first.length)
    this.#decided = begins.length === 0 || whole !== undefined
    return whole === undefined ? undefined : whole === TLS ? 'tls' : 'http'
  }
}

const BODY = 'This port speaks HL7 v2 over MLLP, not HTTP.\n'

/**
 * What a stranger is told before the connection closes: an HTTP client a status that it shows, a TLS client the fatal alert
 * `unexpected_message` (RFC 8446, 6.2), so that it fails at once and does not wait.
 */
export const FAREWELL: Readonly<Record<Stranger, Buffer>> = {
  tls: Buffer.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x0a),
  http: Buffer.from(`HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: ${BODY.length}\r\nConnection: close\r\n\r\n${BODY}`),
}
