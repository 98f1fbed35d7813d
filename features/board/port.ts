/** The worst of a patient's open alerts; `none` where no alert is open. */
export const BOARD_ALERT_STATES = ['active', 'latched', 'acknowledged', 'none'] as const
export type BoardAlertState = (typeof BOARD_ALERT_STATES)[number]
export type BoardPriority = 'high' | 'medium' | 'low' | 'none'

/** `place` is ward, then bed, bed 2 before bed 10. Each other order has place as its last word, ascending, and the pseudonym after it. */
export const BOARD_SORTS = ['concern', 'place', 'news2', 'risk', 'updated'] as const
export type BoardSort = (typeof BOARD_SORTS)[number]

/** What a search takes: words beyond the count are left out, and of a longer word its beginning is compared. */
export const SEARCH_LIMITS = { words: 8, wordLength: 24, textLength: 100 } as const

/** One patient as people search for one. No name, no birth date, no record number: nobody is identified beyond the pseudonym. */
export interface BoardEntity {
  readonly patient: string
  readonly ward: string
  readonly bed: string
  readonly admitted: boolean
  /** Belongs on the board: admitted, or alerting, or measured lately. */
  readonly onBoard: boolean
  readonly ageYears: number | null
  readonly sex: string
  /** A lower bound where parts are missing; null where it is not scored. */
  readonly news2: number | null
  readonly news2Missing: readonly string[]
  /** Calibrated probability of `riskModel`. */
  readonly risk: number | null
  readonly riskModel: string
  readonly alertState: BoardAlertState
  readonly alertPriority: BoardPriority
  /** When the newest of it became true, in the log's time. */
  readonly updatedAt: number
  /** What is found by words: ward, bed, rules of open alerts. */
  readonly text: string
}

/** All that are given must hold. Ward and bed are compared whole, without case and diacritics; `text` by words, each of which must be found. */
export interface BoardQuery {
  readonly ward?: string
  readonly bed?: string
  readonly admitted?: boolean
  readonly onBoard?: boolean
  readonly news2Min?: number
  /** Compared in millionths. */
  readonly riskMin?: number
  /** Any of these. */
  readonly alertStates?: readonly BoardAlertState[]
  readonly text?: string
  readonly sort: BoardSort
  /** What is not known stands last in either direction. */
  readonly descending: boolean
  readonly offset: number
  readonly limit: number
}

export interface BoardAnswer {
  /** All that match, of which `entities` are a page. */
  readonly total: number
  readonly entities: readonly BoardEntity[]
  readonly by: 'redis-search' | 'own-index'
  /** Why not Redis, where Redis was expected to search. */
  readonly why?: string
}

/** What people search. It holds no truth of its own: it is made from the online store, and can be made again. */
export interface BoardIndex extends AsyncDisposable {
  readonly by: BoardAnswer['by']
  readonly why?: string
  /**
   * A version above all that were given out before, by whichever instance. Taken before an entity's rows are read, it makes the order of
   * versions the order of readings: whatever was written before a version was taken is in every entity of that version or a later one.
   */
  version (): Promise<number>
  /** An entity whose stored version, or whose removal, is as new or newer stays as it is. */
  put (entities: readonly BoardEntity[], version: number): Promise<void>
  /** As a write of nothing: an entity of a newer version stays, and an older one that comes late does not come back. */
  remove (patients: readonly string[], version: number): Promise<void>
  patients (): Promise<readonly string[]>
  /** Throws ONLINE_UNAVAILABLE where the index does not answer. */
  search (query: BoardQuery): Promise<BoardAnswer>
}
