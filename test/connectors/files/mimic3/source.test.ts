import { describe, expect, test } from 'vitest'
import { openMimic3, type HistoricalMessage, type HistoricalSource, type Mimic3Options } from '../../../../connectors/files/index.ts'
import type { RefusedInput } from '../../../../connectors/kit/port.ts'
import type { Observation } from '../../../../streams/events/index.ts'
import { all, TemporaryFolder } from '../folder.ts'

const CHART_HEADER = 'row_id,subject_id,hadm_id,icustay_id,itemid,charttime,storetime,cgid,value,valuenum,valueuom,warning,error,resultstatus,stopped'
const LAB_HEADER = 'row_id,subject_id,hadm_id,itemid,charttime,value,valuenum,valueuom,flag'
const OUTPUT_HEADER = 'row_id,subject_id,hadm_id,icustay_id,charttime,itemid,value,valueuom,storetime,cgid,stopped,newbottle,iserror'

/** Times of the invented stays are minutes of one day. */
const at = (minute: number): string => `2150-03-01 ${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}:00`
const DAY = Date.UTC(2150, 2, 1)
const minuteOf = (time: number): number => (time - DAY) / 60_000

interface Chart { readonly subject?: number | string, readonly item: number, readonly charted: number | string, readonly stored?: number | string, readonly value?: string, readonly number?: number | string, readonly unit?: string, readonly error?: string }
const timeCell = (time: number | string | undefined): string => typeof time === 'number' ? at(time) : time ?? ''
const chart = (c: Chart): string => ['1', c.subject ?? 1, '', '', c.item, timeCell(c.charted), timeCell(c.stored ?? c.charted), '9', c.value ?? c.number ?? '', c.number ?? '', c.unit ?? 'NA', '', c.error ?? '', 'NA', 'NA'].join(',')
const lab = (item: number, charted: number | string, value: string, number: number | string, unit = 'NA', subject = 1): string => ['1', subject, '', item, timeCell(charted), value, number, unit, 'NA'].join(',')

interface Tables { readonly charts?: readonly string[], readonly labs?: readonly string[], readonly outputs?: readonly string[], readonly stays?: readonly string[] }

function filesOf ({ charts = [], labs = [], outputs, stays }: Tables): Record<string, string> {
  return {
    'patients.csv': 'row_id,subject_id,gender,dob,dod,dod_hosp,dod_ssn,expire_flag\n1,1,F,2089-06-01 00:00:00,,,,0\n2,2,M,1850-01-01 00:00:00,,,,0\n',
    'ADMISSIONS.csv': '"ROW_ID","SUBJECT_ID","HADM_ID","ADMITTIME"\n1,1,11,2150-02-28 22:00:00\n',
    'icustays.csv.gz': ['row_id,subject_id,hadm_id,icustay_id,first_careunit,intime,outtime', ...stays ?? [`1,1,11,101,MICU,${at(60)},${at(600)}`]].join('\n'),
    'chartevents.csv.gz': [CHART_HEADER, ...charts].join('\n'),
    'labevents.csv': [LAB_HEADER, ...labs].join('\n'),
    ...outputs === undefined ? {} : { 'outputevents.csv': [OUTPUT_HEADER, ...outputs].join('\n') },
  }
}

interface Replayed { readonly source: HistoricalSource, readonly messages: HistoricalMessage[], readonly refused: RefusedInput[], readonly observations: Observation[] }

async function replay (tables: Tables, options: Mimic3Options = {}): Promise<Replayed> {
  await using folder = await TemporaryFolder.of(filesOf(tables))
  const refused: RefusedInput[] = []
  const source = await openMimic3(folder.path, { ...options, onRefused: r => { refused.push(r) } })
  const messages = await all(source)
  return { source, messages, refused, observations: messages.flatMap(m => m.event.type === 'observations' ? m.event.observations : []) }
}

const told = (messages: readonly HistoricalMessage[]): string[] => messages.map(({ patientId, arrival, event }) => `${patientId} ${minuteOf(arrival)} ${event.type === 'observations' ? event.observations.map(o => o.concept).join('+') : event.type === 'encounter' ? event.action : event.type}`)

