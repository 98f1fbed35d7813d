import { describe, expect, it } from 'vitest'
import type { Mapped } from '../../../connectors/hl7/mapped.ts'
import { adt, mapRaw, oru } from './support.ts'

const EVN = 'EVN||20260314110000+0000'
const AT = Date.parse('2026-03-14T11:00Z')
const RIGHT = 'PID|1||RIGHT^^^HOSP^MR||Invented^Ana||19500412|F'
const PV1 = (visit: string, bed = 'B4'): string => `PV1|1|I|W^R^${bed}${'|'.repeat(16)}${visit}`

function moves (mapped: Mapped): readonly string[] {
  if (mapped.kind === 'rejected') return [`${mapped.fault.cause}: ${mapped.fault.detail}`]
  return [
    ...mapped.events.map(({ patient, event }) => event.type !== 'encounter' ? event.type : event.move === undefined ? `${event.action} of ${patient.id}` : `${event.visitNumber} of ${patient.id} to ${event.move.to.id}${event.move.numberAfter === undefined ? '' : ` as ${event.move.numberAfter}`}`),
    ...mapped.refused.map(one => one.fault.cause), ...mapped.archived ? ['archived'] : [], ...mapped.notices.keys(),
  ]
}
const of = (...segments: string[]): readonly string[] => moves(mapRaw(adt('A45', '1', EVN, ...segments)))

describe('a moved visit (A45)', () => {
  it('says of the visit of MRG-5 that it is the patient\'s of PID-3, and what PID says of that one', () => {
    const mapped = mapRaw(adt('A45', '1', EVN, RIGHT, 'MRG|WRONG^^^HOSP^MR||||V7^^^HOSP^VN', PV1('V7')))
    expect(mapped).toMatchObject({ kind: 'mapped', archived: false, refused: [] })
    expect(mapped.kind === 'mapped' && mapped.events).toEqual([
      {
        patient: { id: 'WRONG' },
        event: { type: 'encounter', action: 'update', eventTime: AT, source: 'hl7:his', ward: '', bed: '', ageYears: -1, sex: 'unknown', hoursSinceHospitalAdmission: -1, visitNumber: 'V7', move: { to: { id: 'RIGHT', familyName: 'Invented', givenName: 'Ana', birthDate: '1950-04-12' } } },
      },
      { patient: { id: 'RIGHT', familyName: 'Invented', givenName: 'Ana', birthDate: '1950-04-12' }, event: { type: 'encounter', action: 'update', eventTime: AT, source: 'hl7:his', ward: '', bed: '', ageYears: 75, sex: 'female', hoursSinceHospitalAdmission: -1 } },
    ])
  })
  it('may be several, each with its own MRG and PV1, and may have a new number or an alternate one', () => {
    expect(of('PID|1||RIGHT', 'MRG|WRONG||||V7', PV1('V7'), 'MRG|WRONG||||V8', PV1('V9'))).toEqual(['V7 of WRONG to RIGHT', 'V8 of WRONG to RIGHT as V9', 'visits-moved'])
    expect(of('PID|1||RIGHT', 'MRG|WRONG|||||ALT3', `PV1|1|I|${'|'.repeat(47)}ALT3`)).toEqual(['ALT3 of WRONG to RIGHT', 'visits-moved'])
  })
  it('whose patient stays, or is not named, is a matter of accounts, and kept; so is one without a visit', () => {
    expect(of(RIGHT, 'MRG|RIGHT^^^HOSP^MR||A1||V7', PV1('V7'))).toEqual(['archived', 'visit-move-of-itself'])
    expect(of(RIGHT, 'MRG|||A1||V7', PV1('V7'))).toEqual(['archived', 'visit-move-of-itself'])
    expect(of(RIGHT, 'MRG|WRONG', PV1('V7'))).toEqual(['archived', 'visit-missing'])
  })
  it('without a patient is rejected; a bad pair beside a good one is refused alone', () => {
    expect(of('PID|1', 'MRG|WRONG||||V7')).toEqual(['patient-missing: PID-3 of segment 3'])
    expect(of(RIGHT)).toEqual(['patient-missing: MRG-1: the message has no MRG'])
    expect(of('PID|1||RIGHT', 'MRG|WRONG||||V7', PV1('V7'), 'PID|2', 'MRG|W2||||V8')).toEqual(['V7 of WRONG to RIGHT', 'patient-missing', 'visits-moved'])
  })
})

describe('a visit number', () => {
  it('is PV1-19, else PV1-50, of an admission and of results; news of a person has none', () => {
    const numberOf = (trigger: string, pv1: string): unknown => { const mapped = mapRaw(adt(trigger, '1', EVN, RIGHT, pv1)); const event = mapped.kind === 'mapped' ? mapped.events[0]?.event : undefined; return event?.type === 'encounter' ? event.visitNumber : 'none' }
    expect([numberOf('A01', PV1('V7')), numberOf('A03', `PV1|1|I|${'|'.repeat(47)}ALT3`), numberOf('A01', 'PV1|1|I|W^R^B4'), numberOf('A31', PV1('V7'))]).toEqual(['V7', 'ALT3', undefined, undefined])
    const results = mapRaw(oru('1', PV1('V7'), 'OBX|1|NM|2524-7^Lactate^LN||2.9|mmol/L|||||F'))
    expect(results.kind === 'mapped' && results.events.map(({ event }) => event.type === 'observations' && event.visitNumber)).toEqual(['V7'])
  })
})

describe('a link (A24) and its end (A37)', () => {
  const links = (trigger: string, ...segments: string[]): unknown => {
    const mapped = mapRaw(adt(trigger, '1', EVN, ...segments))
    return mapped.kind === 'rejected' ? mapped.fault.cause : [...mapped.events.map(({ patient, event }) => event.type === 'statement' ? `${patient.id} ${event.status} ${event.linkedWith?.id}` : event.type), ...mapped.archived ? ['archived'] : [], ...mapped.notices.keys()]
  }
  it('is a statement of each of the two that names the other: nothing is merged', () => {
    expect(links('A24', RIGHT, 'PID|2||OTHER')).toEqual(['RIGHT active OTHER', 'OTHER active RIGHT', 'patients-linked'])
    expect(links('A37', RIGHT, 'PV1|1|I', 'PID|2||OTHER')).toEqual(['RIGHT withdrawn OTHER', 'OTHER withdrawn RIGHT', 'patients-unlinked'])
  })
  it('of one patient, or of nobody, is kept', () => {
    expect(links('A24', RIGHT)).toEqual(['archived', 'link-of-one'])
    expect(links('A24', RIGHT, RIGHT)).toEqual(['archived', 'link-of-one'])
    expect(links('A37', 'PID|1', 'PID|2')).toEqual(['archived', 'link-of-one'])
  })
})
