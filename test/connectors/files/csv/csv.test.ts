import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FILES_OPTIONS } from '../../../../connectors/files/index.ts'
import { fieldsOf } from '../../../../connectors/files/csv/row.ts'
import { parseTime } from '../../../../connectors/files/csv/time.ts'
import { LiveMapping, PLAIN_MAPPING } from '../../../../connectors/kit/index.ts'
import { zoneToUtc } from '../../../../streams/time/index.ts'
import { TemporaryFolder } from '../folder.ts'
import { LONG, NOW_MS, trial, valuesOf } from '../support.ts'

const WIDE = { format: 'csv', csv: { delimiter: ';', decimal: ',', patient: 'Patient', time: 'Zeit', timeFormat: 'dmy', zone: 'Europe/Berlin', columns: { Puls: { code: 'HR', unit: '/min' }, 'Temp. (F)': { code: 'TEMP', unit: '[degF]' }, AVPU: { code: 'ACVPU' } } } }

async function taken (raw: object, text: string, more: Parameters<typeof trial>[1] = {}): Promise<ReturnType<typeof trial>['intake']> {
  await using folder = await TemporaryFolder.of({ 'a.csv': text })
  const { intake, take } = trial(raw, more)
  await take(folder.file('a.csv'))
  return intake
}

describe('a CSV file in long form', () => {
  it('has a value a row: quotes, a byte order mark, line ends within quotes, CR LF', async () => {
    const intake = await taken(LONG, '\ufeffmrn,at,"test",result,unit,"said ""twice"""\r\n"P,1",2026-03-14T08:30:00+01:00,HR,60,/min,"a\nb"\r\nP2,2026-03-14 08:31,LACT,"<0.5",mmol/L,x\r\n', { mapping: { ...PLAIN_MAPPING, zone: 'Europe/Madrid' } })
    expect(intake.published).toMatchObject([
      { patient: { id: 'P,1' }, source: 'file:csv', event: { type: 'observations', kind: 'laboratory', observations: [{ concept: 'heartRate', value: 60, comparator: '=', eventTime: Date.UTC(2026, 2, 14, 7, 30) }] } },
      { patient: { id: 'P2' }, event: { observations: [{ concept: 'lactate', value: 0.5, comparator: '<', eventTime: Date.UTC(2026, 2, 14, 7, 31) }] } },
    ])
    expect(intake.refused).toEqual([])
  })

  it('has its bad rows among the dead letters, each with its line and nothing of what it says', async () => {
    const intake = await taken(LONG, [
      'mrn,at,test,result,unit', ',2026-03-14T08:30:00Z,HR,60,/min', 'P1,soon,HR,61,/min', 'P1,2026-03-14T08:30:00Z,HR,many,/min', 'P1,2026-03-14T08:30:00Z,HR,62,kg', 'P1,2026-03-14T08:30:00Z,HR,9999,/min',
      'P1,2026-03-14T08:30:00Z,HR', 'P1,2036-03-14T08:30:00Z,HR,63,/min', 'P1,1970-01-01T00:00:00Z,HR,64,/min', 'P1,2026-03-14,HR,65,/min', 'P1,2026-03-14T08:30:00Z,HR,66,/min', '"P1,2026-03-14T08:30:00Z,HR,67,/min', '',
    ].join('\n'))
    expect(valuesOf(intake)).toEqual([66])
    expect(intake.refused.map(({ cause, detail }) => [cause, detail])).toEqual([
      ['patient-missing', 'line 2, column mrn'], ['time-unparsable', 'line 3, column at'], ['value-unparsable', 'line 4, column result'], ['unit-unknown', 'line 5, column result: the unit is not one of this code'], ['value-impossible', 'line 6, column result'],
      ['malformed', 'line 7: 3 fields instead of 5'], ['time-in-future', 'line 8, column at'], ['time-implausible', 'line 9, column at: before 1971'], ['time-unparsable', 'line 10, column at'], ['malformed', 'line 12: a quote is never closed'],
    ])
  })

  it('maps an unknown code once the table knows it, when its dead letter is retried', async () => {
    await using folder = await TemporaryFolder.of({ 'a.csv': 'mrn,at,test,result,unit\nP1,2026-03-14T08:30:00Z,PULS,60,/min\nP1,2026-03-14T08:31:00Z,PULS,61,/min\n' })
    const table = new LiveMapping({ mapping: PLAIN_MAPPING, now: () => NOW_MS, seen: [] })
    const { intake, feed, take } = trial(LONG, { table })
    await take(folder.file('a.csv'))
    expect(intake.refused.map(({ cause }) => cause)).toEqual(['code-unknown', 'code-unknown'])
    expect(table.seen).toMatchObject([{ code: 'PULS', count: 2 }])
    table.replace({ ...PLAIN_MAPPING, codes: new Map([['PULS', { concept: 'heartRate' }]]) })
    for (const { raw } of intake.refused) expect(await feed.retry(raw)).toMatchObject({ kind: 'taken', published: 1 })
    expect(valuesOf(intake)).toEqual([60, 61])
    expect(await feed.retry(intake.refused[0]!.raw)).toMatchObject({ kind: 'taken', published: 0, duplicates: 1 })
  })

  it('whose header is another is refused before its first row, with a word on the delimiter', async () => {
    await expect(taken(LONG, 'mrn;at;test;result;unit\nP1;x;y;1;2\n')).rejects.toMatchObject({ code: 'FILE_INVALID', message: expect.stringContaining('one column') as string, action: expect.stringContaining('delimiter') as string })
    await expect(taken(LONG, 'mrn,at,test,result\nP1,x,y,1\n')).rejects.toMatchObject({ code: 'FILE_INVALID', message: expect.stringContaining('lacks the column "unit"') as string })
    await expect(taken(LONG, 'mrn,at,test,result,unit,unit\nP1,x,y,1,2,3\n')).rejects.toMatchObject({ code: 'FILE_INVALID', message: expect.stringContaining('twice') as string })
  })
})

