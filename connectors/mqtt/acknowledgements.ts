const PUBACK = 0x40
const REMAINING_BYTES = 2
const BYTES = 4

/** Writes PUBACKs, all that came in one turn of the event loop at once. MQTT 5 leaves the reason out where it is success (3.4.2.1), so both versions read the same. */
export class Acknowledgements {
  readonly #write: (bytes: Buffer) => void
  #ids: number[] = []

  constructor (write: (bytes: Buffer) => void) { this.#write = write }

  add (messageId: number): void {
    if (this.#ids.push(messageId) === 1) process.nextTick(() => { this.#flush() })
  }

  #flush (): void {
    const ids = this.#ids
    this.#ids = []
    const bytes = Buffer.allocUnsafe(ids.length * BYTES)
    for (let i = 0; i < ids.length; i++) {
      bytes[i * BYTES] = PUBACK
      bytes[i * BYTES + 1] = REMAINING_BYTES
      bytes.writeUInt16BE(ids[i]!, i * BYTES + 2)
    }
    this.#write(bytes)
  }
}
