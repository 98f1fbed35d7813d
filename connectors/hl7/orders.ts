import type { StatementEvent, StatementStatus } from '../../streams/events/index.ts'
import type { MappedEvent, SourceIdentity } from '../kit/index.ts'
import { isFault, momentOf, type Hl7Context } from './context.ts'
import type { Mapped, RefusedRow } from './mapped.ts'
import type { Message } from './message.ts'
import { note, type Hl7Fault } from './outcome.ts'
import { identityOf } from './patient.ts'
import type { Segment } from './segment.ts'
import { amountOf, statement, statementCode, statementId } from './statement.ts'

/** ORC-1 (table 0119). What is not here asks, answers or refuses, and says nothing of the order itself. */
const CONTROL: Readonly<Record<string, StatementStatus | 'as-status'>> = {
  NW: 'active', SN: 'active', RO: 'active', RP: 'withdrawn', XO: 'active', XX: 'active', XR: 'active', OK: 'active', NA: 'active', PA: 'active', CH: 'active', RL: 'active', OE: 'active', RE: 'as-status', SC: 'as-status', SR: 'as-status', SS: 'as-status', '': 'as-status',
  CA: 'withdrawn', OC: 'withdrawn', CR: 'withdrawn', DC: 'inactive', OD: 'inactive', DR: 'inactive', HD: 'inactive', OH: 'inactive', HR: 'inactive', DF: 'active',
}
/** ORC-5 (table 0038). */
const STATUS: Readonly<Record<string, StatementStatus>> = { A: 'active', IP: 'active', SC: 'planned', CM: 'completed', CA: 'withdrawn', ER: 'withdrawn', RP: 'withdrawn', DC: 'inactive', HD: 'inactive' }
/** RXA-20 (table 0322). RE, NA: refused and not administered. */
const ADMINISTERED: Readonly<Record<string, StatementStatus>> = { '': 'completed', CP: 'completed', PA: 'completed', RE: 'absent', NA: 'absent' }

/** Segments beside an order that carry what is kept and not computed with. */
const BESIDE: ReadonlySet<string> = new Set(['OBX', 'DG1', 'AL1'])

/**
 * Orders, prescriptions and administrations (ORM, OML, OMG, OMI, OMP, RDE, RAS) to statements, where they carry a code. What has none, has no patient,
 * or stands beside the orders is in the archived message.
 */
export function mapOrders (message: Message, context: Hl7Context): Mapped {
  const orders = new Orders(context, message.msh.said(9, 1).toUpperCase() === 'RAS')
  for (const segment of message.segments) {
    if (segment.name === 'PID') {
      const found = identityOf(segment, context)
      if (found.kind === 'fault') return { kind: 'rejected', fault: found.fault, notices: context.notices }
      orders.open(segment, found.kind === 'patient' ? found.identity : undefined)
    } else orders.add(segment)
  }
  return orders.done()
}

class Orders {
  readonly #context: Hl7Context
  readonly #administrations: boolean
  readonly #events: MappedEvent[] = []
  readonly #refused: RefusedRow[] = []
  #patient: SourceIdentity | undefined
  #pid: Segment | undefined
  #orc: Segment | undefined
  #rest = false
  /** The prescription as asked for, until the pharmacy's form of it (RXE) stands for it. */
  #asked: Segment | undefined

  constructor (context: Hl7Context, administrations: boolean) {
    this.#context = context
    this.#administrations = administrations
  }

