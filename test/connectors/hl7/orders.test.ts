import { describe, expect, it } from 'vitest'
import type { Mapped } from '../../../connectors/hl7/mapped.ts'
import { handlingOf } from '../../../connectors/hl7/types.ts'
import type { FeedMapping } from '../../../connectors/kit/index.ts'
import type { StatementEvent } from '../../../streams/events/index.ts'
import { adt, hl7, mapRaw, NOW } from './support.ts'

const PID = 'PID|1||TEST-1^^^HOSP^MR||Invented^Ana'
const AT = Date.parse('2026-03-14T09:00Z')
const message = (type: string, ...segments: string[]): Buffer => hl7(`MSH|^~\\&|CPOE|HOSP|L|H|20260314115900+0000||${type}|1|P|2.5.1`, ...segments)
const ORC = (control: string, status = '', at = '20260314090000+0000'): string => `ORC|${control}|P-1|F-1||${status}||||${at}`
const OBR = 'OBR|1|P-1|F-1|24323-8^Metabolic panel^LN'
const statements = (mapped: Mapped): readonly StatementEvent[] => {
  if (mapped.kind === 'rejected') throw new Error(`${mapped.fault.cause} ${mapped.fault.detail}`)
  return mapped.events.map(({ event }) => { if (event.type !== 'statement') throw new Error(event.type); return event })
}
const archived = (mapped: Mapped): boolean => mapped.kind === 'mapped' && mapped.archived

describe('an order', () => {
  it('is a statement with its code, its moment and an identity that its later words share', () => {
    const mapped = mapRaw(message('ORM^O01', PID, ORC('NW'), OBR))
    expect(mapped).toMatchObject({ kind: 'mapped', archived: false, refused: [], events: [{ patient: { id: 'TEST-1' } }] })
    expect(statements(mapped)).toEqual([{ type: 'statement', kind: 'order', source: 'hl7:cpoe', statementId: 'P-1|24323-8', status: 'active', system: 'http://loinc.org', code: '24323-8', eventTime: AT, endTime: -1, value: NaN, unit: '' }])
  })
  it('has its status from ORC-1, and where that only reports, from ORC-5', () => {
    const status = (control: string, told = ''): string | undefined => statements(mapRaw(message('OML^O21', PID, ORC(control, told), OBR)))[0]?.status
    expect(['NW', 'XO', 'CA', 'OC', 'DC', 'HD', 'RL'].map(control => status(control))).toEqual(['active', 'active', 'withdrawn', 'withdrawn', 'inactive', 'inactive', 'active'])
    expect(['CM', 'CA', 'IP', 'SC', 'DC', ''].map(told => status('SC', told))).toEqual(['completed', 'withdrawn', 'active', 'planned', 'inactive', 'active'])
    expect([status('UA'), status('constructor')]).toEqual([undefined, undefined])
  })
  it('without a code, without a patient, or with more beside it, is kept in the archive as well', () => {
    expect(['OBR|1|P-1|F-1|^Metabolic panel of Ms Invented', 'OBR|1|P-1|F-1|a long text as a code^^L'].map(obr => { const m = mapRaw(message('ORM^O01', PID, ORC('NW'), obr)); return [statements(m).length, archived(m)] })).toEqual([[0, true], [0, true]])
    for (const mapped of [mapRaw(message('ORM^O01', ORC('NW'), OBR)), mapRaw(message('ORM^O01', 'PID|1||', ORC('NW'), OBR))]) expect([statements(mapped), archived(mapped)]).toEqual([[], true])
    const beside = mapRaw(message('OML^O21', PID, ORC('NW'), OBR, 'OBX|1|NM|8867-4^^LN||88'))
    expect([statements(beside).length, archived(beside)]).toEqual([1, true])
  })
  it('with a time that cannot be is refused alone', () => {
    const mapped = mapRaw(message('ORM^O01', PID, ORC('NW', '', '19700101'), OBR, ORC('NW').replaceAll('-1', '-2'), OBR))
    expect([statements(mapped).length, mapped.kind === 'mapped' && mapped.refused.map(one => one.fault)]).toEqual([1, [{ cause: 'time-implausible', detail: 'ORC-9 of segment 3', at: { segment: 'ORC', number: 3, field: 9 } }]])
  })
  it('without a time is of now, counted', () => {
    const mapped = mapRaw(message('ORM^O01', PID, ORC('NW', '', ''), OBR))
    expect([statements(mapped)[0]?.eventTime, mapped.notices.get('time-missing')]).toEqual([NOW, 1])
  })
})

