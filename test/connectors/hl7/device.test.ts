import { describe, expect, it } from 'vitest'
import type { Mapped } from '../../../connectors/hl7/mapped.ts'
import { hl7Mapper } from '../../../connectors/hl7/mapper.ts'
import { HL7_PROFILE } from '../../../connectors/hl7/profile.ts'
import { PLAIN_MAPPING, type MapContext, type MappedMessage } from '../../../connectors/kit/index.ts'
import type { Observation, ObservationSet } from '../../../streams/events/index.ts'
import { hl7, mapRaw, NOW } from './support.ts'

const MSH = 'MSH|^~\\&|GW^080019FFFE000001^EUI-64|GE|||20260314115959+0000||ORU^R01^ORU_R01|D1|P|2.6|||NE|AL|||||IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO'
const PID = 'PID|1||TEST-1^^^HOSP^MR'
const PV1 = 'PV1|1|I|ICU^R1^B2^HOSP'
const OBR = 'OBR|1||G-77|182777000^monitoring of patient^SCT|||20260314115950+0000'
const MDS = 'OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||20260314115955+0000||||080019FFFE0B4020^B40_GE'
const VMD = 'OBX|2||69798^MDC_DEV_ECG_VMD^MDC|1.5.0.0|||||||X'
const HR = 'OBX|3|NM|147842^MDC_ECG_HEART_RATE^MDC|1.5.1.1|80|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R'
const PVC = 'OBX|4|NM|148066^MDC_ECG_V_P_C_RATE^MDC|1.5.1.2|66|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R'
const at = (iso: string): number => Date.parse(iso)

function sets (mapped: Mapped | MappedMessage): readonly (readonly [patient: string, set: ObservationSet])[] {
  if (mapped.kind === 'rejected') throw new Error(`${mapped.fault.cause} ${mapped.fault.detail}`)
  return mapped.events.map(({ patient, event }) => { if (event.type !== 'observations') throw new Error(event.type); return [patient.id, event] as const })
}
const rows = (mapped: Mapped): readonly Observation[] => sets(mapped).flatMap(([, set]) => set.observations)

describe('a message of a device (IHE PCD-01)', () => {
  it('is dense numerics of that device: without result identity, under the name of the device', () => {
    const [patient, set] = sets(mapRaw(hl7(MSH, PID, PV1, OBR, MDS, VMD, HR)))[0]!
    expect([patient, set.kind, set.source]).toEqual(['TEST-1', 'device', 'hl7:080019fffe0b4020'])
    expect(set.observations).toEqual([{ concept: 'heartRate', value: 80, comparator: '=', eventTime: at('2026-03-14T11:59:55Z'), status: 'preliminary', quality: 'valid', resultId: '' }])
  })
  it('has its time from the row, else from the head above it, else from OBR-7', () => {
    const time = (...obx: string[]): number | undefined => rows(mapRaw(hl7(MSH, PID, PV1, OBR, ...obx)))[0]?.eventTime
    expect(time(MDS, VMD, `${HR}|||20260314115957+0000`)).toBe(at('2026-03-14T11:59:57Z'))
    expect(time(MDS, `${VMD}|||20260314115956+0000`, HR)).toBe(at('2026-03-14T11:59:56Z'))
    expect(time(MDS, VMD, HR)).toBe(at('2026-03-14T11:59:55Z'))
    expect(time(VMD, HR)).toBe(at('2026-03-14T11:59:50Z'))
    expect(time(MDS.replace('1.0.0.0', '2.0.0.0'), HR)).toBe(at('2026-03-14T11:59:50Z'))
  })
  it('of two devices is a set of each', () => {
    const other = [MDS, HR].map(row => row.replace('|1.', '|2.').replace('0B4020', '0B4021'))
    expect(sets(mapRaw(hl7(MSH, PID, PV1, OBR, MDS, HR, ...other))).map(([, set]) => `${set.source} ${set.observations.length}`)).toEqual(['hl7:080019fffe0b4020 1', 'hl7:080019fffe0b4021 1'])
  })
  it('cancels nothing by the heads of its channels, whatever codes they have, nor by metrics without a value', () => {
    const mapped = mapRaw(hl7(MSH, PID, PV1, OBR, MDS, VMD, HR.replace('|80|', '||').replace('|R', '|X'), HR.replace('1.5.1.1', '1.5.0.0').replace('|80|', '||').replace('|R', '|X')))
    expect([rows(mapped), mapped.notices.get('no-value'), mapped.kind === 'mapped' && mapped.refused]).toEqual([[], 4, []])
  })
  it('is one without MSH-21 too, where MDC codes say so', () => {
    expect(sets(mapRaw(hl7(MSH.split('|').slice(0, 12).join('|'), PID, PV1, OBR, HR)))[0]?.[1]).toMatchObject({ kind: 'device', source: 'hl7:gw' })
    expect(sets(mapRaw(hl7(MSH.split('|').slice(0, 12).join('|'), PID, PV1, OBR, 'OBX|1|NM|8867-4^^LN^147842^^MDC||80')))[0]?.[1].kind).toBe('charted')
  })
  it('keeps the doubt of the device', () => {
    const quality = (flag: string): string | undefined => rows(mapRaw(hl7(MSH, PID, PV1, OBR, HR.replace('|||||R', `||${flag}|||R`))))[0]?.quality
    expect(['', 'QUES', 'INV', 'TEST', 'N~INV'].map(quality)).toEqual(['valid', 'questionable', 'artefact', 'artefact', 'artefact'])
  })
  it('that says 0 where 0 cannot be has its sensor off: counted, and nothing is refused', () => {
    const mapped = mapRaw(hl7(MSH, PID, PV1, OBR, HR.replace('|80|', '|0|'), HR.replace('|80|', '|900|')))
    expect([rows(mapped), mapped.notices.get('sensor-off'), mapped.kind === 'mapped' && mapped.refused.map(one => one.fault.cause)]).toEqual([[], 1, ['value-impossible']])
  })
  it('with a clock that was never set is refused as implausible, value by value', () => {
    const mapped = mapRaw(hl7(MSH, PID, PV1, OBR, `${HR}|||19700101000213+0000`, `${HR.replace('1.5.1.1', '1.5.1.3')}|||20260314115957+0000`))
    expect([rows(mapped).length, mapped.kind === 'mapped' && mapped.refused.map(one => one.fault)]).toEqual([1, [{ cause: 'time-implausible', detail: 'OBX-14 of segment 5', at: { segment: 'OBX', number: 5, field: 14 } }]])
  })
})

