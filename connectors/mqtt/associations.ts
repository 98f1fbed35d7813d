import type { DurationMs, EventTimeMs } from '../../streams/time/index.ts'
import type { ClockRow } from './clock-offset.ts'
import type { Association } from './options.ts'

/** As long as the history of beds. */
export const ASSOCIATION_HISTORY_MS: DurationMs = 72 * 3_600_000
const SPANS_MAX = 64

/** What was said of a device: from when to when (exclusive; Infinity: until something newer) it measures whom; undefined: nobody. */
export interface Span { readonly from: EventTimeMs, readonly to: EventTimeMs, readonly who: Association | undefined }

/** As it stands on disk; `null` is without bound. `newest`: about the newest reading of the device. `clock`: what its times said of it. */
export interface DeviceRow { readonly spans: readonly { readonly from: number | null, readonly to: number | null, readonly who?: Association | undefined }[], readonly newest: number | null, readonly clock?: ClockRow | undefined }

/**
 * Whom one device measured, and when. Of the spans that hold a moment the one that begins last counts, of two with one beginning the one that was said
 * later: so a correction says the same beginning again, and a span that is said late does not undo what began after it. Bounded; a lookup is a short walk.
 */
export class DeviceHistory {
  #spans: Span[]
  /** The newest event time of the device's readings. */
  newest: EventTimeMs

  constructor (row?: DeviceRow | Association) {
    const before = row === undefined ? [] : 'spans' in row ? row.spans : [{ from: null, to: null, who: row }] // earlier versions kept the association alone
    this.#spans = before.map(({ from, to, who }) => ({ from: from ?? -Infinity, to: to ?? Infinity, who }))
    this.newest = row !== undefined && 'spans' in row ? row.newest ?? -Infinity : -Infinity
  }

  get row (): DeviceRow { return { spans: this.#spans.map(({ from, to, who }) => ({ from: bound(from), to: bound(to), ...who === undefined ? {} : { who } })), newest: bound(this.newest) } }
  get empty (): boolean { return this.#spans.length === 0 }

  /** undefined: nobody, in a gap, or older than the history. */
  at (time: EventTimeMs): Association | undefined {
    if (time < this.#oldest()) return undefined
    for (let i = this.#spans.length - 1; i >= 0; i--) {
      const { from, to, who } = this.#spans[i]!
      if (from <= time && time < to) return who
    }
    return undefined
  }

  say (span: Span): void {
    let i = this.#spans.length
    while (i > 0 && this.#spans[i - 1]!.from > span.from) i--
    if (i > 0 && this.#spans[i - 1]!.from === span.from) this.#spans[i - 1] = span; else this.#spans.splice(i, 0, span)
    this.#prune()
  }

  /** The first span goes when it, or the next one that is open, ends before the history begins. */
  #prune (): void {
    const oldest = this.#oldest()
    this.#spans = this.#spans.filter((span, i) => {
      const next = this.#spans.slice(i + 1).find(({ to }) => to === Infinity)
      return Math.min(span.to, next?.from ?? Infinity) > oldest
    }).slice(-SPANS_MAX)
    if (this.#spans.length === 1 && this.#spans[0]!.who === undefined && this.#spans[0]!.from <= oldest) this.#spans = []
  }

  #oldest (): EventTimeMs {
    const last = this.#spans.at(-1)?.from ?? -Infinity
    return Math.max(this.newest, last) - ASSOCIATION_HISTORY_MS
  }
}

function bound (time: number): number | null { return Number.isFinite(time) ? time : null }
