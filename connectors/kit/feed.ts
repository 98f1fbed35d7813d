import { isLatidoError, messageOf } from '../../streams/errors/index.ts'
import type { ArrivalTimeMs, EventTimeMs } from '../../streams/time/index.ts'
import type { FeedMapping, MappingTable, UnmappedCode } from './mapping.ts'
import type { Fault, Notices, RefusedPart, Superseded, Taken } from './outcome.ts'
import type { ArchivedInput, InboundEvent, InboundMessage, Intake, SourceIdentity } from './port.ts'

/** Enough to see what it is; any log takes it. */
const BEGINNING_BYTES = 65_536

export interface MapContext {
  readonly now: ArrivalTimeMs
  readonly mapping: FeedMapping
  patientInBed (ward: string, bed: string, at?: EventTimeMs): string | undefined
  unmapped (code: UnmappedCode): void
}

export interface MappedEvent { readonly patient: SourceIdentity, readonly event: InboundEvent }

/** `source`: what stands in the records (`hl7:lis`): a short plain word after the connector's kind, never an identifier of a person. */
export type MappedMessage<F extends Fault = Fault> =
  | { readonly kind: 'rejected', readonly source: string, readonly fault: F, readonly notices: Notices }
  | {
    readonly kind: 'mapped'
    readonly source: string
    /** Identity of the message at its source. */
    readonly id: string
    /** What the message says, without times of transport: same identity and same content is the same message. */
    readonly content: Buffer
    readonly events: readonly MappedEvent[]
    readonly refused: readonly RefusedPart<F>[]
    /** Present where the message, or the rest of it, is kept and nothing is computed from it. */
    readonly archived?: Omit<ArchivedInput, 'source'>
    readonly notices: Notices
  }

/** Raw bytes to what goes on the log. Pure: the same bytes, moment, mapping and beds give the same answer, now and when a dead letter is retried. */
export type MessageMapper<F extends Fault = Fault> = (raw: Buffer, context: MapContext) => MappedMessage<F>

/** Stands before a retry: lets it go ahead in its turn, or knows that it is out of date. */
export type RetryGuard = <T> (raw: Buffer, retry: () => Promise<T>) => Promise<T | Superseded>

export interface FeedOptions<F extends Fault = Fault> {
  /** The feed's name in the configuration; stands in dead letters, so that they find their mapper again. */
  readonly name: string
  /** The connector's kind, in counters and in sources: `hl7`. */
  readonly kind: string
  readonly intake: Intake
  readonly mapping: MappingTable
  readonly map: MessageMapper<F>
}

/** One configured source of messages: maps what comes and takes it to the log, whole. Every connector goes through it. */
export class Feed<F extends Fault = Fault> {
  readonly name: string
  readonly kind: string
  readonly intake: Intake
  readonly #mapping: MappingTable
  readonly #map: MessageMapper<F>
  #guard: RetryGuard = async (_, retry) => await retry()

  constructor ({ name, kind, intake, mapping, map }: FeedOptions<F>) {
    this.name = name
    this.kind = kind
    this.intake = intake
    this.#mapping = mapping
    this.#map = map
  }