describe('a prescription', () => {
  const RXO = 'RXO|00047040230^Ampicillin^NDC|250||mg^^UCUM'
  const RXE = 'RXE|1|308191^amoxicillin^RXNORM|500||mg^^UCUM'
  it('is what was asked for, and what the pharmacy made of it in its place', () => {
    const of = (...segments: string[]): readonly string[] => statements(mapRaw(message('RDE^O11', PID, ORC('NW'), ...segments))).map(s => `${s.kind} ${s.statementId} ${s.code} ${s.value} ${s.unit}`)
    expect(of(RXO)).toEqual(['medication-request P-1|rx 00047040230 250 mg'])
    expect(of(RXO, 'RXR|IV', RXE)).toEqual(['medication-request P-1|rx 308191 500 mg'])
    expect(of(RXO, 'RXE|1|^by hand|1||tab')).toEqual(['medication-request P-1|rx 00047040230 250 mg'])
    expect(of(RXO, ORC('NW').replaceAll('-1', '-2'), RXO)).toEqual(['medication-request P-1|rx 00047040230 250 mg', 'medication-request P-2|rx 00047040230 250 mg'])
  })
  it('has an amount only where its unit is known', () => {
    const amount = (unit: string, mapping: Partial<FeedMapping> = {}): readonly unknown[] => { const [s] = statements(mapRaw(message('RDE^O11', PID, ORC('NW'), `RXE|1|308191^amoxicillin^RXNORM|500||${unit}`), mapping)); return [s?.value, s?.unit] }
    expect([amount('mg^^UCUM'), amount('mg'), amount('Tab', { units: new Map([['Tab', '{tablet}']]) }), amount('')]).toEqual([[500, 'mg'], [NaN, ''], [500, '{tablet}'], [NaN, '']])
  })
})

describe('an administration', () => {
  const RXA = (status: string, action = '', code = '308191^amoxicillin^RXNORM'): string => `RXA|0|1|20260314100000+0000|20260314101000+0000|${code}|500|mg^^UCUM${'|'.repeat(13)}${status}|${action}`
  const of = (...segments: string[]): readonly StatementEvent[] => statements(mapRaw(message('RAS^O17', PID, ORC('RE'), ...segments)))
  it('says what was given, how much, from when to when; its order is only context', () => {
    expect(of('RXO|308191^amoxicillin^RXNORM', RXA('CP'))).toEqual([{ type: 'statement', kind: 'medication-administration', source: 'hl7:cpoe', statementId: 'P-1|308191|20260314100000+0000', status: 'completed', system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: '308191', eventTime: Date.parse('2026-03-14T10:00Z'), endTime: Date.parse('2026-03-14T10:10Z'), value: 500, unit: 'mg' }])
  })
  it('that was refused is absent, and one that is deleted is withdrawn', () => {
    expect([RXA('RE'), RXA('NA'), RXA('PA'), RXA(''), RXA('CP', 'D')].map(row => of(row)[0]?.status)).toEqual(['absent', 'absent', 'completed', 'completed', 'withdrawn'])
  })
})

describe('a type', () => {
  it('has one handling, and what is unknown has none', () => {
    const of = (...types: string[]): readonly (string | undefined)[] => types.map(one => handlingOf(...one.split('^') as [string, string]))
    expect(of('ADT^A01', 'ADT^A17', 'ADT^A40', 'ADT^A05', 'ADT^A45', 'ADT^A24', 'ADT^A37', 'ADT^A62')).toEqual(['encounter', 'swap', 'merge', 'archive', 'visit-move', 'link', 'unlink', 'archive'])
    expect(of('ORU^R01', 'ORU^', 'ORU^R40', 'OUL^R22', 'OUL^R24', 'ORM^O01', 'RAS^O17', 'ORM^')).toEqual(['results', 'results', 'alarm', 'specimen-results', 'results', 'orders', 'orders', 'orders'])
    expect(of('BAR^P01', 'DFT^P03', 'MDM^T02', 'SIU^S12', 'VXU^V04', 'RDS^O13', 'REF^I12', 'MFN^M02')).toEqual(Array.from({ length: 8 }, () => 'archive'))
    expect(of('ADT^A99', 'ADT^A00', 'ADT^', 'ADT^constructor', 'ORU^R02', 'OUL^R01', 'BAR^Z01', 'ZZZ^Z01', 'QBP^Q22', 'QRY^A19', 'ACK^', '^', 'constructor^A01', 'ORM^__proto__')).toEqual(Array.from({ length: 14 }, () => undefined))
  })
  it('that nothing is computed from is kept whole, without a look at its patient', () => {
    for (const type of ['BAR^P01', 'SIU^S12', 'MDM^T02', 'ADT^A05', 'ADT^A21', 'ADT^A60']) expect(mapRaw(message(type, 'PID|1||'))).toMatchObject({ kind: 'mapped', events: [], refused: [], archived: true })
  })
  it('of an old ADT stands in EVN-1', () => {
    expect(mapRaw(message('ADT', 'EVN|A40|20260314110000', 'PID|1||N', 'MRG|O'))).toMatchObject({ events: [{ patient: { id: 'O' } }] })
    expect(mapRaw(adt('', '1', 'PID|1||N'))).toMatchObject({ kind: 'rejected', fault: { cause: 'unsupported-type' } })
  })
})
