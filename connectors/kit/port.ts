import type { BedsideEvent, RefusalCause } from '../../streams/events/index.ts'
import type { ArrivalTimeMs, EventTimeMs } from '../../streams/time/index.ts'

/** A patient as a source names one; never leaves the connector and the identity vault. */
export interface SourceIdentity {
  /** PID-3.1, or whatever the feed uses. */
  readonly id: string
  readonly familyName?: string
  readonly givenName?: string
  /** ISO date, as far as known: `1950`, `1950-04`, `1950-04-12`. */
  readonly birthDate?: string
}

export interface RefusedInput {
  readonly cause: RefusalCause
  /** Where and what, without values or identifiers. */
  readonly detail: string
  readonly source: string
  readonly raw: Buffer
}

/** One source message, mapped: published whole, in one record of the patient's partition. */
export interface InboundMessage {
  readonly patient: SourceIdentity
  readonly event: BedsideEvent
  /** Identity of the message at its source, for duplicates: same identity and same content is the same message. */
  readonly messageId: string
  readonly source: string
  /** Hash input that says "same content"; without transport times. */
  readonly content: Buffer
}

export type PublishOutcome =
  | { readonly kind: 'published', readonly arrival: ArrivalTimeMs }
  /** Seen before with the same content: acknowledge as the first time, nothing was published. */
  | { readonly kind: 'duplicate' }

/** What a connector may do; the kit behind it does pseudonyms, identity, duplicates, publishing, dead letters, counters. */
export interface Intake {
  /** Resolves when the log has the message durably. Rejects (LatidoError) when the log is away: do not acknowledge. */
  publish (message: InboundMessage): Promise<PublishOutcome>
  /** Resolves when the dead letter is durably stored. */
  refuse (refused: RefusedInput): Promise<void>
  /** Who lies in a bed now, from admissions and transfers; undefined if nobody. Beds are `ward|bed`. */
  patientInBed (ward: string, bed: string): string | undefined
  /** Moment for plausibility of event times: the log's clock. */
  now (): ArrivalTimeMs
  /** Counts an outcome that is not worth a dead letter each, for example junk bytes between frames. */
  count (source: string, what: string, n?: number): void
}

/** Event times may lead arrival by this much (clock skew); beyond it the value is refused as `time-in-future`. */
export interface TimePolicy { readonly futureToleranceMs: number }

/** `clamped`: within the tolerance; the event time became the arrival time. */
export type CheckedTime = { readonly kind: 'ok' | 'clamped', readonly eventTime: EventTimeMs } | { readonly kind: 'future' }

/** A running connector. */
export interface Connector extends AsyncDisposable {
  readonly name: string
  /** Where it listens, for the start line; empty if it does not. */
  readonly endpoint: string
}