  get mapping (): FeedMapping { return this.#mapping.current }

  count (what: string, n: number = 1): void { this.intake.count(this.kind, what, n) }

  /** undefined: the mapper threw, which is a fault of ours and never the end of the connector. */
  map (raw: Buffer, unmapped: MapContext['unmapped'] = code => { this.#mapping.unmapped(code) }): MappedMessage<F> | undefined {
    const { intake } = this
    const mapping = this.#mapping.current
    const { site } = mapping
    const context: MapContext = { now: intake.now(), mapping, patientInBed: (ward, bed, at) => intake.patientInBed(wardAt(site, ward), bed, at), unmapped }
    try {
      const mapped = this.#map(raw, context)
      return site === '' || mapped.kind === 'rejected' ? mapped : { ...mapped, events: mapped.events.map(one => withSite(one, site)) }
    } catch {
      return undefined
    }
  }

  /** Maps a message and stores what became of it: events on the log, refused parts as dead letters. Rejects (LatidoError) when the log is away: nothing may be acknowledged. */
  async take (raw: Buffer): Promise<Taken<F>> {
    const mapped = this.map(raw)
    return mapped === undefined ? await this.fail(raw, 'the message could not be mapped') : await this.store(raw, mapped)
  }

  async store (raw: Buffer, mapped: MappedMessage<F>): Promise<Taken<F>> {
    for (const [what, n] of mapped.notices) this.count(what, n)
    return mapped.kind === 'rejected' ? await this.refuse(raw, mapped.source, mapped.fault) : await this.#publish(mapped, this.#keeping(raw))
  }

  /**
   * Takes a dead letter's bytes again. What is refused as a whole is told and not stored, since the letter stands; of what can be taken in part the
   * rest becomes dead letters of its own. Rejects (LatidoError) when the log is away.
   */
  async retry (raw: Buffer): Promise<Taken<F> | Superseded> { return await this.#guard(raw, () => this.#retry(raw)) }

  /** A connector whose messages have versions, and that keeps older ones from following newer ones, does so for retries too. */
  guardRetries (guard: RetryGuard): void { this.#guard = guard }

  async #retry (raw: Buffer): Promise<Taken<F>> {
    const mapped = this.map(raw, () => {}) // its codes were counted when it first came
    if (mapped === undefined) return { kind: 'failed', fault: { cause: 'step-failed', detail: 'the message could not be mapped' } }
    if (mapped.kind === 'rejected') return { kind: 'refused', fault: mapped.fault }
    const [first] = mapped.refused
    if (first !== undefined && mapped.events.length === 0 && mapped.archived === undefined) return { kind: 'refused', fault: first.fault }
    return await this.#publish(mapped, TELLING)
  }

  async refuse (raw: Buffer, source: string, fault: F | Fault): Promise<Taken<F>> {
    await this.#store(raw, source, fault)
    return { kind: 'refused', fault }
  }

  async fail (raw: Buffer, detail: string): Promise<Taken<F>> {
    const fault: Fault = { cause: 'step-failed', detail }
    await this.#store(raw, this.kind, fault)
    return { kind: 'failed', fault }
  }

  /** Of what is too large for the log too the beginning is kept: whoever sends it would send it for ever. */
  async #store (raw: Buffer, source: string, { cause, detail }: Fault): Promise<void> {
    const refused = { source, feed: this.name }
    try {
      await this.intake.refuse({ ...refused, cause, detail, raw })
    } catch (e) {
      if (!isTooLarge(e)) throw e
      await this.intake.refuse({ ...refused, cause: 'too-large', detail: `${detail}; too large to be kept, this is its beginning`, raw: raw.subarray(0, BEGINNING_BYTES) })
    }
  }

  async #archive (archived: ArchivedInput): Promise<void> {
    try {
      await this.intake.archive(archived)
    } catch (e) {
      if (!isTooLarge(e)) throw e
      await this.#store(archived.raw.subarray(0, BEGINNING_BYTES), archived.source, { cause: 'too-large', detail: 'the log cannot archive a message of this size; this is its beginning' })
    }
  }

  #keeping (raw: Buffer): Refusing<F> { return { refuse: (source, fault) => this.refuse(raw, source, fault), fail: detail => this.fail(raw, detail) } }

  async #publish (mapped: Extract<MappedMessage<F>, { kind: 'mapped' }>, refusing: Refusing<F>): Promise<Taken<F>> {
    const { intake } = this
    const { source, id, content, events, refused, archived } = mapped
    if (events.length === 1 && refused.length === 0 && archived === undefined) return await this.#publishOne(events[0]!, mapped, refusing)
    const published = events.map(({ patient, event }, i) => intake.publish(inbound(patient, event, i === 0 ? id : `${id}#${i + 1}`, source, content)))
    const others = [
      ...refused.map(part => this.#store(part.raw, source, part.fault)),
      ...archived === undefined ? [] : [this.#archive({ ...archived, source })],
    ]
    const [outcomes] = await Promise.all([Promise.allSettled(published), Promise.allSettled(others).then(raiseFirst)])
    const failed = outcomes.find(one => one.status === 'rejected')
    if (failed !== undefined) return await this.#notPublished(source, failed.reason, refusing)
    const kinds = outcomes.map(one => one.status === 'fulfilled' ? one.value.kind : 'published')
    const loops = kinds.filter(kind => kind === 'merge-loop').length
    if (loops > 0) return await refusing.refuse(source, { cause: 'merge-loop', detail: 'the merge would close a circle of identifiers' })
    return { kind: 'taken', published: kinds.filter(kind => kind === 'published').length, duplicates: kinds.filter(kind => kind === 'duplicate').length, refused }
  }

  /** The same for the one event that most messages have, without a promise for what they have not. */
  async #publishOne ({ patient, event }: MappedEvent, { source, id, content }: Extract<MappedMessage<F>, { kind: 'mapped' }>, refusing: Refusing<F>): Promise<Taken<F>> {
    try {
      const { kind } = await this.intake.publish(inbound(patient, event, id, source, content))
      if (kind === 'merge-loop') return await refusing.refuse(source, { cause: 'merge-loop', detail: 'the merge would close a circle of identifiers' })
      return { kind: 'taken', published: kind === 'published' ? 1 : 0, duplicates: kind === 'duplicate' ? 1 : 0, refused: [] }
    } catch (e) {
      return await this.#notPublished(source, e, refusing)
    }
  }

  /** Too large for the log, or not in its schema, is for ever: it is refused. A log that is away: the caller's to know. Anything else is a fault of ours. */
  async #notPublished (source: string, reason: unknown, refusing: Refusing<F>): Promise<Taken<F>> {
    if (!isLatidoError(reason)) return await refusing.fail('publishing failed')
    if (isTooLarge(reason)) return await refusing.refuse(source, { cause: 'too-large', detail: 'the log cannot take a record of this size' })
    if (reason.code === 'PAYLOAD_INVALID') return await refusing.refuse(source, { cause: 'payload-invalid', detail: messageOf(reason) })
    throw reason
  }
}

function isTooLarge (e: unknown): boolean { return isLatidoError(e) && e.code === 'RECORD_TOO_LARGE' }

/** What is done with a message that cannot be published: kept as a dead letter, or only told. */
interface Refusing<F extends Fault> {
  refuse (source: string, fault: F | Fault): Promise<Taken<F>>
  fail (detail: string): Promise<Taken<F>>
}

const TELLING: Refusing<never> = {
  refuse: (_source, fault) => Promise.resolve({ kind: 'refused', fault }),
  fail: detail => Promise.resolve({ kind: 'failed', fault: { cause: 'step-failed', detail } }),
}

/** Two sites may both have a ward ICU: what a feed calls one is its site's. */
function wardAt (site: string, ward: string): string { return site === '' || ward === '' ? ward : `${site}.${ward}` }

function withSite (one: MappedEvent, site: string): MappedEvent {
  return one.event.type === 'encounter' && one.event.ward !== '' ? { ...one, event: { ...one.event, ward: wardAt(site, one.event.ward) } } : one
}

function inbound (patient: SourceIdentity, event: InboundEvent, messageId: string, source: string, content: Buffer): InboundMessage { return { patient, event, messageId, source, content } }

function raiseFirst (outcomes: readonly PromiseSettledResult<void>[]): void {
  for (const one of outcomes) if (one.status === 'rejected') throw one.reason
}

