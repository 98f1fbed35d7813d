/** Bytes of the Minimal Lower Layer Protocol (HL7 implementation guide, MLLP release 1): VT payload FS CR. */
export const VT = 0x0b
export const FS = 0x1c
export const CR = 0x0d

/** `too-large`: the frame outgrew the limit; `head` is its beginning, the rest is skipped. */
export type Framed =
  | { readonly kind: 'frame', readonly payload: Buffer }
  | { readonly kind: 'too-large', readonly head: Buffer }

/** What is worth counting: bytes outside frames, frames that a new VT cut off, and FS without its CR. */
export type FramerNotice = 'junk-bytes' | 'partial-frames' | 'missing-cr'

export interface FramerOptions {
  readonly frameBytesMax: number
  readonly count?: (what: FramerNotice, n: number) => void
}

type State = 'outside' | 'inside' | 'skipping' | 'after-fs'

const FIRST_BYTES = 4096
/** A frame that is too large is dead-lettered with this much of its beginning. */
const HEAD_BYTES = 65_536

/**
 * MLLP as a state machine over bytes. Any chunking of the same bytes gives the same frames. A frame is handed over at its
 * FS, so a sender that leaves the CR out, or sends it late, waits for nothing. VT within an open frame means that the peer
 * started anew: the partial frame is dropped. Bytes between frames are skipped. The payload is copied, so no chunk is kept.
 */
export class Framer {
  readonly #max: number
  readonly #count: (what: FramerNotice, n: number) => void
  #state: State = 'outside'
  #held: Buffer = Buffer.alloc(0)
  #length = 0

  constructor (options: FramerOptions) {
    this.#max = options.frameBytesMax
    this.#count = options.count ?? (() => {})
  }

  /** True while a frame is open: the partial-frame timeout runs. */
  get open (): boolean { return this.#state === 'inside' || this.#state === 'skipping' }

  push (chunk: Buffer): Framed[] {
    const out: Framed[] = []
    let at = 0
    while (at < chunk.length) {
      switch (this.#state) {
        case 'after-fs': at = this.#afterFs(chunk, at); break
        case 'outside': at = this.#outside(chunk, at); break
        case 'inside':
        case 'skipping': at = this.#inside(chunk, at, out); break
      }
    }
    return out
  }

  #afterFs (chunk: Buffer, at: number): number {
    this.#state = 'outside'
    if (chunk[at] === CR) return at + 1
    this.#count('missing-cr', 1)
    return at
  }

  #outside (chunk: Buffer, at: number): number {
    const start = chunk.indexOf(VT, at)
    const junk = (start < 0 ? chunk.length : start) - at
    if (junk > 0) this.#count('junk-bytes', junk)
    if (start < 0) return chunk.length
    this.#begin()
    return start + 1
  }

  #inside (chunk: Buffer, at: number, out: Framed[]): number {
    const fs = chunk.indexOf(FS, at)
    const end = fs < 0 ? chunk.length : fs
    const vt = chunk.subarray(at, end).indexOf(VT)
    if (vt >= 0) {
      if (this.#state === 'inside') this.#take(chunk.subarray(at, at + vt), out)
      this.#count('partial-frames', 1)
      this.#begin()
      return at + vt + 1
    }
    if (this.#state === 'inside') this.#take(chunk.subarray(at, end), out)
    if (fs < 0) return chunk.length
    if (this.#state === 'inside') out.push({ kind: 'frame', payload: Buffer.from(this.#held.subarray(0, this.#length)) })
    this.#release()
    this.#state = 'after-fs'
    return fs + 1
  }

  #begin (): void {
    this.#state = 'inside'
    this.#length = 0
  }

  /** Appends to the open frame; the buffer doubles, so one-byte chunks cost no more than large ones. */
  #take (bytes: Buffer, out: Framed[]): void {
    const needed = this.#length + bytes.length
    if (needed > this.#max) {
      const head = Buffer.concat([this.#held.subarray(0, this.#length), bytes.subarray(0, this.#max - this.#length)])
      out.push({ kind: 'too-large', head: Buffer.from(head.subarray(0, HEAD_BYTES)) })
      this.#state = 'skipping'
      this.#release()
      return
    }
    if (needed > this.#held.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(this.#max, this.#held.length * 2), FIRST_BYTES))
      this.#held.copy(grown, 0, 0, this.#length)
      this.#held = grown
    }
    bytes.copy(this.#held, this.#length)
    this.#length = needed
  }

  #release (): void {
    this.#length = 0
    if (this.#held.length > HEAD_BYTES) this.#held = Buffer.alloc(0)
  }
}

/** One frame: VT payload FS CR. */
export function frame (payload: Buffer): Buffer {
  return Buffer.concat([Buffer.of(VT), payload, Buffer.of(FS, CR)])
}