describe('a CSV file in wide form', () => {
  it('has a set of values a row; what is empty is not 0; decimal commas and words are read', async () => {
    const intake = await taken(WIDE, 'Patient;Zeit;Puls;Temp. (F);AVPU;Bemerkung\nP1;14.03.2026 08:30;60;99,5;alert;gut\nP1;14.03.2026 08:31;;NA;V;\nP1;14.03.2026 08:32;;;;nichts\n')
    expect(intake.published.map(({ event }) => event.type === 'observations' ? event.observations.map(({ concept, value }) => [concept, Math.round(value * 10) / 10]) : [])).toEqual([[['heartRate', 60], ['temperature', 37.5], ['consciousness', 0]], [['consciousness', 2]]])
    expect(intake.published[0]!.event).toMatchObject({ kind: 'charted', observations: [{ eventTime: Date.UTC(2026, 2, 14, 7, 30) }, {}, {}] })
    expect(intake.counts.get('row-without-values')).toBe(1)
    expect(intake.refused).toEqual([])
  })

  it('keeps the value that it cannot take as a letter of its own, and the retry publishes that one alone', async () => {
    const raw = { format: 'csv', csv: { patient: 'p', time: 't', columns: { A: { code: 'HR', unit: '/min' }, B: { code: 'BEAT', unit: '/min' } } } }
    await using folder = await TemporaryFolder.of({ 'a.csv': 'p,t,A,B\nP1,2026-03-14T08:30:00Z,60,70\n' })
    const table = new LiveMapping({ mapping: PLAIN_MAPPING, now: () => NOW_MS, seen: [] })
    const { intake, feed, take } = trial(raw, { table })
    await take(folder.file('a.csv'))
    expect(valuesOf(intake)).toEqual([60])
    expect(intake.refused).toMatchObject([{ cause: 'code-unknown', detail: 'line 2, column B: no concept has this code' }])
    expect(await feed.retry(intake.refused[0]!.raw)).toMatchObject({ kind: 'refused' })
    table.replace({ ...PLAIN_MAPPING, codes: new Map([['BEAT', { concept: 'heartRate' }]]) })
    expect(await feed.retry(intake.refused[0]!.raw)).toMatchObject({ kind: 'taken', published: 1 })
    expect(valuesOf(intake)).toEqual([60, 70])
  })
})

