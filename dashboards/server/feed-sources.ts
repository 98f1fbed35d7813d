import type { RefusalCause } from '../../streams/events/index.ts'
import type { ArrivalTimeMs } from '../../streams/time/index.ts'

/** How a connector stands, as the pages and metrics show it. */
export interface HealthInfo { readonly state: 'up' | 'waiting' | 'failed', readonly since: ArrivalTimeMs, readonly why: string }

/** A code that nothing maps; never a patient's value. */
export interface UnmappedInfo { readonly system: string, readonly code: string, readonly text: string, readonly unit: string, readonly count: number, readonly firstAt: ArrivalTimeMs, readonly lastAt: ArrivalTimeMs }

/** The clocks of the devices that were heard in the last day: how many are how far off, and those that are furthest out. `offsetMs`: behind; negative: ahead. */
export interface ClocksInfo {
  readonly byDistance: Readonly<Record<'inStep' | 'seconds' | 'minutes' | 'hours' | 'days' | 'unknown', number>>
  readonly worst: readonly { readonly device: string, readonly offsetMs: number, readonly looks: 'off' | 'zone' | 'dateLost', readonly heardAt: ArrivalTimeMs }[]
}

/** `refused`: a newer version of the files has faults, or its connector cannot start with it, and the last good one holds. */
export interface FeedConfiguration { readonly state: 'current' | 'refused', readonly faults: readonly string[] }

export interface FeedInfo {
  readonly name: string
  readonly connector: string
  readonly endpoint: string
  readonly site: string
  readonly zone: string
  readonly health: HealthInfo
  readonly configuration: FeedConfiguration
  /** Since the start: messages, and (`codesIgnored`) parts of them that were passed over. */
  readonly counts: { readonly published: number, readonly duplicates: number, readonly refused: number, readonly archived: number, readonly codesIgnored: number }
  /** Rows of its table. */
  readonly codes: number
  /** null: a feed without devices that have clocks of their own. */
  readonly clocks: ClocksInfo | null
  /** Most often first. */
  readonly unmapped: readonly UnmappedInfo[]
  /** Occurrences of codes beyond those that are kept. */
  readonly others: number
}

export interface ConceptInfo { readonly id: string, readonly name: string, readonly unit: string }
/** What a table says of a code: `concept` is an id, or `ignore`; `unit` is empty where values count as sent. */
export interface CodeSaid { readonly concept: string, readonly unit: string }
/** A row of a feed's table. `system` empty: the code whatever its system. */
export interface MappedCode extends CodeSaid { readonly system: string, readonly code: string }
/** Rows in the order of the file: `total` of the table, `matching` what was asked for, of which `codes` are the first. */
export interface CodesPage { readonly total: number, readonly matching: number, readonly codes: readonly MappedCode[] }

export interface CodeToMap extends MappedCode {
  /** What the caller saw the table say of this code: where it says that still, it is changed. */
  readonly was?: CodeSaid | undefined
  /** Also where the table says otherwise of this code. */
  readonly replace?: boolean | undefined
}

export type MapCodeOutcome =
  | { readonly kind: 'mapped', readonly feed: FeedInfo }
  | { readonly kind: 'feed-unknown' }
  | { readonly kind: 'invalid', readonly why: string }
  /** Somebody was faster and said something else: it is not overruled unasked. */
  | { readonly kind: 'mapped-otherwise', readonly concept: string, readonly unit: string }
  /** The table says nothing of this code any more. */
  | { readonly kind: 'gone' }
  /** Somebody left a fault in the file: it is not written over. */
  | { readonly kind: 'file-faulty', readonly why: string }

/** Names of feeds that run by what their files say now, and faults that were refused. */
export interface ReloadReport { readonly changed: readonly string[], readonly refused: readonly string[] }

export type CodesOutcome = { readonly kind: 'codes', readonly page: CodesPage } | Extract<MapCodeOutcome, { readonly kind: 'feed-unknown' | 'file-faulty' }>

/** The running feeds, for the page and the commands. */
export interface FeedDesk {
  feeds (): readonly FeedInfo[]
  concepts (): readonly ConceptInfo[]
  reload (): Promise<ReloadReport>
  /** Writes the feed's table and takes effect at once. */
  mapCode (feed: string, code: CodeToMap, by: string): Promise<MapCodeOutcome>
  /** Takes the row out of the feed's table if it still says what the caller saw; takes effect at once. */
  removeCode (feed: string, code: MappedCode, by: string): Promise<MapCodeOutcome>
  /** The rows whose system, code or concept has `find`; empty: all. */
  codes (feed: string, find: string, limit: number): CodesOutcome
}

export interface DispositionInfo { readonly action: 'retried' | 'dropped', readonly outcome: string, readonly cause: string, readonly detail: string, readonly at: ArrivalTimeMs, readonly by: string }

export interface LetterInfo {
  readonly offset: number
  readonly cause: RefusalCause
  readonly detail: string
  readonly source: string
  readonly feed: string
  readonly refusedAt: ArrivalTimeMs
  /** Of the message, sealed. */
  readonly bytes: number
  /** Where the engine met it; -1 for what a connector refused. */
  readonly partition: number
  readonly position: number
  readonly state: 'open' | 'retried' | 'dropped'
  /** A running feed can read it again. */
  readonly retryable: boolean
  readonly attempts: number
  readonly last: DispositionInfo | null
}

export interface LetterFilter { readonly cause?: string | undefined, readonly feed?: string | undefined, readonly state?: 'open' | 'retried' | 'dropped' | 'all' | undefined }

/** Newest first; `next` asks for the following page as `after`. */
export interface LetterPage { readonly letters: readonly LetterInfo[], readonly matching: number, readonly next: number | null }

export type LetterOutcome =
  | { readonly kind: 'done', readonly letter: LetterInfo }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'closed', readonly state: string }
  | { readonly kind: 'busy' }
  | { readonly kind: 'no-feed', readonly why: string }

/** How many of a round became what; `left`: open letters that match and were not tried. */
export interface RetryRound { readonly tried: number, readonly published: number, readonly duplicate: number, readonly archived: number, readonly refused: number, readonly left: number }

/** `left`: open letters that match and were not dropped. */
export interface DropRound { readonly dropped: number, readonly left: number }

export interface DeadLetterDesk {
  list (filter: LetterFilter, after: number | undefined, limit: number): LetterPage
  show (offset: number): LetterInfo | undefined
  /** Opened: it names a patient. undefined: no such letter. */
  raw (offset: number): Promise<Buffer | undefined>
  retry (offset: number, by: string): Promise<LetterOutcome>
  /** Oldest first. */
  retryAll (filter: LetterFilter, limit: number, by: string): Promise<RetryRound>
  drop (offset: number, by: string): Promise<LetterOutcome>
  /** Oldest first, `limit` of them: what comes while a person decides is not among those that were counted. */
  dropAll (filter: LetterFilter, limit: number, by: string): Promise<DropRound>
}
