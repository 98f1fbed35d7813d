const SIZE_BYTES = 4

/**
 * Cuts a stream of bytes into frames: a size of 4 bytes, then as many bytes. A frame is allocated once, when its size is known,
 * and chunks are copied into it: no byte is copied twice however the stream is cut, and slices of a frame live as long as it.
 */
export class FrameReader {
  readonly #sizeMax: number
  readonly #onFrame: (frame: Buffer) => void
  readonly #size = Buffer.alloc(SIZE_BYTES)
  #sizeAt = 0
  #frame: Buffer | undefined
  #frameAt = 0

  constructor (sizeMax: number, onFrame: (frame: Buffer) => void) {
    this.#sizeMax = sizeMax
    this.#onFrame = onFrame
  }

  /** `chunk` may be used again by the caller afterwards. Throws RangeError for a size that cannot be; the stream is lost then. */
  feed (chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#frame === undefined) {
        at = this.#readSize(chunk, at)
        if (this.#sizeAt < SIZE_BYTES) return
        this.#begin()
      }
      const frame = this.#frame
      if (frame === undefined) continue
      const copied = chunk.copy(frame, this.#frameAt, at)
      at += copied
      this.#frameAt += copied
      if (this.#frameAt === frame.length) this.#finish(frame)
    }
  }

  #readSize (chunk: Buffer, from: number): number {
    let at = from
    while (this.#sizeAt < SIZE_BYTES && at < chunk.length) this.#size[this.#sizeAt++] = chunk[at++] ?? 0
    return at
  }

  #begin (): void {
    const size = this.#size.readInt32BE(0)
    // an answer has at least its correlation id
    if (size < SIZE_BYTES || size > this.#sizeMax) throw new RangeError(`an answer of ${size} bytes; at most ${this.#sizeMax} are taken`)
    this.#frame = Buffer.allocUnsafe(size)
    this.#frameAt = 0
  }

  #finish (frame: Buffer): void {
    this.#frame = undefined
    this.#sizeAt = 0
    this.#onFrame(frame)
  }
}