describe('what a feed may say of CSV', () => {
  it('is one form or the other', () => {
    const csv = { patient: 'p', time: 't' }
    for (const wrong of [csv, { ...csv, code: 'c' }, { ...csv, code: 'c', value: 'v', columns: { A: { code: 'HR' } } }, { ...csv, columns: { A: { code: 'HR' } }, unit: 'u' }, { ...csv, code: 'c', value: 'v', zone: 'Mars/Base' }]) expect(FILES_OPTIONS.safeParse({ format: 'csv', csv: wrong }).success).toBe(false)
    expect(FILES_OPTIONS.safeParse({ format: 'csv' }).success).toBe(false)
    expect(FILES_OPTIONS.safeParse({ format: 'hl7', csv: { ...csv, code: 'c', value: 'v' } }).success).toBe(false)
    expect(FILES_OPTIONS.safeParse({ format: 'csv', csv: { ...csv, code: 'c', value: 'v' } }).success).toBe(true)
  })

  it('names the form of times, and none is guessed', () => {
    const at = Date.UTC(2026, 2, 4, 8, 30)
    expect(parseTime('2026-03-04T08:30Z', 'iso', 'UTC')).toBe(at)
    expect(parseTime('2026-03-04 08:30:00.500+0100', 'iso', 'UTC')).toBe(at - 3_600_000 + 500)
    expect(parseTime('4.3.2026 8:30', 'dmy', 'UTC')).toBe(at)
    expect(parseTime('03/04/2026 08:30', 'mdy', 'UTC')).toBe(at)
    expect(parseTime(String(at / 1_000), 'epoch-s', 'UTC')).toBe(at)
    expect(parseTime(String(at), 'epoch-ms', 'UTC')).toBe(at)
    for (const wrong of ['', '2026-02-30 08:30', '2026-03-04 24:01', '2026-03-04T08:30+25:00', '4.3.2026 8:30']) expect(parseTime(wrong, 'iso', 'UTC'), wrong).toBeUndefined()
  })

  it('has each wall time where its zone has it, also about a change of clocks', () => {
    fc.assert(fc.property(fc.constantFrom('Europe/Madrid', 'America/St_Johns', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'UTC'), fc.integer({ min: Date.UTC(1995, 0, 1) / 60_000, max: Date.UTC(2030, 0, 1) / 60_000 }), (zone, minute) => {
      const wall = minute * 60_000
      expect(parseTime(new Date(wall).toISOString().slice(0, 16), 'iso', zone)).toBe(zoneToUtc(wall, zone))
    }), { numRuns: 400 })
    for (let minute = 0; minute < 240; minute++) {
      const wall = Date.UTC(2026, 9, 25) + minute * 60_000
      expect(parseTime(new Date(wall).toISOString().slice(0, 16), 'iso', 'Europe/Madrid')).toBe(zoneToUtc(wall, 'Europe/Madrid'))
    }
  })

  it('reads back any fields that were written by the rule', () => {
    fc.assert(fc.property(fc.array(fc.string(), { minLength: 2, maxLength: 6 }), fc.constantFrom(',', ';', '|', '\t'), (fields, delimiter) => {
      const text = fields.map(field => /["\n\r]/.test(field) || field.includes(delimiter) ? `"${field.replaceAll('"', '""')}"` : field).join(delimiter)
      expect(fieldsOf(text, delimiter as ',')).toEqual(fields)
    }))
  })
})
