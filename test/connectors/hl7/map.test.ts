import { describe, expect, it } from 'vitest'
import type { Mapped } from '../../../connectors/hl7/mapped.ts'
import { HL7_PROFILE } from '../../../connectors/hl7/profile.ts'
import type { EncounterEvent, Observation } from '../../../streams/events/index.ts'
import { adt, hl7, mapRaw, NOW, observationsOf, oru } from './support.ts'

const at = (iso: string): number => Date.parse(iso)
const one = (...rows: string[]): Observation => {
  const [first, ...rest] = observationsOf(mapRaw(oru('1', ...rows))).observations
  if (first === undefined || rest.length > 0) throw new Error('not one observation')
  return first
}
const short = (o: Observation): string => `${o.concept} ${o.comparator}${Number(o.value.toPrecision(4))} ${o.status}`
const value = (row: string): string => {
  const mapped = mapRaw(oru('1', row))
  if (mapped.kind === 'rejected') return mapped.fault.cause
  const [refused] = mapped.refused
  if (refused !== undefined) return `${refused.fault.cause}: ${refused.fault.detail}`
  const event = mapped.events[0]?.event
  return event?.type === 'observations' ? event.observations.map(short).join(', ') : 'nothing'
}

describe('results', () => {
  it('become one set of observations in canonical units, with identity and event time', () => {
    const mapped = mapRaw(oru('1',
      'OBX|1|NM|2524-7^Lactate^LN||3.1|mmol/L|||||F|||20260314113500+0000',
      'OBX|2|NM|CREA^Creatinine^L^2160-0^Creatinine^LN||106.08|umol/L|||||F',
      'OBX|3|NM|718-7^Hb^LN|a|98|g/L|||||C'))
    expect(observationsOf(mapped)).toMatchObject({ type: 'observations', kind: 'laboratory', source: 'hl7:lab' })
    expect(observationsOf(mapped).observations.map(short)).toEqual(['lactate =3.1 final', 'creatinine =1.2 final', 'hemoglobin =9.8 corrected'])
    expect(observationsOf(mapped).observations.map(o => o.eventTime)).toEqual([at('2026-03-14T11:35Z'), at('2026-03-14T11:30Z'), at('2026-03-14T11:30Z')])
    expect(observationsOf(mapped).observations.map(o => o.resultId)).toEqual([`F-9|2524-7||${at('2026-03-14T11:35Z')}`, `F-9|CREA||${at('2026-03-14T11:30Z')}`, `F-9|718-7|a|${at('2026-03-14T11:30Z')}`])
    expect(mapped.kind === 'mapped' && mapped.events[0]?.patient).toEqual({ id: 'TEST-1', familyName: 'Invented', givenName: 'Ana', birthDate: '1950-04-12' })
  })
  it('are charted where any of them is a vital sign', () => {
    expect(observationsOf(mapRaw(oru('1', 'OBX|1|NM|2524-7^^LN||3.1', 'OBX|2|NM|8867-4^^LN||88|bpm'))).kind).toBe('charted')
  })
  it('read numbers with comparators, and refuse what is none', () => {
    const lactate = (type: string, text: string): string => value(`OBX|1|${type}|2524-7^^LN||${text}|mmol/L`)
    expect(lactate('NM', '<0.5')).toBe('lactate <0.5 final')
    expect(lactate('NM', '>=20')).toBe('lactate >=20 final')
    expect(lactate('NM', ' 1.2 H')).toBe('lactate =1.2 final')
    expect(lactate('NM', '1,2')).toBe('lactate =1.2 final')
    expect(lactate('ST', '< 0.5')).toBe('lactate <0.5 final')
    expect(lactate('SN', '<^0.5')).toBe('lactate <0.5 final')
    expect(lactate('SN', '^2.5')).toBe('lactate =2.5 final')
    expect(lactate('SN', '2.5')).toBe('lactate =2.5 final')
    for (const [type, text] of [['NM', 'SEE NOTE'], ['NM', '1,234'], ['NM', '0x10'], ['NM', '1e999'], ['NM', 'Infinity'], ['NM', 'NaN'], ['SN', '<>^1'], ['SN', '^2^+'], ['CWE', '3^three^L'], ['TX', 'about 3']] as const) {
      expect(lactate(type, text)).toBe('value-unparsable: OBX-5 of segment 4')
    }
  })
  it('that are several numbers are refused with what they are: neither of them may stand for the result', () => {
    const lactate = (type: string, text: string): string => value(`OBX|1|${type}|2524-7^^LN||${text}|mmol/L`)
    expect(lactate('SN', '^1^:^128')).toBe('value-unparsable: OBX-5 of segment 4 is a ratio')
    expect(lactate('SN', '^1^-^2')).toBe('value-unparsable: OBX-5 of segment 4 is a range')
    for (const [type, text] of [['NM', '1~2'], ['SN', '^1~^2'], ['CWE', 'A~B']] as const) expect(lactate(type, text)).toBe('value-unparsable: OBX-5 of segment 4 has several values')
  })
  it('read units under any of their names', () => {
    expect(value('OBX|1|NM|6690-2^^LN||11.2|10^3/uL')).toBe('wbc =11.2 final')
    expect(value('OBX|1|NM|6690-2^^LN||11.2|10\\S\\3/uL')).toBe('wbc =11.2 final')
    expect(value('OBX|1|NM|6690-2^^LN||11.2|10^3/uL^UCUM')).toBe('wbc =11.2 final')
    expect(value('OBX|1|NM|6690-2^^LN||11.2|10^9/L')).toBe('wbc =11.2 final')
    expect(value('OBX|1|NM|6690-2^^LN||11.2|10^furlong')).toBe('unit-unknown: OBX-6 of segment 4')
    expect(value('OBX|1|NM|718-7^^LN||98|g/L')).toBe('hemoglobin =9.8 final')
    expect(value('OBX|1|NM|777-3^^LN||98|G/L')).toBe('platelets =98 final')
    expect(value('OBX|1|NM|6690-2^^LN||11.2|x^K/uL')).toBe('wbc =11.2 final')
    expect(value('OBX|1|NM|8310-5^^LN||101.3|[degF]^F^UCUM')).toBe('temperature =38.5 final')
    expect(value('OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC||97|262688^MDC_DIM_PERCENT^MDC')).toBe('spo2 =97 final')
    expect(value('OBX|1|NM|2160-0^^LN||1.2|furlongs')).toBe('unit-unknown: OBX-6 of segment 4')
    expect(value('OBX|1|NM|2160-0^^LN||1.2|mm[Hg]')).toBe('unit-unknown: OBX-6 of segment 4')
  })
  it('read codes of either triplet, LOINC without a system, MDC and local names', () => {
    expect(value('OBX|1|NM|X1^^99LAB^8867-4^^LN||88')).toBe('heartRate =88 final')
    expect(value('OBX|1|NM|8867-4||88')).toBe('heartRate =88 final')
    expect(value('OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC||88|264864^MDC_DIM_BEAT_PER_MIN^MDC')).toBe('heartRate =88 final')
    expect(value('OBX|1|NM|hr^Heart rate^L||88')).toBe('heartRate =88 final')
    expect(value('OBX|1|NM|99999-9^Who knows^LN||88')).toBe('code-unknown: OBX-3 of segment 4')
  })
  it('read consciousness as words, letters, LOINC and SNOMED answers, or the number', () => {
    const acvpu = (type: string, text: string): string => value(`OBX|1|${type}|67775-7^^LN||${text}`)
    expect(['Alert', 'CONFUSION', 'Voice', 'pain', 'Unresponsive'].map(t => acvpu('ST', t))).toEqual([0, 1, 2, 3, 4].map(n => `consciousness =${n} final`))
    expect(['LA9340-6^Alert^LN', 'C^New confusion^L', '300202002^^SCT', 'x^^L^LA17107-6^^LN', '^Unresponsive'].map(t => acvpu('CWE', t))).toEqual([0, 1, 2, 3, 4].map(n => `consciousness =${n} final`))
    expect(acvpu('NM', '2')).toBe('consciousness =2 final')
    expect(acvpu('NM', '5')).toBe('value-impossible: OBX-5 of segment 4')
    expect(acvpu('CE', 'Z^Zany^L')).toBe('value-unparsable: OBX-5 of segment 4')
    expect(value('OBX|1|ST|OXYGEN_THERAPY^^L||Room air')).toBe('oxygenTherapy =0 final')
    expect(value('OBX|1|CWE|OXYGEN_THERAPY^^L||Y^Nasal cannula^L')).toBe('oxygenTherapy =1 final')
  })
  it('take their status from table 0085', () => {
    const status = (s: string, v = '3.1'): string => value(`OBX|1|NM|2524-7^^LN||${v}|mmol/L|||||${s}`)
    expect(['', 'F', 'U', 'C', 'P', 'S', 'R', 'D', 'W', 'X', 'C^Correction^HL70085'].map(s => status(s).split(' ').at(-1))).toEqual(['final', 'final', 'final', 'corrected', 'preliminary', 'preliminary', 'preliminary', 'withdrawn', 'withdrawn', 'withdrawn', 'corrected'])
    expect(['I', 'N', 'O'].map(s => status(s))).toEqual(['nothing', 'nothing', 'nothing'])
    expect(status('F', '')).toBe('nothing')
    expect(status('W', '')).toBe('lactate =0 withdrawn')
    expect(status('F', '""')).toBe('lactate =0 withdrawn')
    expect(status('unknown')).toBe('payload-invalid: OBX-11 of segment 4 is not of table 0085')
  })
  it('have the identity of the result that they correct or withdraw', () => {
    const ids = ['F', 'C', 'W'].map(s => one(`OBX|1|NM|2524-7^^LN||3.1|mmol/L|||||${s}|||20260314113500+0000`).resultId)
    expect(new Set(ids).size).toBe(1)
  })
  it('of a device message leave its header rows out', () => {
    const mapped = mapRaw(oru('1',
      'OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X',
      'OBX|2||69798^MDC_DEV_ECG_VMD^MDC|1.1.0.0|||||||X',
      'OBX|3|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.1|91|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R|||20260314115958+0000',
      'OBX|4|NM|151562^MDC_RESP_RATE^MDC|1.2.1.1|24|264928^MDC_DIM_RESP_PER_MIN^MDC||QUES|||R|||20260314115958+0000',
      'OBX|5|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.1|55|262688^MDC_DIM_PERCENT^MDC||INV|||R|||20260314115958+0000'))
    expect(observationsOf(mapped).observations.map(o => `${short(o)} ${o.quality}`)).toEqual(['heartRate =91 preliminary valid', 'respiratoryRate =24 preliminary questionable', 'spo2 =55 preliminary artefact'])
    expect(mapped.notices.get('no-value')).toBe(2)
  })
  it('that are impossible are refused one by one, and the rest goes on', () => {
    const mapped = mapRaw(oru('1', 'OBX|1|NM|8867-4^^LN||880', 'OBX|2|NM|9279-1^^LN||18', 'OBX|3|NM|8310-5^^LN||98.6'))
    expect(observationsOf(mapped).observations.map(short)).toEqual(['respiratoryRate =18 final'])
    expect(mapped.kind === 'mapped' && mapped.refused.map(r => `${r.fault.cause} ${r.fault.detail}`)).toEqual(['value-impossible OBX-5 of segment 4', 'value-impossible OBX-5 of segment 6'])
  })
  it('a little in the future are of now, far in the future refused', () => {
    const time = (t: string): number => one(`OBX|1|NM|8867-4^^LN||88||||||F|||${t}`).eventTime
    expect(time('20260314120459+0000')).toBe(NOW)
    expect(time('20260314115959+0000')).toBe(NOW - 1000)
    expect(value('OBX|1|NM|8867-4^^LN||88||||||F|||20260314120501+0000')).toBe('time-in-future: OBX-14 of segment 4')
  })
  it('without a usable time are refused, but a vital sign without any is of now', () => {
    const bare = (row: string): Mapped => mapRaw(hl7('MSH|^~\\&|A|B|C|D|20260314115900+0000||ORU^R01|1|P|2.5.1', 'PID|||1', 'OBR|1', row))
    expect(value('OBX|1|NM|8867-4^^LN||88||||||F|||yesterday')).toBe('time-unparsable: OBX-14 of segment 4')
    expect(value('OBX|1|NM|8867-4^^LN||88||||||F|||202603')).toBe('time-unparsable: OBX-14 of segment 4')
    expect(bare('OBX|1|NM|2524-7^^LN||3.1')).toMatchObject({ refused: [{ fault: { cause: 'time-unparsable' } }], events: [] })
    const vital = bare('OBX|1|NM|8867-4^^LN||88')
    expect([observationsOf(vital).observations[0]?.eventTime, vital.notices.get('time-missing')]).toEqual([NOW, 1])
  })
  it('read times without offset by MSH-7, else by the zone', () => {
    const raw = (sent: string): Buffer => hl7(`MSH|^~\\&|A|B|C|D|${sent}||ORU^R01|1|P|2.5.1`, 'PID|||1', 'OBR|1||||||20260314110000', 'OBX|1|NM|8867-4^^LN||88')
    expect(observationsOf(mapRaw(raw('20260314115900+0100'), 'America/New_York')).observations[0]?.eventTime).toBe(at('2026-03-14T10:00Z'))
    expect(observationsOf(mapRaw(raw('20260314115900'), 'Europe/Madrid')).observations[0]?.eventTime).toBe(at('2026-03-14T10:00Z'))
  })
  it('belong to the last OBR before them', () => {
    const mapped = mapRaw(oru('1', 'OBX|1|NM|2524-7^^LN||3.1', 'ORC|RE|P2|F2', 'OBR|2|||Q^Q^L|||20260314100000+0000', 'OBX|1|NM|2524-7^^LN||2.0', 'OBR|3||F3|Q^Q^L|||20260314090000+0000', 'OBX|1|NM|2524-7^^LN||1.0'))
    expect(observationsOf(mapped).observations.map(o => [o.resultId.split('|')[0], o.eventTime])).toEqual([['F-9', at('2026-03-14T11:30Z')], ['F2', at('2026-03-14T10:00Z')], ['F3', at('2026-03-14T09:00Z')]])
  })
  it('of two patients in one message stay apart', () => {
    const mapped = mapRaw(oru('1', 'OBX|1|NM|2524-7^^LN||3.1', 'PID|2||TEST-2', 'OBR|2||F2||||20260314100000+0000', 'OBX|1|NM|2524-7^^LN||9.0'))
    expect(mapped.kind === 'mapped' && mapped.events.map(e => [e.patient.id, e.event.type === 'observations' && e.event.observations.map(short)])).toEqual([['TEST-1', ['lactate =3.1 final']], ['TEST-2', ['lactate =9 final']]])
  })
  it('without a patient are refused whole', () => {
    const bad = (pid: string): Mapped => mapRaw(hl7('MSH|^~\\&|A|B|C|D|20260314||ORU^R01|1|P|2.5.1', pid, 'OBR|1||||||20260314', 'OBX|1|NM|2524-7^^LN||3.1'))
    for (const pid of ['PID|1||""||X', 'PID|1', 'PV1|1', 'PID|1||^^^HOSP^MR']) expect(bad(pid)).toMatchObject({ kind: 'rejected', fault: { cause: 'patient-missing' } })
  })
  it('take the medical record number among several identifiers', () => {
    const mapped = mapRaw(hl7('MSH|^~\\&|A|B|C|D|20260314||ORU^R01|1|P|2.5.1', 'PID|1||77^^^SSA^SS~88^^^HOSP^MR~99^^^X^PI', 'OBR|1||||||20260314', 'OBX|1|NM|2524-7^^LN||3.1'))
    expect(mapped.kind === 'mapped' && mapped.events[0]?.patient.id).toBe('88')
  })
  it('of point-of-care triggers are read too', () => {
    const type = (t: string): string => mapRaw(hl7(`MSH|^~\\&|A|B|C|D|20260314||${t}|1|P|2.5.1`, 'PID|||1', 'OBX|1|NM|8867-4^^LN||88')).kind
    expect(['ORU^R01', 'ORU^R30^ORU_R30', 'ORU^R31', 'ORU^R32', 'ORU'].map(type)).toEqual(['mapped', 'mapped', 'mapped', 'mapped', 'mapped'])
  })
})

