import { existsSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, test } from 'vitest'
import { PLAIN_MAPPING } from '../../../../connectors/kit/index.ts'
import { TemporaryFolder } from '../folder.ts'
import { trial, Tables, valuesOf } from '../support.ts'

const oru = (id: string, value: number): string => `MSH|^~\\&|LAB|N|LATIDO|N|20260314083000||ORU^R01|${id}|P|2.5.1\rPID|1||P1\rOBR|1|||VITALS\rOBX|1|NM|8867-4^HR^LN||${value}|/min|||||F|||20260314083000+0000\r`

describe('a file of HL7 messages', () => {
  it('is taken message by message, in batches or not; a trailer that counts otherwise is told, and all that came is taken', async () => {
    await using folder = await TemporaryFolder.of({ 'a.hl7': `FHS|^~\\&|LAB\rBHS|^~\\&|LAB\r${oru('1', 60)}${oru('2', 61)}BTS|3\rBHS|^~\\&|LAB\r${oru('3', 62)}BTS|1\rFTS|2\r`, 'b.jsonl': `${JSON.stringify({ msg: oru('4', 63) })}\n${JSON.stringify(oru('1', 60))}\n` })
    const { intake, said, take } = trial({ format: 'hl7' })
    expect(await take(folder.file('a.hl7'))).toEqual({ records: 3, before: 0 })
    expect(intake.counts.get('batch-count-wrong')).toBe(1)
    expect(said).toEqual([expect.stringMatching(/^a file \([0-9a-f]{12}\): line 11: BTS-1 counts 3 messages, 2 stand before it$/)])
    expect(await take(folder.file('b.jsonl'))).toEqual({ records: 2, before: 0 })
    expect(valuesOf(intake)).toEqual([60, 61, 62, 63])
    expect(intake.duplicates).toBe(1)
  })

  it('is refused where it is none, and a line that is no message ends it behind those before it', async () => {
    await using folder = await TemporaryFolder.of({ 'a.hl7': 'mrn,at\n1,2\n', 'b.jsonl': `${JSON.stringify({ msg: oru('1', 60) })}\nnothing\n` })
    await expect(trial({ format: 'hl7' }).take(folder.file('a.hl7'))).rejects.toMatchObject({ code: 'FILE_INVALID' })
    const { intake, take } = trial({ format: 'hl7' })
    await expect(take(folder.file('b.jsonl'))).rejects.toMatchObject({ code: 'FILE_INVALID', message: expect.not.stringContaining('/') as string })
    expect(valuesOf(intake)).toEqual([60])
  })
})

