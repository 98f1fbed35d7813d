import type { Observation, ObservationKind } from '../../streams/events/index.ts'
import type { EventTimeMs } from '../../streams/time/index.ts'
import { passOver, type InboundObservations, type MappedEvent, type SourceIdentity } from '../kit/index.ts'
import { isDeviceCode, isVital } from './code.ts'
import { Containment } from './containment.ts'
import type { Hl7Context } from './context.ts'
import { locationOf } from './encounter.ts'
import type { Mapped, RefusedRow } from './mapped.ts'
import type { Message } from './message.ts'
import { mapRow, type ResultRow } from './observation.ts'
import { faultAt, note, type Hl7Fault } from './outcome.ts'
import { identityOf } from './patient.ts'
import type { Segment } from './segment.ts'
import { visitNumberOf } from './visit-number.ts'

/** Which segments a row belongs to, as the message is walked. */
export interface Around { pid?: Segment | undefined, pv1?: Segment | undefined, visit?: string | undefined, orc?: Segment | undefined, obr?: Segment | undefined, spm?: Segment | undefined }

/** `undefined` patient: a device message that names none, whose rows are of whoever lay in the bed. */
interface Walk { around: Around, patient: SourceIdentity | undefined, opened: boolean }

/**
 * ORU and OUL. Segments are walked in order: PID opens a patient, ORC and OBR an order, and each OBX belongs to the last of them. In OUL^R22 and R23
 * the specimen (SPM) stands before its orders, so it closes the one before; elsewhere it belongs to the order that it follows. In OUL the ORC follows its OBR.
 */
export function mapResults (message: Message, context: Hl7Context, specimenFirst: boolean): Mapped {
  const device = isDeviceMessage(message)
  const results = new Results(context, device)
  const type = message.msh.said(9, 1).toUpperCase()
  const walk: Walk = { around: {}, patient: undefined, opened: false }
  for (const segment of message.segments) {
    const { around } = walk
    switch (segment.name) {
      case 'PID': {
        const fault = openPatient(walk, segment, results, context, device)
        if (fault !== undefined) return { kind: 'rejected', fault, notices: context.notices }
        break
      }
      case 'PV1': around.pv1 = segment; around.visit = visitNumberOf(segment); break
      case 'SPM': case 'ORC': case 'OBR': step(around, segment, type, specimenFirst); break
      case 'OBX': {
        if (!walk.opened) return { kind: 'rejected', fault: faultAt('patient-missing', { name: 'PID', number: 0 }, 3), notices: context.notices }
        results.add(segment, walk)
      }
    }
  }
  if (!walk.opened) return { kind: 'rejected', fault: faultAt('patient-missing', { name: 'PID', number: 0 }, 3), notices: context.notices }
  return results.done()
}

/** Opens an order or a specimen. */
export function step (around: Around, segment: Segment, type: string, specimenFirst: boolean): void {
  switch (segment.name) {
    case 'SPM': if (specimenFirst) around.orc = around.obr = undefined; around.spm = segment; break
    case 'ORC': around.orc = segment; if (type !== 'OUL') around.obr = undefined; break
    case 'OBR': if (around.obr !== undefined) around.orc = undefined; around.obr = segment; if (!specimenFirst) around.spm = undefined; break
  }
}

function openPatient (walk: Walk, pid: Segment, results: Results, context: Hl7Context, device: boolean): Hl7Fault | undefined {
  const found = identityOf(pid, context)
  if (found.kind === 'fault') return found.fault
  if (found.kind === 'nobody' && !(device && context.profile.patientByBed)) return faultAt('patient-missing', pid, 3)
  walk.around = { pid }
  walk.opened = true
  walk.patient = found.kind === 'patient' ? found.identity : undefined
  return found.kind === 'patient' ? results.know(found.identity, found.authority, pid) : undefined
}

/** IHE PCD-01 says so in MSH-21, by name or OID; else the code of a row does. */
export function isDeviceMessage ({ msh, segments }: Message): boolean {
  const profiles = Array.from({ length: msh.repetitions(21) }, (_, i) => [msh.said(21, 1, i), msh.said(21, 3, i)]).flat()
  return profiles.some(one => one.startsWith('IHE_PCD_001') || one.startsWith('1.3.6.1.4.1.19376.1.6.1.1.')) || segments.some(segment => segment.name === 'OBX' && isDeviceCode(segment, 3))
}

/** Causes that a device message has once for each of its metrics, again and again: such rows are one dead letter together. */
const TOGETHER: ReadonlySet<string> = new Set(['code-unknown', 'device-unmapped'])

