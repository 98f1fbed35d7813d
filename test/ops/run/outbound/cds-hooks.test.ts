import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { PatientSummary } from '../../../../dashboards/server/index.ts'
import { openCdsHooks, standingOf } from '../../../../ops/run/outbound/cds-hooks.ts'
import type { PatientKey } from '../../../../streams/events/index.ts'
import { systemClock } from '../../../../streams/time/index.ts'
import { tempDir } from '../../../kit/temp-dir.ts'

const MRN = 'urn:hospital:mrn'
const KEY = 'key-1' as PatientKey

let directory: ReturnType<typeof tempDir>
beforeEach(() => { directory = tempDir() })
afterEach(() => { directory.remove() })

function fileOf (content: unknown): string {
  const file = join(directory.path, 'cds.json')
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

function summary (now: number): PatientSummary {
  return {
    patient: KEY, ward: 'W1', bed: '4', admitted: true, ageYears: 70, sex: 'female', news2: { score: 6, missing: [], asOf: now }, score: null, alerts: [],
    readings: [{ concept: 'heartRate', value: 120, unit: '/min', eventTime: now - 300_000, stale: false }, { concept: 'spo2', value: 91, unit: '%', eventTime: now - 120_000, stale: false }],
  }
}

const open = async (content: unknown): ReturnType<typeof openCdsHooks> => await openCdsHooks(fileOf(content), {
  vault: { keyOf: id => id === 'M1' ? KEY : undefined }, patient: key => Promise.resolve(key === KEY ? summary(systemClock.now()) : undefined), acknowledge: () => Promise.resolve(true), count: () => {}, clock: systemClock,
})

it('shows a patient of the board who is known by the identifier of a configured system', async () => {
  await using service = await open({ namespaces: { [MRN]: '' } })
  const ask = async (value: string): Promise<unknown> => {
    const body = { hook: 'patient-view', hookInstance: '1', context: { patientId: 'p' }, prefetch: { patient: { resourceType: 'Patient', id: 'p', identifier: [{ system: MRN, value }] } } }
    return await (await fetch(`${service.endpoint}/latido-patient-view`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).json()
  }
  expect(await ask('M1')).toMatchObject({ cards: [{ summary: 'NEWS2 6, newest reading 2 min ago', indicator: 'warning' }] })
  expect(await ask('M2')).toEqual({ cards: [] })
})

it('says how old the newest reading is, and nothing where there is none', () => {
  expect(standingOf(summary(1_000_000)).newestReading).toBe(880_000)
  expect(standingOf({ ...summary(1_000_000), readings: [], news2: null })).toMatchObject({ newestReading: undefined, news2: undefined, risk: undefined })
})

it.each(['nonsense', '[]', '{"port":"x"}', '{"namespaces":{"a":1}}', '{"prot":1}'])('refuses a file with %s, saying where', async content => {
  await expect(open(content)).rejects.toMatchObject({ code: 'FILE_INVALID' })
})
