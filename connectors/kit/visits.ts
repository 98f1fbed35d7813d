import type { PatientKey } from '../../streams/events/index.ts'
import type { ArrivalTimeMs, DurationMs, EventTimeMs } from '../../streams/time/index.ts'
import type { OpenIntake } from './intake.ts'
import type { ArchivedInput, InboundEncounter, InboundMessage, InboundStatement, PublishOutcome, RefusedInput, SourceIdentity } from './port.ts'
import type { SealedTable } from './sealed-table.ts'

/** What comes later than this under the old name is the old patient's. */
const KEPT_MS: DurationMs = 72 * 3_600_000

export interface VisitOptions {
  readonly identify: (patient: SourceIdentity) => Promise<PatientKey>
  /** A keyed hash: visit numbers name people, and stay this side of the log. */
  readonly tokenOf: (text: string) => string
}

/** `at`: when it was said; of two ways the later one holds. */
interface Way { readonly to: string, readonly numberAfter: string, readonly at: number }

/**
 * An intake that knows of visits: their numbers become pseudonyms, a move names its patient by key (HL7 A45), and what is said of a moved visit under
 * the old name goes to whom it belongs, for three days. Where a visit went is kept before the log has it: a message that is never answered comes again.
 */
export function withVisits (intake: OpenIntake, options: VisitOptions): OpenIntake { return new VisitIntake(intake, options) }

class VisitIntake implements OpenIntake {
  readonly #intake: OpenIntake
  readonly #options: VisitOptions
  readonly #rows: SealedTable<Way>
  readonly #ways = new Map<string, Way>()
  #newest = 0

  constructor (intake: OpenIntake, options: VisitOptions) {
    this.#intake = intake
    this.#options = options
    this.#rows = intake.table<Way>('moved-visits')
    for (const [key, way] of this.#rows.load()) {
      this.#ways.set(key, way)
      this.#newest = Math.max(this.#newest, way.at)
    }
  }

  publish (message: InboundMessage): Promise<PublishOutcome> {
    const { event } = message
    switch (event.type) {
      case 'encounter': return event.move === undefined ? this.#intake.publish(this.#encounter(message, event)) : this.#move(message, event)
      case 'observations': return this.#intake.publish(event.visitNumber === undefined || this.#ways.size === 0 ? message : { ...message, patient: this.#whose(message, event.visitNumber)?.patient ?? message.patient })
      case 'statement': return event.linkedWith === undefined ? this.#intake.publish(message) : this.#link(message, event)
      case 'merge': return this.#intake.publish(message)
    }
  }

  #encounter (message: InboundMessage, { visitNumber, ...event }: InboundEncounter): InboundMessage {
    if (visitNumber === undefined) return message
    const moved = this.#whose(message, visitNumber)
    return moved === undefined
      ? { ...message, event: { ...event, visit: this.#visit(visitNumber) } }
      : { ...message, patient: moved.patient, event: { ...event, visit: this.#visit(moved.visitNumber), ageYears: -1, sex: 'unknown' } } // those are of whom the message names
  }

  async #move (message: InboundMessage, { visitNumber = '', move, ...event }: InboundEncounter): Promise<PublishOutcome> {
    const { to, numberAfter = visitNumber } = move!
    const movedTo = await this.#options.identify(to)
    const keys = [this.#key(message.patient.id, visitNumber), this.#key(to.id, numberAfter)] as const
    const before = keys.map(key => this.#ways.get(key))
    await this.#keep(keys[0], { to: to.id, numberAfter, at: this.#newest = Math.max(this.#newest + 1, this.now()) })
    await this.#keep(keys[1], undefined)
    const outcome = await this.#intake.publish({ ...message, event: { ...event, visit: this.#visit(visitNumber), movedTo, move: { to }, ...numberAfter === visitNumber ? {} : { visitAfter: this.#visit(numberAfter) } } })
    if (outcome.kind === 'duplicate') for (const [i, key] of keys.entries()) await this.#keep(key, before[i]) // an old word, which others may have followed
    await this.#forget()
    return outcome
  }

  async #link (message: InboundMessage, { linkedWith, ...event }: InboundStatement): Promise<PublishOutcome> {
    const other = await this.#options.identify(linkedWith!)
    return await this.#intake.publish({ ...message, event: { ...event, statementId: `link|${other}`, code: other } })
  }

  /** Who has the visit now; undefined: whom the message names. Each step was said later than the one before, so there is an end. */
  #whose ({ patient, source }: InboundMessage, visitNumber: string): { readonly patient: SourceIdentity, readonly visitNumber: string } | undefined {
    let found: { readonly patient: SourceIdentity, readonly visitNumber: string } | undefined
    let at = 0
    for (let way = this.#ways.get(this.#key(patient.id, visitNumber)); way !== undefined && way.at > at; way = this.#ways.get(this.#key(way.to, way.numberAfter))) {
      found = { patient: { id: way.to }, visitNumber: way.numberAfter }
      at = way.at
    }
    if (found !== undefined) this.count(source, 'visit-followed')
    return found
  }

  async #keep (key: string, way: Way | undefined): Promise<void> {
    if (way === undefined && !this.#ways.has(key)) return
    if (way === undefined) this.#ways.delete(key); else this.#ways.set(key, way)
    await this.#rows.save(key, way)
  }

  async #forget (): Promise<void> {
    for (const [key, { at }] of this.#ways) if (at < this.now() - KEPT_MS) await this.#keep(key, undefined)
  }

  #visit (visitNumber: string): string { return this.#options.tokenOf(`visit|${visitNumber}`) }
  #key (patient: string, visitNumber: string): string { return this.#options.tokenOf(`visit of|${patient}|${visitNumber}`) }

  refuse (refused: RefusedInput): Promise<void> { return this.#intake.refuse(refused) }
  archive (archived: ArchivedInput): Promise<void> { return this.#intake.archive(archived) }
  patientInBed (ward: string, bed: string, at?: EventTimeMs): string | undefined { return this.#intake.patientInBed(ward, bed, at) }
  now (): ArrivalTimeMs { return this.#intake.now() }
  count (source: string, what: string, n?: number): void { this.#intake.count(source, what, n) }
  table<T> (name: string): SealedTable<T> { return this.#intake.table<T>(name) }
  async [Symbol.asyncDispose] (): Promise<void> { await this.#intake[Symbol.asyncDispose]() }
}