interface Series { readonly patient: SourceIdentity, readonly visitNumber: string, readonly source: string, readonly observations: Observation[] }

class Results {
  readonly #context: Hl7Context
  readonly #containment: Containment | undefined
  readonly #sets = new Map<string, Series>()
  readonly #people = new Map<string, { readonly authority: string, readonly birthDate: string | undefined }>()
  readonly #refused: RefusedRow[] = []
  #documents = 0

  constructor (context: Hl7Context, device: boolean) {
    this.#context = context
    this.#containment = device ? new Containment() : undefined
  }

  /** Two persons of one message under one identifier are a fault: another authority (where none are configured), or another date of birth. */
  know ({ id, birthDate }: SourceIdentity, named: string, pid: Segment): Hl7Fault | undefined {
    const authority = this.#context.mapping.namespaces.size === 0 ? named : ''
    const before = this.#people.get(id)
    this.#people.set(id, { authority, birthDate: birthDate ?? before?.birthDate })
    if (before === undefined || !(differs(before.authority, authority) || differs(before.birthDate, birthDate))) return undefined
    return faultAt('identifier-conflict', pid, 3, 'is that of another person in this message')
  }

  add (obx: Segment, { around, patient }: Walk): void {
    this.#containment?.add(obx)
    const row: ResultRow = { obx, obr: around.obr, orc: around.orc, spm: around.spm, heads: this.#containment?.headsOf(obx) }
    const outcome = mapRow(row, this.#context)
    switch (outcome.kind) {
      case 'no-value': note(this.#context.notices, 'no-value'); return
      case 'ignored': passOver(this.#context.notices); return
      case 'document': note(this.#context.notices, 'documents'); this.#documents++; return
      case 'refused': this.#refuse(outcome.fault, row, around); return
    }
    const whose = patient ?? this.#inBed(around.pv1, outcome.observation.eventTime)
    if (whose === undefined) this.#refuse(faultAt('device-unmapped', around.pv1 ?? { name: 'PV1', number: 0 }, 3), row, around)
    else this.#put(whose, patient === undefined ? '' : around.visit ?? '', this.#containment?.deviceOf(obx) ?? '', outcome.observation)
  }

  #inBed (pv1: Segment | undefined, at: EventTimeMs): SourceIdentity | undefined {
    const { ward, bed } = locationOf(pv1)
    const id = bed === '' ? undefined : this.#context.patientInBed(ward, bed, at)
    return id === undefined ? undefined : { id }
  }

  #put (patient: SourceIdentity, visitNumber: string, device: string, observation: Observation): void {
    const source = device === '' ? this.#context.source : `hl7:${device}`
    const key = `${source}|${visitNumber}|${patient.id}`
    const set = this.#sets.get(key) ?? { patient, visitNumber, source, observations: [] }
    this.#sets.set(key, set)
    set.observations.push(observation)
  }

  #refuse (fault: Hl7Fault, { obx, heads = [] }: ResultRow, around: Around): void {
    const needs = [around.pid, around.pv1, around.spm, around.orc, around.obr, ...heads].flatMap(one => one === undefined ? [] : [one.number])
    const i = this.#containment !== undefined && TOGETHER.has(fault.cause) ? this.#refused.findIndex(one => one.fault.cause === fault.cause) : -1
    const before = this.#refused[i]
    if (before === undefined) this.#refused.push({ fault, rows: [obx.number], needs })
    else this.#refused[i] = { fault: before.fault, rows: [...before.rows, obx.number], needs: [...before.needs, ...needs] }
  }

  done (): Mapped {
    const { notices } = this.#context
    const events: MappedEvent[] = [...this.#sets.values()].map(set => ({ patient: set.patient, event: this.#event(set) }))
    const [first] = this.#refused
    if (events.length === 0 && first !== undefined && this.#documents === 0 && this.#refused.every(one => one.fault.cause === 'device-unmapped')) return { kind: 'rejected', fault: first.fault, notices }
    if (events.length === 0) note(notices, 'no-observations')
    return { kind: 'mapped', events, refused: this.#refused, archived: this.#documents > 0, notices }
  }

  #event ({ source, visitNumber, observations }: Series): InboundObservations {
    const kind: ObservationKind = this.#containment !== undefined ? 'device' : observations.some(one => isVital(one.concept)) ? 'charted' : 'laboratory'
    return { type: 'observations', kind, source, observations, ...visitNumber === '' ? {} : { visitNumber } }
  }
}

/** Both are said, and not the same. */
function differs (a: string | undefined, b: string | undefined): boolean { return a !== undefined && a !== '' && b !== undefined && b !== '' && a !== b }
