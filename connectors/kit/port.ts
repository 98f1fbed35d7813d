import type { EncounterEvent, ObservationSet, RefusalCause, StatementEvent } from '../../streams/events/index.ts'
import type { ArrivalTimeMs, EventTimeMs } from '../../streams/time/index.ts'
import type { Superseded, Taken } from './outcome.ts'

/** A patient as a source names one; never leaves the connector and the identity vault. */
export interface SourceIdentity {
  /** The identifier in its namespace (`identifierOf` of the feed's mapping). */
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
  /** The configured feed that can read `raw` again; absent: none can. */
  readonly feed?: string
  readonly raw: Buffer
}

/** Two identities are one patient: what the message's patient had becomes the survivor's (HL7 A40 and kin, FHIR Patient.link). */
export interface InboundMerge {
  readonly type: 'merge'
  readonly survivor: SourceIdentity
  readonly eventTime: EventTimeMs
  readonly source: string
}

/** An encounter event, with what only the kit reads of it. */
export interface InboundEncounter extends EncounterEvent {
  /** As the source names the visit; it goes to the log as a pseudonym. */
  readonly visitNumber?: string
  /** The visit is that patient's from here on (HL7 A45). `numberAfter`: its number there, where it is another. */
  readonly move?: { readonly to: SourceIdentity, readonly numberAfter?: string }
}

/** Readings, with the visit that the source names. */
export interface InboundObservations extends ObservationSet { readonly visitNumber?: string }

/** A statement; of kind `link`, with whom: its code and identity follow from that. */
export interface InboundStatement extends StatementEvent { readonly linkedWith?: SourceIdentity }

/** What a connector may say of a patient. */
export type InboundEvent = InboundObservations | InboundEncounter | InboundStatement | InboundMerge

/** One source message, mapped: published whole, in one record of the patient's partition. */
export interface InboundMessage {
  readonly patient: SourceIdentity
  readonly event: InboundEvent
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
  /** A merge that would close a circle: nothing was published. */
  | { readonly kind: 'merge-loop' }

/** A message that was understood and carries nothing that Latido computes with; kept, sealed. */
export interface ArchivedInput {
  readonly source: string
  /** Short: `BAR^P01`, `ORM^O01`. */
  readonly type: string
  readonly raw: Buffer
}

/** What stands between connectors and the log: pseudonyms, identity, duplicates, publishing, dead letters, counters. */
export interface Intake {
  /** Resolves when the log has the message durably. Rejects (LatidoError) when the log is away: do not acknowledge. */
  publish (message: InboundMessage): Promise<PublishOutcome>
  /** Resolves when the dead letter is durably stored. The same bytes refused for the same cause are one dead letter, however often they come in 72 hours. */
  refuse (refused: RefusedInput): Promise<void>
  /** Resolves when it is durably stored; the same bytes are stored once. */
  archive (archived: ArchivedInput): Promise<void>
  /** Who lay in a bed at a moment (by default now), from admissions and transfers; undefined if nobody. */
  patientInBed (ward: string, bed: string, at?: EventTimeMs): string | undefined
  /** Moment for plausibility of event times: the log's clock. */
  now (): ArrivalTimeMs
  /** Counts an outcome that is not worth a dead letter each, for example junk bytes between frames. */
  count (source: string, what: string, n?: number): void
}

/** How a connector stands. `up`: it takes messages. `waiting`: its counterparty or the log is away, and it tries again. `failed`: it needs a person. */
export interface ConnectorHealth {
  readonly state: 'up' | 'waiting' | 'failed'
  readonly since: ArrivalTimeMs
  /** For an operator, without values or identifiers; when up empty, or what else is to be known. */
  readonly why: string
}

/** How far a device's clock is off: `inStep` under 2 s, `hours` from 59 minutes, `days` a day or more; `unknown` until three minutes with messages are over. */
export type ClockDistance = 'inStep' | 'seconds' | 'minutes' | 'hours' | 'days' | 'unknown'
/** `zone`: by whole or half hours, as where summer time or the time zone is wrong. `dateLost`: by half a year or more, as after an empty battery. */
export type ClockLooks = 'off' | 'zone' | 'dateLost'

/** A device whose clock is out. */
export interface DeviceClock {
  readonly device: string
  /** Milliseconds that its clock is behind; negative: ahead. */
  readonly offsetMs: number
  readonly looks: ClockLooks
  readonly heardAt: ArrivalTimeMs
}

/** The clocks of a feed's devices that were heard in the last day. */
export interface DeviceClocks {
  readonly byDistance: Readonly<Record<ClockDistance, number>>
  /** Those that are out, the worst first; not all where there are many. */
  readonly worst: readonly DeviceClock[]
}

/** A running connector. */
export interface Connector extends AsyncDisposable {
  /** The feed that it serves. */
  readonly name: string
  /** Where it listens or reads, for the start line; without credentials. */
  readonly endpoint: string
  health (): ConnectorHealth
  /** Where it has devices with clocks of their own. */
  clocks? (): DeviceClocks | undefined
  /** Where it sends: a dead letter of its own once more. */
  retry? (raw: Buffer): Promise<Taken | Superseded>
}
