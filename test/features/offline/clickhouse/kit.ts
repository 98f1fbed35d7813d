import { describe } from 'vitest'
import { startEngine } from '../../../../features/offline/index.ts'
import type { Engine } from '../../../../features/offline/index.ts'
import type { ObservationsRow, OfflineBatch } from '../../../../features/offline/index.ts'
import { OfflineBatchBuilder } from '../../../../features/offline/index.ts'
import type { PatientKey } from '../../../../streams/events/index.ts'
import { systemClock } from '../../../../streams/time/index.ts'
import { tempDir } from '../../../kit/temp-dir.ts'

/** Platforms for which chdb is published; elsewhere the suite says that it is skipped. In CI on linux x64 a missing engine fails. */
const PLATFORMS: readonly string[] = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64']
const platform = `${process.platform}-${process.arch}`
const required = process.env['CI'] !== undefined && platform === 'linux-x64'

async function engineExists (): Promise<boolean> {
  try { await import('chdb/libchdb').then(({ libchdbPath }) => libchdbPath()); return PLATFORMS.includes(platform) } catch { return false }
}

const exists = await engineExists()
if (!exists) console.warn(`SKIPPED: no embedded ClickHouse engine (chdb) on ${platform}; the offline store was not tested`)

/** A suite that needs the real engine. */
export const describeWithEngine: typeof describe.skip = exists || required ? describe : describe.skip

export interface TestEngine extends AsyncDisposable { readonly engine: Engine, readonly directory: string }

export async function startTestEngine (): Promise<TestEngine> {
  const dir = tempDir()
  const started = await startEngine({ directory: dir.path, clock: systemClock })
  if (started.kind === 'off') throw new Error(started.why)
  const { engine } = started
  return { engine, directory: dir.path, [Symbol.asyncDispose]: async () => { await engine[Symbol.asyncDispose](); dir.remove() } }
}

/** Noon of 15 January 2026 UTC, and 123 ms: the milliseconds must survive. */
export const NOON: number = Date.UTC(2026, 0, 15, 12, 0, 0, 123)
export const PATIENT: PatientKey = 'patient-a' as PatientKey

export function observationsAt (offset: number, more: Partial<ObservationsRow> = {}): ObservationsRow {
  return {
    patient: PATIENT, arrival: NOON + offset, kind: 'device', source: 'mqtt:monitor', partition: 0, offset,
    observations: [{ concept: 'heartRate', value: 60 + offset, comparator: '=', eventTime: NOON + offset, status: 'final', quality: 'valid', resultId: '' }],
    ...more,
  }
}

export function batchOf (parts: { readonly [K in keyof OfflineBatch]?: OfflineBatch[K] }): OfflineBatch { return { ...new OfflineBatchBuilder(), ...parts } }