describe('a file of FHIR resources', () => {
  const heartRate = (id: string, value: number, patient: string): string => JSON.stringify({ resourceType: 'Observation', id, status: 'final', code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] }, subject: { reference: `Patient/${patient}` }, effectiveDateTime: '2026-03-14T08:30:00Z', valueQuantity: { value, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' } })
  const person = (id: string, mrn: string): string => JSON.stringify({ resourceType: 'Patient', id, identifier: [{ system: 'urn:mrn', value: mrn }] })
  const mapping = { ...PLAIN_MAPPING, namespaces: new Map([['urn:mrn', '']]) }

  it('finds whom it is about in the files beside it and in itself, and its dead letters are read alone', async () => {
    await using folder = await TemporaryFolder.of({ 'Patient.000.ndjson': `${person('p1', 'M1')}\n`, 'Observation.ndjson': `${heartRate('o1', 60, 'p1')}\n\n${person('p2', 'M2')}\n${heartRate('o2', 61, 'p2')}\n${heartRate('o3', 9_999, 'p1')}\nno json\n` })
    const { intake, feed, take } = trial({ format: 'fhir-ndjson' }, { mapping })
    expect(await take(folder.file('Observation.ndjson'))).toMatchObject({ records: 5 })
    expect(intake.published.filter(({ event }) => event.type === 'observations').map(({ patient }) => patient.id)).toEqual(['M1', 'M2'])
    expect(intake.refused.map(({ cause }) => cause).sort()).toEqual(['malformed', 'value-impossible'])
    expect(await feed.retry(intake.refused.find(({ cause }) => cause === 'value-impossible')!.raw)).toMatchObject({ kind: 'refused', fault: { cause: 'value-impossible' } })
  })
})

describe('recordings', () => {
  const PSV = 'HR|O2Sat|Temp|SBP|MAP|DBP|Resp|EtCO2|BaseExcess|HCO3|FiO2|pH|PaCO2|SaO2|AST|BUN|Alkalinephos|Calcium|Chloride|Creatinine|Bilirubin_direct|Glucose|Lactate|Magnesium|Phosphate|Potassium|Bilirubin_total|TroponinI|Hct|Hgb|PTT|WBC|Fibrinogen|Platelets|Age|Gender|Unit1|Unit2|HospAdmTime|ICULOS|SepsisLabel'
  const hour = (h: number, heartRate: number): string => `${heartRate}${'|NaN'.repeat(33)}|63|0|1|0|-2|${h}|0`

  it('of PhysioNet 2019 keep their hours from the beginning that is said, and are taken once', async () => {
    await using folder = await TemporaryFolder.of({ 'p000001.psv': `${PSV}\n${hour(1, 80)}\n${hour(2, 81)}\n` })
    const tables = new Tables()
    const { intake, take } = trial({ format: 'physionet2019', startAt: '2025-01-01T00:00:00Z' }, { tables })
    expect(await take(folder.path)).toEqual({ records: 4, before: 0 })
    expect(intake.published.map(({ patient, event }) => [patient.id, event.type])).toEqual([['p000001', 'encounter'], ['p000001', 'observations'], ['p000001', 'observations'], ['p000001', 'encounter']])
    expect(intake.published[1]!.event).toMatchObject({ observations: [{ concept: 'heartRate', value: 80, eventTime: Date.UTC(2025, 0, 1, 1) }] })
    expect(await trial({ format: 'physionet2019', startAt: '2025-01-01T00:00:00Z' }, { tables }).take(folder.path)).toEqual({ records: 4, before: 4 })
    const future = trial({ format: 'physionet2019', startAt: '2100-01-01T00:00:00Z' })
    await future.take(folder.path)
    expect(future.intake.published).toEqual([])
    expect(new Set(future.intake.refused.map(({ cause }) => cause))).toEqual(new Set(['time-in-future']))
  })

  it('that have grown are others: their records stand in another order', async () => {
    const row = (pid: string, h: number, heartRate: number): string => `${pid},${hour(h, heartRate).replaceAll('|', ',')}\n`
    await using folder = await TemporaryFolder.of({ 'set.csv': `pid,${PSV.replaceAll('|', ',')}\n${row('1', 1, 80)}` })
    const tables = new Tables()
    expect(await trial({ format: 'physionet2019' }, { tables }).take(folder.file('set.csv'))).toEqual({ records: 3, before: 0 })
    await appendFile(folder.file('set.csv'), row('2', 1, 90))
    const later = trial({ format: 'physionet2019' }, { tables })
    expect(await later.take(folder.file('set.csv'))).toEqual({ records: 6, before: 0 })
    expect([...valuesOf(later.intake)].sort()).toEqual([80, 90])
  })

  it('that are no recording are refused', async () => {
    await using folder = await TemporaryFolder.of({ 'notes.txt': 'x' })
    await expect(trial({ format: 'physionet2019' }).take(folder.path)).rejects.toMatchObject({ code: 'FILE_INVALID' })
    await expect(trial({ format: 'mimic3' }).take(folder.path)).rejects.toMatchObject({ code: 'FILE_INVALID' })
    await expect(trial({ format: 'mimic3' }).take(folder.file('nowhere'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  })

  const MIMIC = fileURLToPath(new URL('../../../../../shared/data/mimic3demo', import.meta.url))
  if (!existsSync(MIMIC)) console.warn('SKIPPED: an import of the MIMIC-III demo, because mimic3demo is not there')
  test.skipIf(!existsSync(MIMIC))('of MIMIC-III are taken whole, with all their times in the past', async () => {
    const { intake, take } = trial({ format: 'mimic3' })
    const { records } = await take(MIMIC)
    expect(records).toBeGreaterThan(10_000)
    expect(intake.published.length).toBe(records)
    expect(intake.refused).toEqual([])
  }, 120_000)
})