  open (pid: Segment, patient: SourceIdentity | undefined): void {
    this.#flush()
    this.#pid = pid
    this.#patient = patient
    this.#orc = undefined
    if (patient === undefined) note(this.#context.notices, 'orders-without-patient')
  }

  add (segment: Segment): void {
    switch (segment.name) {
      case 'ORC': this.#flush(); this.#orc = segment; return
      case 'OBR': if (!this.#administrations) this.#order(segment); return
      case 'RXO': this.#flush(); if (!this.#administrations) this.#asked = segment; return
      case 'RXE': if (!this.#administrations) this.#prescribed(segment); return
      case 'RXA': if (this.#administrations) this.#administered(segment); return
      default: if (BESIDE.has(segment.name)) this.#rest = true
    }
  }

  #order (obr: Segment): void {
    const code = statementCode(obr, 4)
    const status = this.#status()
    const at = this.#time(obr)
    if (code === undefined || status === undefined) { this.#rest = true; return }
    this.#say(obr, at, eventTime => statement({ kind: 'order', statementId: statementId(this.#number(obr), code.code), status, code, eventTime }, this.#context))
  }

  #prescribed (segment: Segment): void {
    const [codeField, valueField, unitField] = segment.name === 'RXE' ? [2, 3, 5] as const : [1, 2, 4] as const
    const code = statementCode(segment, codeField)
    const status = this.#status()
    if (code === undefined || status === undefined) { if (segment.name === 'RXE') this.#flush(); this.#rest = true; return }
    this.#asked = undefined
    const at = this.#time(undefined)
    // The same prescription whatever form of its code the pharmacy gives it.
    this.#say(segment, at, eventTime => statement({ kind: 'medication-request', statementId: statementId(this.#number(undefined) || code.code, 'rx'), status, code, eventTime, ...amountOf(segment, valueField, unitField, this.#context) }, this.#context))
  }

  #administered (rxa: Segment): void {
    const code = statementCode(rxa, 5)
    const told = rxa.said(20).toUpperCase()
    const status = rxa.said(21).toUpperCase() === 'D' ? 'withdrawn' : Object.hasOwn(ADMINISTERED, told) ? ADMINISTERED[told] : undefined
    if (code === undefined || status === undefined) { this.#rest = true; return }
    const started = momentOf([{ segment: rxa, field: 3 }], this.#context)
    const ended = momentOf([{ segment: rxa, field: 4 }], this.#context)
    const endTime = ended === undefined || isFault(ended) ? -1 : ended.at
    this.#say(rxa, started, eventTime => statement({
      kind: 'medication-administration', statementId: statementId(this.#number(undefined), code.code, rxa.said(3)), status, code, eventTime,
      endTime: endTime > eventTime ? endTime : -1, ...amountOf(rxa, 6, 7, this.#context),
    }, this.#context))
  }

  /** ORC-9 (transaction), else ORC-15 (takes effect), else of now. */
  #time (obr: Segment | undefined): ReturnType<typeof momentOf> { return momentOf([{ segment: this.#orc, field: 9 }, { segment: this.#orc, field: 15 }, { segment: obr, field: 6 }], this.#context) }

  /** The placer's number, which the order has from the first word on; else the filler's. */
  #number (obr: Segment | undefined): string { return [this.#orc?.said(2), obr?.said(2), this.#orc?.said(3), obr?.said(3)].find(id => id !== undefined && id !== '') ?? '' }

  #status (): StatementStatus | undefined {
    const control = this.#orc?.said(1).toUpperCase() ?? ''
    const told = Object.hasOwn(CONTROL, control) ? CONTROL[control] : undefined
    if (told !== 'as-status') return told
    const status = this.#orc?.said(5).toUpperCase() ?? ''
    return Object.hasOwn(STATUS, status) ? STATUS[status] : 'active'
  }

  #say (segment: Segment, at: ReturnType<typeof momentOf>, event: (eventTime: number) => StatementEvent): void {
    if (this.#patient === undefined) { this.#rest = true; return }
    if (at !== undefined && isFault(at)) { this.#refuse(at, segment); return }
    if (at === undefined) note(this.#context.notices, 'time-missing')
    this.#events.push({ patient: this.#patient, event: event(at?.at ?? this.#context.now) })
  }

  #refuse (fault: Hl7Fault, segment: Segment): void {
    this.#refused.push({ fault, rows: [segment.number], needs: [this.#pid, this.#orc].flatMap(one => one === undefined ? [] : [one.number]) })
  }

  #flush (): void {
    const asked = this.#asked
    this.#asked = undefined
    if (asked !== undefined) this.#prescribed(asked)
  }

  done (): Mapped {
    this.#flush()
    const archived = this.#rest || (this.#events.length === 0 && this.#refused.length === 0)
    return { kind: 'mapped', events: this.#events, refused: this.#refused, archived, notices: this.#context.notices }
  }
}
