import { writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { openPhysionet2019, type HistoricalMessage } from '../../../../connectors/files/index.ts'
import { MEASURED_COLUMNS } from '../../../../connectors/files/physionet2019/columns.ts'
import type { RefusedInput } from '../../../../connectors/kit/port.ts'
import { all, TemporaryFolder } from '../folder.ts'

const HOUR_MS = 3_600_000
const T0 = Date.UTC(2019, 0, 1)
const COLUMNS = [...MEASURED_COLUMNS, 'Age', 'Gender', 'Unit1', 'Unit2', 'HospAdmTime', 'ICULOS', 'SepsisLabel']
const HEADER = `pid,${COLUMNS.join(',')}`

type Cells = Readonly<Record<string, number | string>>
const STAY: Cells = { Age: 61.5, Gender: 1, Unit1: 1, Unit2: 0, HospAdmTime: -3.5, SepsisLabel: 0 }

function row (pid: string, hour: number | string, cells: Cells = {}): string {
  const all: Cells = { ...STAY, ICULOS: hour, ...cells }
  return [pid, ...COLUMNS.map(column => all[column] ?? '')].join(',')
}

async function replay (rows: readonly string[], options: Parameters<typeof openPhysionet2019>[1] = {}): Promise<{ messages: HistoricalMessage[], refused: RefusedInput[] }> {
  await using folder = await TemporaryFolder.of({ 'set.csv': `${[HEADER, ...rows].join('\n')}\n` })
  const refused: RefusedInput[] = []
  const source = await openPhysionet2019(folder.file('set.csv'), { ...options, onRefused: r => { refused.push(r) } })
  return { messages: await all(source), refused }
}

const told = (messages: readonly HistoricalMessage[]): string[] => messages.map(({ patientId, arrival, event }) => `${patientId} ${(arrival - T0) / HOUR_MS} ${event.type === 'encounter' ? event.action : event.type}`)

function valuesOf (message: HistoricalMessage | undefined): Record<string, number> {
  return message?.event.type === 'observations' ? Object.fromEntries(message.event.observations.map(o => [o.concept, o.value])) : {}
}

describe('a PhysioNet 2019 table', () => {
  test('is told hour by hour over all patients, each stay from an admission to a discharge', async () => {
    const { messages } = await replay([row('a', 1), row('a', 2), row('b', 2), row('b', 3)])
    expect(told(messages)).toEqual(['a 0 admit', 'b 1 admit', 'a 1 observations', 'a 2 observations', 'b 2 observations', 'a 3 discharge', 'b 3 observations', 'b 4 discharge'])
  })

  test('tells an empty row as an empty set, since every row is a moment to judge', async () => {
    const { messages } = await replay([row('a', 1)])
    expect(messages[1]?.event).toEqual({ type: 'observations', kind: 'charted', source: 'file:physionet2019', observations: [] })
  })

  test('admits with age, sex, unit and the hours in hospital before', async () => {
    const { messages } = await replay([row('a', 4)])
    expect(messages[0]).toEqual({
      patientId: 'a',
      arrival: T0 + 3 * HOUR_MS,
      event: { type: 'encounter', action: 'admit', eventTime: T0 + 3 * HOUR_MS, source: 'file:physionet2019', ward: 'MICU', bed: '', ageYears: 61.5, sex: 'male', hoursSinceHospitalAdmission: 3.5 },
    })
  })

  test('says unknown where the stay does not say, and 90 for the very old', async () => {
    const { messages } = await replay([row('a', 1, { Age: '', Gender: '', Unit1: '', Unit2: '', HospAdmTime: '' }), row('b', 1, { Age: 93, Unit1: 0, Unit2: 1, HospAdmTime: 2 })])
    expect(messages[0]?.event).toMatchObject({ ward: '', ageYears: -1, sex: 'unknown', hoursSinceHospitalAdmission: -1 })
    expect(messages[1]?.event).toMatchObject({ ward: 'SICU', ageYears: 90, hoursSinceHospitalAdmission: 0 })
  })

  test('has every measured column as a concept, with inspired oxygen in percent either way', async () => {
    const cells = Object.fromEntries(MEASURED_COLUMNS.map(column => [column, 20]))
    const possible = { ...cells, HR: 97, O2Sat: 88.5, Temp: 36.11, SBP: 98, MAP: 75.33, DBP: 43, FiO2: 0.28, pH: 7.36, Chloride: 101, Potassium: 4.1, Magnesium: 2 }
    const { messages, refused } = await replay([row('a', 1, possible), row('a', 2, { FiO2: 40 })])
    expect(refused).toEqual([])
    expect(Object.keys(valuesOf(messages[1]))).toHaveLength(34)
    expect(valuesOf(messages[1])).toMatchObject({ heartRate: 97, spo2: 88.5, temperature: 36.11, meanPressure: 75.33, fio2: 28.000000000000004, ph: 7.36, platelets: 20 })
    expect(valuesOf(messages[2])).toEqual({ fio2: 40 })
  })

  test('refuses an impossible and an unreadable value alone, and says where without saying what', async () => {
    const { messages, refused } = await replay([row('a', 1, { HR: 999, Temp: 37, Lactate: 'high' })])
    expect(valuesOf(messages[1])).toEqual({ temperature: 37 })
    expect(refused.map(r => [r.cause, r.detail, r.source])).toEqual([['value-impossible', 'set.csv, line 2, column HR', 'file:physionet2019'], ['value-unparsable', 'set.csv, line 2, column Lactate', 'file:physionet2019']])
    expect(refused[0]?.raw.toString()).toBe(row('a', 1, { HR: 999, Temp: 37, Lactate: 'high' }))
  })

  test('refuses rows without patient or hour, twice the same hour, an hour that goes back, and a row of another width', async () => {
    const { messages, refused } = await replay([row('', 1), row('a', ''), row('a', 1.5), row('a', 0), row('a', 5), row('a', 5), row('a', 4), 'a,1,2', row('a', 6)])
    expect(refused.map(r => r.cause)).toEqual(['patient-missing', 'time-unparsable', 'time-unparsable', 'time-unparsable', 'duplicate', 'malformed', 'malformed'])
    expect(told(messages)).toEqual(['a 4 admit', 'a 5 observations', 'a 6 observations', 'a 7 discharge'])
  })

  test('joins the rows of a patient that stand apart', async () => {
    const { messages } = await replay([row('a', 1), row('b', 1), row('a', 2)])
    expect(told(messages).filter(line => line.startsWith('a'))).toEqual(['a 0 admit', 'a 1 observations', 'a 2 observations', 'a 3 discharge'])
  })

  test('lets no label into an event: two files that differ in the label only are told alike', async () => {
    const rows = (label: number): string[] => [1, 2, 3].map(hour => row('a', hour, { HR: 90, SepsisLabel: label }))
    expect((await replay(rows(1))).messages).toEqual((await replay(rows(0))).messages)
  })

  test('begins at another moment, and tells a part of the patients, when told so', async () => {
    const { messages } = await replay([row('a', 1), row('b', 1)], { startAt: 1000, accept: id => id === 'b' })
    expect(messages.map(m => [m.patientId, m.arrival])).toEqual([['b', 1000], ['b', 1000 + HOUR_MS], ['b', 1000 + 2 * HOUR_MS]])
  })

  test('is told again from the beginning, with its progress', async () => {
    await using folder = await TemporaryFolder.of({ 'set.csv.gz': [HEADER, row('a', 1), row('a', 2)].join('\r\n') })
    const read: number[] = []
    const source = await openPhysionet2019(folder.file('set.csv.gz'), { onRead: (bytes, total) => { read.push(bytes / total) } })
    expect(read.at(-1)).toBe(1)
    expect(source).toMatchObject({ messages: 4, patients: 1 })
    const shares: number[] = []
    for await (const _ of source) shares.push(source.progress())
    expect(shares).toEqual([0.25, 0.5, 0.75, 1])
    expect(await all(source)).toHaveLength(4)
  })
})

describe('a folder of .psv files', () => {
  const psv = (hour: number, cells: Cells): string => `${COLUMNS.join('|')}\n${COLUMNS.map(column => ({ ...STAY, ICULOS: hour, ...cells } as Cells)[column] ?? 'NaN').join('|')}\n`

  test('is read as the challenge publishes it, each file a patient', async () => {
    await using folder = await TemporaryFolder.of({ 'p2.psv': psv(1, { HR: 80 }), 'p1.psv': psv(1, { HR: 70 }), 'note.txt': 'x' })
    const messages = await all(await openPhysionet2019(folder.path))
    expect(told(messages)).toEqual(['p1 0 admit', 'p2 0 admit', 'p1 1 observations', 'p2 1 observations', 'p1 2 discharge', 'p2 2 discharge'])
    expect(valuesOf(messages[2])).toEqual({ heartRate: 70 })
  })

  test('names no file in a refusal, since a file is named after its patient', async () => {
    await using folder = await TemporaryFolder.of({ 'secret.psv': psv(1, { HR: 7000 }) })
    const details: string[] = []
    await openPhysionet2019(folder.path, { onRefused: r => { details.push(r.detail) } })
    expect(details).toHaveLength(1)
    expect(details[0]).toMatch(/^file 1 of .*, line 2, column HR$/)
    expect(details[0]).not.toContain('secret')
  })

  test('without any is not the data set', async () => {
    await using folder = await TemporaryFolder.of({ 'note.txt': 'x' })
    await expect(openPhysionet2019(folder.path)).rejects.toMatchObject({ code: 'FILE_INVALID' })
  })
})

describe('a file that cannot be read', () => {
  test('is missing', async () => {
    await using folder = await TemporaryFolder.of({})
    await expect(openPhysionet2019(folder.file('none.csv.gz'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE', message: 'none.csv.gz does not exist' })
  })

  test('is cut off, before the first message', async () => {
    await using folder = await TemporaryFolder.of({})
    const packed = gzipSync([HEADER, ...Array.from({ length: 500 }, (_, i) => row('a', i + 1, { HR: 60 + i % 50 }))].join('\n'))
    await writeFile(folder.file('cut.csv.gz'), packed.subarray(0, packed.length - 100))
    await expect(openPhysionet2019(folder.file('cut.csv.gz'))).rejects.toMatchObject({ code: 'FILE_INVALID', message: expect.stringContaining('cut.csv.gz is damaged or cut off') })
  })

  test('is named .gz and is not, is empty, or has another header', async () => {
    await using folder = await TemporaryFolder.of({ 'empty.csv': '', 'other.csv': 'a,b\n1,2\n', 'open.csv': '"a,b\n' })
    await writeFile(folder.file('plain.csv.gz'), HEADER)
    for (const [name, message] of [['plain.csv.gz', 'not gzip'], ['empty.csv', 'is empty'], ['other.csv', 'column pid is missing and 37 more'], ['open.csv', 'first line has no end']] as const) {
      await expect(openPhysionet2019(folder.file(name)), name).rejects.toMatchObject({ code: 'FILE_INVALID', message: expect.stringContaining(message) })
    }
  })
})