describe('a device message without an identifier', () => {
  const raw = hl7(MSH, 'PID|1||', PV1, OBR, MDS, VMD, HR)
  it('is of whoever lies in its bed', () => {
    expect(sets(mapRaw(raw, {}, { 'ICU|B2': 'ANA' })).map(([patient]) => patient)).toEqual(['ANA'])
  })
  it('asks who lay there at the time of the reading', () => {
    const asked: unknown[] = []
    const context: MapContext = { now: NOW, mapping: PLAIN_MAPPING, patientInBed: (...args) => { asked.push(args); return 'ANA' }, unmapped: () => {} }
    hl7Mapper()(raw, context)
    expect(asked).toEqual([['ICU', 'B2', at('2026-03-14T11:59:55Z')]])
  })
  it('is nobody\'s where nobody lies there, no bed is named, or the profile says so', () => {
    for (const [bytes, profile] of [[raw, HL7_PROFILE], [hl7(MSH, 'PID|1||', OBR, HR), HL7_PROFILE]] as const) {
      expect(mapRaw(bytes, {}, {}, profile)).toMatchObject({ kind: 'rejected', fault: { cause: 'device-unmapped' } })
    }
    expect(mapRaw(raw, {}, { 'ICU|B2': 'ANA' }, { ...HL7_PROFILE, patientByBed: false })).toMatchObject({ kind: 'rejected', fault: { cause: 'patient-missing' } })
  })
  it('and no message of a laboratory is', () => {
    expect(mapRaw(hl7(MSH.replace(/\|IHE_PCD.*/, ''), 'PID|1||', PV1, OBR, 'OBX|1|NM|2524-7^^LN||2.1|mmol/L'), {}, { 'ICU|B2': 'ANA' })).toMatchObject({ kind: 'rejected', fault: { cause: 'patient-missing' } })
  })
})

