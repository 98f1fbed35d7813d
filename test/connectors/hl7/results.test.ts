import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hl7Mapper } from '../../../connectors/hl7/mapper.ts'
import type { Mapped } from '../../../connectors/hl7/mapped.ts'
import type { CodeMapping, FeedMapping } from '../../../connectors/kit/index.ts'
import type { Observation } from '../../../streams/events/index.ts'
import { hl7, mapRaw, oru } from './support.ts'

const at = (iso: string): number => Date.parse(iso)
const rows = (mapped: Mapped): readonly Observation[] => {
  if (mapped.kind === 'rejected') throw new Error(`${mapped.fault.cause} ${mapped.fault.detail}`)
  return mapped.events.flatMap(({ event }) => event.type === 'observations' ? event.observations : [])
}
const LACTATE = (value: string, status = 'F', time = ''): string => `OBX|1|NM|2524-7^Lactate^LN|a|${value}|mmol/L|||||${status}|||${time}`
const report = (status: string, ...obx: string[]): Mapped => mapRaw(hl7('MSH|^~\\&|LAB|W|L|H|20260314115900+0000||ORU^R01|1|P|2.5.1', 'PID|1||A', `OBR|1|P-9|F-9|PANEL^Panel^L|||20260314113000+0000${'|'.repeat(18)}${status}`, ...obx))

describe('the life of a result', () => {
  it('is told by its row, and where the row says nothing by its report', () => {
    const status = (row: string, whole: string): string => { const mapped = report(whole, LACTATE('3.1', row)); return rows(mapped)[0]?.status ?? (mapped.kind === 'mapped' ? mapped.refused[0]?.fault.detail : undefined) ?? 'nothing' }
    for (const whole of ['', 'F', 'P', 'C', 'X', 'I']) expect(['F', 'C', 'P', 'W', 'O'].map(row => status(row, whole))).toEqual(['final', 'corrected', 'preliminary', 'withdrawn', 'nothing'])
    expect(['', 'F', 'C', 'A', 'P', 'R', 'S', 'X', 'I', 'O', 'Y', 'Z'].map(whole => status('', whole))).toEqual(['final', 'final', 'corrected', 'preliminary', 'preliminary', 'preliminary', 'preliminary', 'withdrawn', 'nothing', 'nothing', 'nothing', 'nothing'])
    expect(status('', 'odd')).toBe('OBR-25 of segment 3 is not of table 0123')
  })
  it('keeps one identity from the first word to the last, whatever is said in between', () => {
    const word = (status: string, value: string, whole: string): string => rows(report(whole, LACTATE(value, status, '20260314113500+0000')))[0]!.resultId
    fc.assert(fc.property(fc.array(fc.record({ status: fc.constantFrom('P', 'F', 'C', 'W', 'D', 'X', 'U', 'S'), value: fc.constantFrom('2.9', '3.1', '<0.5', '""', '9'), whole: fc.constantFrom('', 'F', 'P', 'C') }), { minLength: 1, maxLength: 8 }), words => {
      expect(new Set(words.map(({ status, value, whole }) => word(status, value, whole)))).toEqual(new Set([`F-9|2524-7|a|${at('2026-03-14T11:35Z')}`]))
    }))
  })
  it('is one for each sub-id, code, time and order', () => {
    const ids = [LACTATE('3', 'F', '20260314113500+0000'), LACTATE('3', 'F', '20260314113500+0000').replace('|a|', '|b|'), LACTATE('3', 'F', '20260314113600+0000'), LACTATE('3', 'F', '20260314113500+0000').replace('2524-7', '32693-4')].map(row => rows(report('', row))[0]?.resultId)
    expect(new Set(ids).size).toBe(4)
  })
  it('has no identity where no time is stated: a vital sign of now always counts, and a correction of it is counted as one that finds nothing', () => {
    const mapped = (status: string): Mapped => mapRaw(hl7('MSH|^~\\&|A|B|C|D|20260314115900+0000||ORU^R01|1|P|2.5.1', 'PID|||1', 'OBR|1||F-1', `OBX|1|NM|8867-4^^LN||88||||||${status}`))
    expect([rows(mapped('F'))[0]?.resultId, mapped('F').notices.get('correction-without-identity'), mapped('C').notices.get('correction-without-identity')]).toEqual(['', undefined, 1])
  })
  it('ends with the HL7 null, and an empty value says nothing', () => {
    expect(rows(report('', LACTATE('""'))).map(o => o.status)).toEqual(['withdrawn'])
    expect([rows(report('', LACTATE(''))), report('', LACTATE('')).notices.get('no-value')]).toEqual([[], 1])
  })
})

describe('documents among results', () => {
  const big = 'A'.repeat(50_000)
  const raw = oru('1', LACTATE('2.1'), `OBX|2|ED|PDF^Report^L||^application^pdf^Base64^${big}||||||F`, 'OBX|3|RP|IMG^Image^L||http://images.example/1^^IM^JPEG||||||F')
  it('are no values: the others are taken, and the message with them is kept whole', () => {
    const mapped = mapRaw(raw)
    expect(mapped).toMatchObject({ kind: 'mapped', archived: true, refused: [] })
    expect([rows(mapped).length, mapped.notices.get('documents')]).toEqual([1, 2])
  })
  it('are kept by reference to the message, not by a copy', () => {
    const mapped = hl7Mapper()(raw, { now: at('2026-03-14T12:00Z'), mapping: { site: '', zone: 'UTC', codes: new Map(), units: new Map(), namespaces: new Map() }, patientInBed: () => undefined, unmapped: () => {} })
    expect(mapped.kind === 'mapped' && mapped.archived?.raw === raw && mapped.archived.type).toBe('ORU^R01')
  })
})

