/**
 * The JSON of the API and of the live stream, as the page and other programs read it. Depends on nothing, so a browser can import it.
 * Times are milliseconds since 1970 UTC, ages and widths milliseconds; what is absent or not a number is null.
 */
export type WirePriority = 'high' | 'medium' | 'low'
export type WireAlertState = 'active' | 'acknowledged' | 'latched' | 'cleared'

export interface WireIdentity { readonly id: string, readonly familyName: string, readonly givenName: string, readonly birthDate: string }
export interface WireReading { readonly concept: string, readonly value: number | null, readonly unit: string, readonly eventTime: number, readonly stale: boolean }
export interface WireReason { readonly feature: string, readonly value: number | null, readonly contribution: number | null, readonly eventTime: number | null }

export interface WireScore {
  readonly model: string
  readonly modelVersion: string
  readonly view: string
  readonly viewVersion: number
  readonly asOf: number
  readonly probability: number | null
  readonly presentShare: number | null
  readonly reasons: readonly WireReason[]
}

export interface WireAlert {
  /** The alert's id, for `POST /api/alerts/{id}/acknowledge`. */
  readonly id: string
  readonly patient: string
  /** The id that the source sent; the pseudonym where no identity is known. */
  readonly patientId: string
  readonly ward: string
  readonly bed: string
  readonly rule: string
  readonly priority: WirePriority
  readonly state: WireAlertState
  readonly raisedAt: number
  readonly changedAt: number
  readonly onsetEventTime: number | null
  readonly value: number | null
  readonly threshold: number | null
  readonly missing: readonly string[]
  readonly reasons: readonly WireReason[]
  readonly acknowledgedBy: string
  readonly basis: string
}

/** `atLeast`: parts are missing, so the true score is this or more. */
export interface WireNews2 { readonly score: number, readonly atLeast: boolean, readonly missing: readonly string[], readonly asOf: number }

export interface WirePatient {
  /** The id that the source sent; the pseudonym where no identity is known. */
  readonly id: string
  readonly patient: string
  readonly identity: WireIdentity | null
  readonly ward: string
  readonly bed: string
  readonly admitted: boolean
  readonly ageYears: number | null
  readonly sex: string
  readonly readings: readonly WireReading[]
  readonly news2: WireNews2 | null
  readonly score: WireScore | null
  readonly alerts: readonly WireAlert[]
}

/** Event `ward` of the live stream: the whole board, patients of most concern first. */
export interface WireBoard {
  readonly now: number
  readonly version: string
  /** Patients who belong on the board; `patients` holds at most the stream's limit of them. */
  readonly total: number
  readonly wards: readonly { readonly ward: string, readonly patients: number }[]
  readonly patients: readonly WirePatient[]
}

export interface WireFeature { readonly name: string, readonly unit: string, readonly present: boolean, readonly value: number | null, readonly eventTime: number | null, readonly ageMs: number | null }
export interface WireViewValues { readonly view: string, readonly version: number, readonly asOf: number | null, readonly features: readonly WireFeature[] }
export interface WireFeatures { readonly id: string, readonly patient: string, readonly now: number, readonly views: readonly WireViewValues[] }

/** Columns of equal length; `kinds` says device, charted or laboratory. */
export interface WireSeries { readonly concept: string, readonly unit: string, readonly eventTimes: readonly number[], readonly values: readonly (number | null)[], readonly kinds: readonly string[] }
export interface WireRisk { readonly model: string, readonly asOfs: readonly number[], readonly probabilities: readonly (number | null)[] }
export interface WireTrends { readonly id: string, readonly patient: string, readonly from: number, readonly to: number, readonly series: readonly WireSeries[], readonly risk: readonly WireRisk[] }

export interface WireDrift {
  readonly view: string
  readonly viewVersion: number
  readonly feature: string
  readonly windowStart: number
  readonly windowEnd: number
  readonly count: number
  readonly psi: number | null
  readonly threshold: number | null
  readonly alarm: boolean
  readonly missingShare: number | null
  readonly referenceMissingShare: number | null
}

