import type { ArrivalTimeMs } from '../../streams/time/index.ts'
import { meaningOf, type FeedMapping, type MappingTable, type UnmappedCode } from './mapping.ts'

/** A code that nothing maps, with how often and since when. */
export interface UnmappedSeen extends UnmappedCode {
  readonly count: number
  readonly firstAt: ArrivalTimeMs
  readonly lastAt: ArrivalTimeMs
}

export interface LiveMappingOptions {
  readonly mapping: FeedMapping
  readonly now: () => ArrivalTimeMs
  /** What was kept of an earlier run. */
  readonly seen?: Iterable<readonly [key: string, seen: UnmappedSeen]>
  readonly codesMax?: number
}

const CODES_MAX = 1_000
/** A feed that puts free text where codes belong must not fill the page, nor show what was written there. */
const TEXT_CHARACTERS_MAX = 64

/** The mapping of a running feed: replaced whole, so that each message is read by one; counts what nothing maps, a bounded number of codes. */
export class LiveMapping implements MappingTable {
  #current: FeedMapping
  readonly #now: () => ArrivalTimeMs
  readonly #seen: Map<string, UnmappedSeen>
  readonly #changed = new Set<string>()
  readonly #codesMax: number
  #others = 0

  constructor ({ mapping, now, seen = [], codesMax = CODES_MAX }: LiveMappingOptions) {
    this.#current = mapping
    this.#now = now
    this.#seen = new Map(seen)
    this.#codesMax = codesMax
    this.#forgetMapped()
  }

  get current (): FeedMapping { return this.#current }
  /** Most often first. */
  get seen (): readonly UnmappedSeen[] { return [...this.#seen.values()].sort((a, b) => b.count - a.count || compare(a.code, b.code)) }
  /** Codes beyond the bound, counted together since the start. */
  get others (): number { return this.#others }

  replace (mapping: FeedMapping): void {
    this.#current = mapping
    this.#forgetMapped()
  }

  unmapped (code: UnmappedCode): void {
    const key = keyOf(code)
    const at = this.#now()
    const before = this.#seen.get(key)
    if (before === undefined && this.#seen.size >= this.#codesMax) { this.#others++; return }
    this.#changed.add(key)
    this.#seen.set(key, before === undefined ? { system: short(code.system), code: short(code.code), text: ending(code.text), unit: short(code.unit), count: 1, firstAt: at, lastAt: at } : { ...before, count: before.count + 1, lastAt: at })
  }

  /** What has changed since it was last asked, to be kept; undefined: to be forgotten. */
  takeChanges (): readonly (readonly [key: string, seen: UnmappedSeen | undefined])[] {
    const changes = [...this.#changed].map(key => [key, this.#seen.get(key)] as const)
    this.#changed.clear()
    return changes
  }

  #forgetMapped (): void {
    for (const [key, { system, code }] of this.#seen) {
      if (meaningOf(this.#current, system, code) === undefined) continue
      this.#seen.delete(key)
      this.#changed.add(key)
    }
  }
}

function keyOf ({ system, code }: UnmappedCode): string { return `${short(system)}|${short(code)}`.toUpperCase() }
function short (text: string): string { return text.slice(0, TEXT_CHARACTERS_MAX) }
/** A name is for people: they see that it goes on. */
function ending (text: string): string { return text.length <= TEXT_CHARACTERS_MAX ? text : `${text.slice(0, TEXT_CHARACTERS_MAX - 1)}…` }
function compare (a: string, b: string): number { return a < b ? -1 : a > b ? 1 : 0 }