describe('OUL: results about specimens', () => {
  const of = (trigger: string, ...segments: string[]): readonly string[] => rows(mapRaw(hl7(`MSH|^~\\&|LAB|W|L|H|20260314115900+0000||OUL^${trigger}|1|P|2.5.1`, 'PID|1||A', ...segments))).map(o => `${o.resultId.split('|')[0]} ${o.value} ${new Date(o.eventTime).toISOString().slice(11, 16)}`)
  const SPM = (time: string): string => `SPM|1|S1||BLD^Blood^HL70487${'|'.repeat(13)}${time}`
  it('R22, R23: the specimen stands before its orders, and an ORC after its OBR', () => {
    for (const trigger of ['R22', 'R23']) {
      expect(of(trigger, SPM('20260314100000+0000'), 'OBR|1||F1', 'ORC|SC|P1', LACTATE('1'), 'OBR|2||F2||||20260314101500+0000', LACTATE('2'), SPM('20260314103000+0000^20260314104000+0000'), 'OBR|3||F3', LACTATE('3'))).toEqual(['F1 1 10:00', 'F2 2 10:15', 'F3 3 10:30'])
    }
  })
  it('R24: the specimen follows its order and is of no other', () => {
    expect(of('R24', 'OBR|1||F1', 'ORC|SC|P1', SPM('20260314100000+0000'), LACTATE('1'), 'OBR|2||F2||||20260314101500+0000', LACTATE('2'))).toEqual(['F1 1 10:00', 'F2 2 10:15'])
    expect(mapRaw(hl7('MSH|^~\\&|LAB|W|L|H|20260314115900+0000||OUL^R24|1|P|2.5.1', 'PID|1||A', 'OBR|1||F1', SPM('20260314100000+0000'), 'OBR|2||F2', LACTATE('2')))).toMatchObject({ events: [], refused: [{ fault: { cause: 'time-unparsable' } }] })
  })
  it('an order number that stands in the ORC alone is the order\'s, also after its OBR', () => {
    expect(of('R22', SPM('20260314100000+0000'), 'OBR|1', 'ORC|SC||F7', LACTATE('1'), 'OBR|2', LACTATE('2'))).toEqual(['F7 1 10:00', ' 2 10:00'])
  })
})

describe('what the feed\'s mapping says', () => {
  const mapped = (mapping: Partial<FeedMapping>, row: string): string => { const m = mapRaw(oru('1', row), mapping); const [o] = rows(m); return o === undefined ? m.kind === 'mapped' ? m.refused[0]?.fault.cause ?? 'nothing' : 'rejected' : `${o.concept} ${Number(o.value.toPrecision(4))}` }
  const codes = (...entries: [string, CodeMapping][]): Partial<FeedMapping> => ({ codes: new Map(entries) })
  it('of a code wins over the standard tables, by system and code, then by code', () => {
    expect(mapped({}, 'OBX|1|NM|PULS^Pulse^99LAB||77')).toBe('code-unknown')
    expect(mapped(codes(['99LAB|PULS', { concept: 'heartRate' }]), 'OBX|1|NM|Puls^Pulse^99lab||77')).toBe('heartRate 77')
    expect(mapped(codes(['PULS', { concept: 'heartRate' }]), 'OBX|1|NM|PULS^Pulse^OTHER||77')).toBe('heartRate 77')
    expect(mapped(codes(['X|PULS', { concept: 'heartRate' }]), 'OBX|1|NM|PULS^Pulse^OTHER||77')).toBe('code-unknown')
    expect(mapped(codes(['LN|8867-4', { concept: 'respiratoryRate' }]), 'OBX|1|NM|8867-4^^LN||18')).toBe('respiratoryRate 18')
    expect(mapped(codes(['99LAB|B', { concept: 'heartRate' }]), 'OBX|1|NM|A^^L^B^^99LAB||77')).toBe('heartRate 77')
  })
  it('of units holds for values without one, and for the feed\'s own spellings', () => {
    expect(mapped(codes(['GLUC', { concept: 'glucose', unit: 'mmol/L' }]), 'OBX|1|NM|GLUC^^L||5')).toBe('glucose 90.08')
    expect(mapped({ units: new Map([['Schlaege', '/min']]) }, 'OBX|1|NM|8867-4^^LN||77|Schlaege')).toBe('heartRate 77')
    expect(mapped({}, 'OBX|1|NM|8867-4^^LN||77|Schlaege')).toBe('unit-unknown')
  })
})

describe('one identifier for two persons of a message', () => {
  const two = (a: string, b: string, mapping: Partial<FeedMapping> = {}): Mapped => mapRaw(hl7('MSH|^~\\&|A|B|C|D|20260314115900+0000||ORU^R01|1|P|2.5.1', a, 'OBX|1|NM|8867-4^^LN||88', b, 'OBX|1|NM|8867-4^^LN||99'), mapping)
  it('is a conflict: by authority where no namespaces tell them apart, and by date of birth', () => {
    for (const [a, b] of [['PID|1||1^^^A', 'PID|2||1^^^B'], ['PID|1||1||||19500101', 'PID|2||1||||19620202']] as const) expect(two(a, b)).toMatchObject({ kind: 'rejected', fault: { cause: 'identifier-conflict', detail: 'PID-3 of segment 4 is that of another person in this message' } })
  })
  it('is none where it is one person again, or a namespace tells them apart', () => {
    const count = (mapped: Mapped): number => mapped.kind === 'mapped' ? mapped.events.length : -1
    expect(count(two('PID|1||1^^^A||||19500101', 'PID|2||1^^^A'))).toBe(1)
    expect(count(two('PID|1||1^^^A', 'PID|2||1^^^B', { namespaces: new Map([['A', ''], ['B', 'b']]) }))).toBe(2)
  })
})