describe('metrics of a device that nothing maps', () => {
  const seen: string[] = []
  const context: MapContext = { now: NOW, mapping: PLAIN_MAPPING, patientInBed: () => undefined, unmapped: ({ system, code, text, unit }) => { seen.push(`${system}|${code}|${text}|${unit}`) } }
  const mapped = hl7Mapper()(hl7(MSH, PID, PV1, OBR, MDS, VMD, HR, PVC, PVC.replace('148066', '148067')), context)
  it('are named for whoever maps them, each', () => {
    expect(seen).toEqual(['MDC|148066|MDC_ECG_V_P_C_RATE|264864', 'MDC|148067|MDC_ECG_V_P_C_RATE|264864'])
  })
  it('are one dead letter a message, not one each: a monitor sends them again in a moment', () => {
    expect(mapped.kind === 'mapped' && mapped.refused.map(one => one.fault.detail)).toEqual(['OBX-3 of segment 8'])
  })
  it('are read again with the heads that they need, and only those that are still unmapped are refused again', () => {
    const [first] = mapped.kind === 'mapped' ? mapped.refused : []
    expect(first?.raw.toString().split('\r').map(line => line.slice(0, 9))).toEqual(['MSH|^~\\&|', 'PID|1||TE', 'PV1|1|I|I', 'OBR|1||G-', 'OBX|1||69', 'OBX|2||69', 'OBX|4|NM|', 'OBX|4|NM|', ''])
    const again = hl7Mapper()(first!.raw, { ...context, mapping: { ...PLAIN_MAPPING, codes: new Map([['MDC|148066', { concept: 'heartRate' }]]) } })
    expect([sets(again).map(([, set]) => `${set.source} ${set.observations[0]?.value}`), again.kind === 'mapped' && again.refused.map(one => one.fault.cause)]).toEqual([['hl7:080019fffe0b4020 66'], ['code-unknown']])
    const ids = [mapped, again, ...again.kind === 'mapped' ? again.refused.map(one => hl7Mapper()(one.raw, context)) : []].map(one => one.kind === 'mapped' ? one.id : '')
    expect(new Set(ids).size).toBe(3)
  })
})

describe('an alarm of another device (IHE PCD-04, ORU^R40)', () => {
  const R40 = MSH.replace('ORU^R01^ORU_R01', 'ORU^R40^ORU_R40').replace('IHE_PCD_001', 'IHE_PCD_ACM_001')
  const alarm = (state: string, phase: string, code = 'OBX|1|CWE|196616^MDC_EVT_ALARM^MDC|1.1.1.1.1|196680^MDC_EVT_LEAD_OFF^MDC||||||R|||20260314115958+0000', pid = PID): Mapped => mapRaw(hl7(R40, pid, PV1, 'OBR|1||A-9^GW|196616^MDC_EVT_ALARM^MDC|||20260314115957+0000', MDS.replace('OBX|1', 'OBX|0'), code,
    'OBX|2|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.1.1.1.2|55|262688^MDC_DIM_PERCENT^MDC|||||R', `OBX|3|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.1.1.1.3|${phase}||||||R`, `OBX|4|ST|68482^MDC_ATTR_ALARM_STATE^MDC|1.1.1.1.4|${state}||||||R`, 'OBX|5|ST|68484^MDC_ATTR_ALARM_PRIORITY^MDC|1.1.1.1.5|PM||||||R'), {}, { 'ICU|B2': 'BED' })
  it('is a statement about the device: its code, whether it holds, and how grave it is; its values are not taken twice', () => {
    const mapped = alarm('active', 'start')
    expect(mapped).toMatchObject({ kind: 'mapped', archived: false, refused: [] })
    expect(mapped.kind === 'mapped' && mapped.events).toEqual([{ patient: { id: 'TEST-1' }, event: { type: 'statement', kind: 'device', source: 'hl7:gw', statementId: 'A-9|196680', status: 'active', system: 'urn:iso:std:iso:11073:10101', code: '196680', eventTime: at('2026-03-14T11:59:58Z'), endTime: -1, value: 2, unit: '' } }])
  })
  it('that ends is said of the same statement', () => {
    const of = (state: string, phase: string): readonly unknown[] => { const m = alarm(state, phase); return m.kind === 'mapped' ? m.events.map(({ event }) => event.type === 'statement' && [event.statementId, event.status]) : [] }
    expect(of('inactive', 'continue')).toEqual([['A-9|196680', 'inactive']])
    expect(of('inactive', 'end')).toEqual([['A-9|196680', 'completed']])
    expect(of('latched', 'continue')).toEqual([['A-9|196680', 'active']])
  })
  it('is named by its own row, or by the value of a general alarm row', () => {
    const mapped = alarm('active', 'start', 'OBX|1|ST|196674^MDC_EVT_LO_VAL_LT_LIM^MDC|1.1.1.1.1|SPO2 LOW||||||R')
    expect(mapped.kind === 'mapped' && mapped.events[0]?.event).toMatchObject({ code: '196674', eventTime: at('2026-03-14T11:59:57Z') })
  })
  it('without an identifier is of whoever lies in the bed; without a code it is kept only', () => {
    expect(alarm('active', 'start', undefined, 'PID|1||')).toMatchObject({ events: [{ patient: { id: 'BED' } }] })
    expect(mapRaw(hl7(R40, PID, OBR))).toMatchObject({ kind: 'mapped', events: [], archived: true })
    expect(mapRaw(hl7(R40, 'PID|1||', OBR, HR))).toMatchObject({ kind: 'rejected', fault: { cause: 'device-unmapped' } })
  })
})