export interface WireCatalogueConcept { readonly id: string, readonly name: string, readonly unit: string, readonly loinc: readonly string[], readonly mdc: readonly string[], readonly aliases: readonly string[] }
export interface WireCatalogueFeature { readonly name: string, readonly unit: string, readonly meaning: string, readonly windowsMs: readonly number[], readonly concepts: readonly string[], readonly reads: readonly string[] }
/** A view of the catalogue. */
export interface WireCatalogueView {
  readonly name: string
  readonly version: number
  readonly entity: string
  readonly owner: string
  readonly description: string
  readonly ttlMs: number
  readonly emit: { readonly everyMs: number, readonly on: readonly string[], readonly onChange: readonly string[] }
  readonly origin: 'standard' | 'own'
  readonly state: 'unpublished' | 'building' | 'live' | 'retired' | 'unknown'
  readonly served: boolean
  readonly fingerprint: string
  readonly stateBytes: number | null
  readonly deviceStateBytes: number | null
  readonly dependents: readonly string[]
  readonly concepts: readonly WireCatalogueConcept[]
  readonly features: readonly WireCatalogueFeature[]
}

export interface WireView { readonly name: string, readonly version: number, readonly ttlMs: number, readonly features: readonly { readonly name: string, readonly unit: string }[] }

export interface WireHealth { readonly state: 'up' | 'waiting' | 'failed', readonly since: number, readonly why: string }
export interface WireUnmapped { readonly system: string, readonly code: string, readonly text: string, readonly unit: string, readonly count: number, readonly firstAt: number, readonly lastAt: number }
/** Clocks of a feed's devices. */
export interface WireClocks {
  readonly byDistance: Readonly<Record<'inStep' | 'seconds' | 'minutes' | 'hours' | 'days' | 'unknown', number>>
  readonly worst: readonly { readonly device: string, readonly offsetMs: number, readonly looks: 'off' | 'zone' | 'dateLost', readonly heardAt: number }[]
}
/** A configured feed that runs. */
export interface WireFeed {
  readonly name: string
  readonly connector: string
  readonly endpoint: string
  readonly site: string
  readonly zone: string
  readonly health: WireHealth
  readonly configuration: { readonly state: 'current' | 'refused', readonly faults: readonly string[] }
  readonly counts: { readonly published: number, readonly duplicates: number, readonly refused: number, readonly archived: number, readonly codesIgnored: number }
  readonly codes: number
  readonly clocks: WireClocks | null
  readonly unmapped: readonly WireUnmapped[]
  readonly others: number
}
export interface WireFeeds { readonly now: number, readonly feeds: readonly WireFeed[], readonly concepts: readonly { readonly id: string, readonly name: string, readonly unit: string }[] }

/** A row of a feed's table of codes. */
export interface WireMappedCode { readonly system: string, readonly code: string, readonly concept: string, readonly unit: string }
export interface WireCodes { readonly total: number, readonly matching: number, readonly codes: readonly WireMappedCode[] }

/** A dead letter without its bytes. */
export interface WireLetter {
  readonly offset: number
  readonly cause: string
  readonly detail: string
  readonly source: string
  readonly feed: string
  readonly refusedAt: number
  readonly bytes: number
  readonly partition: number
  readonly position: number
  readonly state: 'open' | 'retried' | 'dropped'
  readonly retryable: boolean
  readonly attempts: number
  readonly last: { readonly action: 'retried' | 'dropped', readonly outcome: string, readonly cause: string, readonly detail: string, readonly at: number, readonly by: string } | null
}
export interface WireLetters { readonly now: number, readonly letters: readonly WireLetter[], readonly matching: number, readonly next: number | null, readonly causes: readonly string[], readonly feeds: readonly string[] }
export interface WireRetryRound { readonly tried: number, readonly published: number, readonly duplicate: number, readonly archived: number, readonly refused: number, readonly left: number }

export interface WireDropRound { readonly dropped: number, readonly left: number }

/** Event `pipeline` of the live stream. */
export interface WirePipeline {
  readonly now: number
  readonly log: { readonly driver: 'embedded' | 'direct' | 'native', readonly state: 'on' | 'away', readonly why: string }
  readonly topics: readonly { readonly topic: string, readonly partitions: number, readonly records: number, readonly perSecond: number | null }[]
  readonly processors: readonly { readonly name: string, readonly lag: number | null, readonly perSecond: number | null, readonly state: string }[]
  readonly connectors: readonly { readonly name: string, readonly endpoint: string, readonly health: WireHealth, readonly counters: readonly { readonly what: string, readonly count: number }[] }[]
  readonly deadLetters: {
    readonly total: number
    readonly open: number
    readonly byCause: Readonly<Record<string, number>>
    readonly newest: readonly { readonly offset: number, readonly cause: string, readonly detail: string, readonly source: string, readonly refusedAt: number, readonly bytes: number }[]
  }
  readonly late: number
  readonly leftBehind: number
  readonly offline: { readonly state: 'on' | 'off' | 'away', readonly why: string }
  readonly uptimeMs: number
}

export interface WireError { readonly error: { readonly code: string, readonly message: string, readonly action: string } }