describe('admissions and movements', () => {
  const encounter = (raw: Buffer): EncounterEvent => {
    const mapped = mapRaw(raw)
    const event = mapped.kind === 'mapped' ? mapped.events[0]?.event : undefined
    if (event?.type !== 'encounter') throw new Error('no encounter')
    return event
  }
  const PID = 'PID|1||TEST-1^^^HOSP^MR||Invented^Ana||19500412|F'
  it('say who lies where since when', () => {
    expect(encounter(adt('A01', '1', 'EVN|A01|20260314110000+0000', PID, `PV1|1|I|ICU^R4^B12^HOSP${'|'.repeat(41)}20260313230000+0000`))).toEqual({ type: 'encounter', action: 'admit', eventTime: at('2026-03-14T11:00Z'), source: 'hl7:his', ward: 'ICU', bed: 'B12', ageYears: 75, sex: 'female', hoursSinceHospitalAdmission: 12 })
  })
  it('happen when EVN-6 says, else EVN-2, else PV1-44, else now', () => {
    const when = (evn: string, pv1 = 'PV1|1'): number => encounter(adt('A01', '1', evn, PID, pv1)).eventTime
    expect(when('EVN||20260314110000+0000||||20260314103000+0000')).toBe(at('2026-03-14T10:30Z'))
    expect(when('EVN||', `PV1|1|I|ICU${'|'.repeat(41)}20260314010000+0000`)).toBe(at('2026-03-14T01:00Z'))
    expect(when('EVN|')).toBe(NOW)
    expect(when('EVN||20260314120300+0000')).toBe(NOW)
  })
  it('with a time that cannot be are rejected', () => {
    expect(mapRaw(adt('A01', '1', 'EVN||soon', PID))).toMatchObject({ kind: 'rejected', fault: { cause: 'time-unparsable' } })
    expect(mapRaw(adt('A01', '1', 'EVN||20260315', PID))).toMatchObject({ kind: 'rejected', fault: { cause: 'time-in-future' } })
    expect(mapRaw(adt('A01', '1', 'EVN||19700101000012', PID))).toMatchObject({ kind: 'rejected', fault: { cause: 'time-implausible' } })
  })
  it('are undone by the cancelling triggers', () => {
    expect(['A01', 'A04', 'A02', 'A03', 'A08', 'A11', 'A12', 'A13'].map(t => encounter(adt(t, '1', 'EVN||20260314110000', PID)).action)).toEqual(['admit', 'admit', 'transfer', 'discharge', 'update', 'discharge', 'transfer', 'admit'])
    const PV1 = 'PV1|1|I|W^R2^B2|||W^R1^B1'
    expect(['A02', 'A12', 'A13'].map(t => encounter(adt(t, '1', 'EVN||20260314110000', PID, PV1)).bed)).toEqual(['B2', 'B2', 'B2'])
    expect(encounter(adt('A12', '1', 'EVN||20260314110000', PID, 'PV1|1|I||||W^R1^B1'))).toMatchObject({ action: 'transfer', ward: 'W', bed: 'B1' })
    expect(encounter(adt('A02', '1', 'EVN||20260314110000', PID, 'PV1|1|I||||W^R1^B1'))).toMatchObject({ action: 'transfer', ward: '', bed: '' })
  })
  it('of class and person: an outpatient who becomes an inpatient is admitted, an inpatient who becomes an outpatient stays where PV1-3 says, a person is news and no stay', () => {
    const of = (t: string): string => { const { action, ward, bed } = encounter(adt(t, '1', 'EVN||20260314110000', PID, 'PV1|1|I|W^R2^B2')); return `${action} ${ward} ${bed}` }
    expect(['A06', 'A07', 'A28', 'A31'].map(of)).toEqual(['admit W B2', 'transfer W B2', 'update  ', 'update  '])
    expect(encounter(adt('A31', '1', 'EVN||20260314110000', PID))).toMatchObject({ ageYears: 75, sex: 'female' })
  })
  it('swap two beds at once (A17), each patient an event', () => {
    const mapped = mapRaw(adt('A17', '1', 'EVN||20260314110000', 'PID|1||ANA', 'PV1|1|I|W^R1^B1', 'PID|2||BEN', 'PV1|1|I|W^R2^B2'))
    expect(mapped.kind === 'mapped' && mapped.events.map(({ patient, event }) => event.type === 'encounter' && `${patient.id} ${event.action} ${event.bed}`)).toEqual(['ANA transfer B1', 'BEN transfer B2'])
  })
  it('with a discharge before the admission, or of somebody who does not lie there, are taken and counted', () => {
    const pv1 = (admitted: string, discharged: string): string => `PV1|1|I|W^R1^B1${'|'.repeat(41)}${admitted}|${discharged}`
    const of = (p: string, beds: Record<string, string> = { 'W|B1': 'TEST-1' }): [string, string[]] => { const m = mapRaw(adt('A03', '1', 'EVN||20260314110000', PID, p), {}, beds); return [m.kind, [...m.notices.keys()]] }
    expect(of(pv1('20260313', '20260314'))).toEqual(['mapped', []])
    expect(of(pv1('20260314', '20260314'))).toEqual(['mapped', []])
    expect(of(pv1('20260314', '20260313'))).toEqual(['mapped', ['discharge-before-admission']])
    expect(of(pv1('', ''), { 'W|B1': 'OTHER' })).toEqual(['mapped', ['discharge-unknown']])
    expect(of(pv1('', ''), {})).toEqual(['mapped', ['discharge-unknown']])
  })
  it('fall back to the room, and leave empty what is not said', () => {
    const pid = 'PID|1||TEST-1'
    expect(encounter(adt('A08', '1', 'EVN||20260314110000+0000', pid, 'PV1|1|I|ICU^R4'))).toMatchObject({ ward: 'ICU', bed: 'R4', ageYears: -1, sex: 'unknown', hoursSinceHospitalAdmission: -1 })
    expect(encounter(adt('A08', '1', 'EVN||20260314110000+0000', pid, 'PV1|1|I|""'))).toMatchObject({ ward: '', bed: '' })
    expect(encounter(adt('A03', '1', pid))).toMatchObject({ ward: '', bed: '' })
  })
  it('hide an age over 89', () => {
    const age = (birth: string): number => encounter(adt('A01', '1', 'EVN||20260314110000+0000', `PID|1||TEST-1||||${birth}|M`)).ageYears
    expect(['19360314', '19360315', '1920', '20260101', '195006', '20270101', '1950-01-01', '""', '19501340'].map(age)).toEqual([90, 89, 90, 0, 75, -1, 76, -1, -1])
  })
})

describe('what is marked as training or debugging', () => {
  const of = (id: string, processingIds: readonly ('P' | 'T' | 'D')[] = ['P']): string => {
    const mapped = mapRaw(hl7(`MSH|^~\\&|A|B|C|D|20260314||ADT^A08|1|${id}|2.5.1`, 'EVN||20260314110000', 'PID|1||1'), {}, {}, { ...HL7_PROFILE, processingIds })
    return mapped.kind === 'rejected' ? `${mapped.fault.cause}: ${mapped.fault.detail}` : mapped.kind
  }

  it('is refused where the profile does not take it, whatever its mode; what says nothing is taken', () => {
    expect(['P', '', 'P^A', 'p'].map(id => of(id))).toEqual(['mapped', 'mapped', 'mapped', 'mapped'])
    expect(['T', 'D', 'T^T'].map(id => of(id))).toEqual(Array(3).fill('unsupported-type: MSH-11 of segment 1 is no processing id of this feed'))
    expect(['T', 'D', 'P'].map(id => of(id, ['T', 'D']))).toEqual(['mapped', 'mapped', 'unsupported-type: MSH-11 of segment 1 is no processing id of this feed'])
  })
})
