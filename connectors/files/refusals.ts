import type { RefusalCause } from '../../streams/events/index.ts'
import type { RefusedInput } from '../kit/port.ts'

/** Counts what was refused, and hands each one on with its raw row. */
export class Refusals {
  readonly refused: Map<RefusalCause, number> = new Map()
  readonly notes: Map<string, number> = new Map()
  readonly #source: string
  readonly #onRefused: ((refused: RefusedInput) => void) | undefined
  constructor (source: string, onRefused?: (refused: RefusedInput) => void) {
    this.#source = source
    this.#onRefused = onRefused
  }

  /** `detail` says where (file, line, column), never a value. `raw` may be a view of a buffer that is used again: it is copied. */
  refuse (cause: RefusalCause, detail: string, raw: Buffer): void {
    this.count(cause)
    this.#onRefused?.({ cause, detail, source: this.#source, raw: Buffer.from(raw) })
  }

  /** For what is too common to be handed on one by one. */
  count (cause: RefusalCause): void { this.refused.set(cause, (this.refused.get(cause) ?? 0) + 1) }

  note (what: string, n = 1): void { this.notes.set(what, (this.notes.get(what) ?? 0) + n) }
}