describe('a MIMIC-III folder', () => {
  test('is told in order of arrival over all patients, charted values at storetime', async () => {
    const { messages, observations } = await replay({
      stays: [`1,1,11,101,MICU,${at(60)},${at(600)}`, `2,2,22,102,SICU,${at(30)},`],
      charts: [chart({ item: 211, charted: 120, stored: 150, number: 80, unit: 'BPM' }), chart({ subject: 2, item: 220045, charted: 130, stored: 131, number: 90, unit: 'bpm' })],
      labs: [lab(50813, 125, '2.1', 2.1, 'mmol/L')],
    })
    expect(told(messages)).toEqual(['2 30 admit', '1 60 admit', '1 125 lactate', '2 131 heartRate', '1 150 heartRate', '1 600 discharge'])
    expect(observations.map(o => minuteOf(o.eventTime))).toEqual([125, 130, 120])
  })

  test('admits with unit, age, sex and hours in hospital; the very old are 90, an end that is not told is noted', async () => {
    const { messages, source } = await replay({ stays: [`1,1,11,101,MICU,${at(60)},${at(600)}`, `2,2,22,102,SICU,${at(30)},`] })
    expect(messages[1]?.event).toMatchObject({ action: 'admit', ward: 'MICU', bed: '', ageYears: 60, sex: 'female', hoursSinceHospitalAdmission: 3 })
    expect(messages[0]?.event).toMatchObject({ action: 'admit', ward: 'SICU', ageYears: 90, sex: 'male', hoursSinceHospitalAdmission: -1 })
    expect(source.notes.get('discharge-not-told')).toBe(1)
  })

  test('tells a discharge before an admission of the same moment', async () => {
    const { messages } = await replay({ stays: [`2,1,11,102,SICU,${at(300)},${at(600)}`, `1,1,11,101,MICU,${at(60)},${at(300)}`] })
    expect(told(messages)).toEqual(['1 60 admit', '1 300 discharge', '1 300 admit', '1 600 discharge'])
  })

  test('groups what one patient has for one time, stored at one time, by kind', async () => {
    const { messages } = await replay({
      charts: [
        chart({ item: 220052, charted: 120, stored: 140, number: 75, unit: 'mmHg' }),
        chart({ item: 211, charted: 120, stored: 140, number: 80, unit: 'BPM' }),
        chart({ item: 646, charted: 120, stored: 141, number: 97, unit: '%' }),
        chart({ item: 618, charted: 121, stored: 140, number: 15, unit: 'BPM' }),
      ],
      labs: [lab(50971, 140, '4', 4, 'mEq/L')],
    })
    expect(told(messages).slice(1, -1)).toEqual(['1 140 heartRate+meanPressure', '1 140 respiratoryRate', '1 140 potassium', '1 141 spo2'])
  })

  test('tells an invasive pressure after a cuff pressure of the same moment, so that the last is the better', async () => {
    const { observations } = await replay({ charts: [chart({ item: 51, charted: 120, number: 101, unit: 'mmHg' }), chart({ item: 455, charted: 120, number: 110, unit: 'mmHg' })] })
    expect(observations.map(o => o.value)).toEqual([110, 101])
  })

  test('converts Fahrenheit and fractions of oxygen', async () => {
    const { observations } = await replay({ charts: [
      chart({ item: 223761, charted: 120, number: 98.6, unit: '?F' }), chart({ item: 676, charted: 121, number: 37.2, unit: 'Deg. C' }),
      chart({ item: 190, charted: 122, number: 0.5, unit: 'torr' }), chart({ item: 223835, charted: 123, number: 40 }), chart({ item: 190, charted: 124, number: 'NA', value: '"33%"' }),
    ] })
    expect(observations.map(o => [o.concept, Number(o.value.toFixed(6))])).toEqual([['temperature', 37], ['temperature', 37.2], ['fio2', 50], ['fio2', 40], ['fio2', 33]])
  })

  test('moves an event time that is somewhat after its storing to the storing, and refuses one far after', async () => {
    const { observations, refused, source } = await replay({ charts: [
      chart({ item: 211, charted: 160, stored: 100, number: 80 }), chart({ item: 211, charted: 261, stored: 200, number: 81 }),
    ] })
    expect(observations.map(o => [o.value, minuteOf(o.eventTime)])).toEqual([[80, 100]])
    expect(refused.map(r => [r.cause, r.detail])).toEqual([['time-in-future', 'chartevents.csv.gz, line 3, column charttime']])
    expect(source.notes.get('event-time-clamped')).toBe(1)
  })

  test('takes charttime where storetime is missing, and delays laboratory results when asked', async () => {
    const tables: Tables = { charts: [chart({ item: 211, charted: 120, stored: '', number: 80 })], labs: [lab(50912, 120, '1.1', 1.1, 'mg/dL')] }
    const { messages, source } = await replay(tables, { labDelayMs: 45 * 60_000 })
    expect(told(messages).slice(1, -1)).toEqual(['1 120 heartRate', '1 165 creatinine'])
    expect(source.notes.get('storetime-missing')).toBe(1)
  })

  test('tells a row in error as withdrawn, with an identity that retracts nothing else', async () => {
    const { observations, source } = await replay({ charts: [chart({ item: 211, charted: 120, number: 80, error: '1' }), chart({ item: 211, charted: 120, number: 82, error: '0' })] })
    expect(observations.map(o => [o.value, o.status])).toEqual([[80, 'withdrawn'], [82, 'final']])
    expect(new Set(observations.map(o => o.resultId)).size).toBe(2)
    expect(source.notes.get('in-error')).toBe(1)
  })

  test('refuses impossible values, other units, unreadable values and times, and a row without patient; counts other items', async () => {
    const { observations, refused, source } = await replay({ charts: [
      chart({ item: 211, charted: 120, number: 0, unit: 'BPM' }), chart({ item: 678, charted: 121, number: 98, unit: 'Deg. C' }), chart({ item: 646, charted: 122, value: 'unreliable' }),
      chart({ item: 211, charted: 'yesterday', number: 80 }), chart({ item: 211, charted: 123, stored: 'soon', number: 80 }), chart({ subject: '', item: 211, charted: 124, number: 80 }),
      chart({ item: 1, charted: 125, number: 3 }), chart({ item: 220048, charted: 125, value: 'SR' }), chart({ item: 211, charted: 126, value: 'NA', number: 'NA' }),
      '1,1,"open', chart({ item: 211, charted: 127, number: 80 }),
    ] })
    expect(observations.map(o => o.value)).toEqual([80])
    expect(refused.map(r => r.cause)).toEqual(['value-impossible', 'unit-unknown', 'value-unparsable', 'time-unparsable', 'time-unparsable', 'patient-missing', 'malformed'])
    expect(source.refused.get('code-unknown')).toBe(2)
    expect(source.notes.get('value-missing')).toBe(1)
  })

  test('reads a comparator where the number is missing', async () => {
    const { observations } = await replay({ labs: [lab(51265, 120, '<5', 'NA', 'K/uL'), lab(50971, 121, 'GREATER THAN 10', '', 'mEq/L'), lab(50912, 122, 'LESS THAN 0.4', 'NA', 'mg/dL')] })
    expect(observations.map(o => [o.concept, o.comparator, o.value])).toEqual([['platelets', '<', 5], ['potassium', '>', 10], ['creatinine', '<', 0.4]])
  })

  test('takes gases as arterial unless the specimen says otherwise', async () => {
    const gas = (minute: number, specimen: string): string[] => [lab(50821, minute, '90', 90, 'mm Hg'), lab(50813, minute, '2', 2, 'mmol/L'), ...specimen === '' ? [] : [lab(50800, minute, specimen, 'NA')]]
    const { messages, source } = await replay({ labs: [...gas(120, 'ART'), ...gas(121, 'VEN'), ...gas(122, '')] })
    expect(told(messages).slice(1, -1)).toEqual(['1 120 lactate+pao2', '1 121 lactate', '1 122 lactate+pao2'])
    expect(source.notes.get('specimen-not-arterial')).toBe(1)
  })

  test('sums the Glasgow score of three parts, notes an incomplete one, and questions one with a tube', async () => {
    const parts = (minute: number, verbal: string, verbalPoints: number): string[] => [chart({ item: 220739, charted: minute, number: 4 }), chart({ item: 223900, charted: minute, value: verbal, number: verbalPoints }), chart({ item: 223901, charted: minute, number: 6 })]
    const { observations, source } = await replay({ charts: [
      ...parts(120, 'Oriented', 5), ...parts(121, 'No Response-ETT', 1), chart({ item: 220739, charted: 122, number: 4 }),
      chart({ item: 198, charted: 123, number: 11, unit: 'points' }), chart({ item: 198, charted: 124, number: 7, unit: 'points' }), chart({ item: 723, charted: 124, value: '1.0 ET/Trach', number: 1 }),
    ] })
    expect(observations.map(o => [o.concept, o.value, o.quality])).toEqual([['gcs', 15, 'valid'], ['gcs', 11, 'questionable'], ['gcs', 11, 'valid'], ['gcs', 7, 'questionable']])
    expect(source.notes.get('gcs-incomplete')).toBe(1)
  })

  test('knows a Glasgow score when its last part is stored, whichever row of the table that is', async () => {
    const { messages } = await replay({ charts: [chart({ item: 220739, charted: 120, stored: 130, number: 4 }), chart({ item: 223901, charted: 120, stored: 125, number: 6 }), chart({ item: 223900, charted: 120, stored: 128, value: 'Confused', number: 4 })] })
    expect(messages[1]).toMatchObject({ arrival: DAY + 130 * 60_000, event: { observations: [{ concept: 'gcs', value: 14, eventTime: DAY + 120 * 60_000 }] } })
  })

  test('reads urine where the table is there', async () => {
    const { messages } = await replay({ outputs: [`1,1,11,101,${at(120)},40055,39,ml,${at(158)},9,NA,NA,`, `2,1,11,101,${at(120)},40054,300,ml,${at(158)},9,NA,NA,`] })
    expect(told(messages).slice(1, -1)).toEqual(['1 158 urineOutput'])
  })

  test('keeps laboratory results of the week before a stay, and notes those of another time', async () => {
    const { messages, source } = await replay({ labs: [lab(50912, '2150-02-25 08:00:00', '1', 1), lab(50912, '2149-05-01 08:00:00', '1', 1), lab(50912, 700, '1', 1), lab(50912, 500, '1', 1)] })
    expect(told(messages).map(line => line.split(' ')[2])).toEqual(['creatinine', 'admit', 'creatinine', 'discharge'])
    expect(source.notes.get('outside-stay')).toBe(2)
  })

  test('moves each patient by whole days to a common beginning when asked', async () => {
    const { messages } = await replay({
      stays: [`1,1,11,101,MICU,${at(60)},${at(600)}`, '2,2,22,102,SICU,2180-07-07 00:30:00,2180-07-08 00:30:00'],
      charts: [chart({ subject: 2, item: 211, charted: '2180-07-07 02:00:00', number: 90 })],
    }, { timeline: 'aligned', startAt: DAY })
    expect(told(messages)).toEqual(['2 30 admit', '1 60 admit', '2 120 heartRate', '1 600 discharge', '2 1470 discharge'])
  })

  test('tells a part of the patients, and has a limit on what it holds', async () => {
    const charts = [chart({ item: 211, charted: 120, number: 80 }), chart({ subject: 2, item: 211, charted: 120, number: 81 })]
    expect((await replay({ charts }, { accept: id => id === '2' })).observations.map(o => o.value)).toEqual([81])
    await expect(replay({ charts }, { readingsMax: 1 })).rejects.toMatchObject({ code: 'FILE_INVALID' })
  })

  test('is told again from the beginning, and notes nothing twice', async () => {
    await using folder = await TemporaryFolder.of(filesOf({ charts: [chart({ item: 211, charted: 120, number: 80, error: '1' })] }))
    const source = await openMimic3(folder.path)
    const first = await all(source)
    expect(source.progress()).toBe(1)
    expect(await all(source)).toEqual(first)
    expect(source.notes.get('in-error')).toBe(1)
    expect(source.messages).toBe(first.length)
  })
})

describe('a folder that is not MIMIC-III', () => {
  test('does not exist, or lacks tables, or has another header', async () => {
    await using folder = await TemporaryFolder.of({ ...filesOf({}), 'labevents.csv': 'a,b\n' })
    await expect(openMimic3(folder.file('none'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
    await expect(openMimic3(folder.path)).rejects.toMatchObject({ code: 'FILE_INVALID', message: expect.stringContaining('labevents.csv is not MIMIC-III\'s labevents: column subject_id is missing') })
    await using empty = await TemporaryFolder.of({})
    await expect(openMimic3(empty.path)).rejects.toMatchObject({ code: 'FILE_INVALID', message: expect.stringContaining('chartevents.csv[.gz]') })
  })
})
