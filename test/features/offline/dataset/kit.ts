import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FeatureView } from '../../../../features/define/index.ts'
import { featureView, last } from '../../../../features/define/index.ts'
import type { ClickHouseOffline } from '../../../../features/offline/index.ts'
import type { Trigger } from '../../../../features/vector.ts'
import type { PatientKey } from '../../../../streams/events/index.ts'
import { batchOf } from '../clickhouse/kit.ts'

/** Noon of 14 March 2026 UTC. */
export const NOON: number = Date.UTC(2026, 2, 14, 12)
export const MINUTE_MS = 60_000
export const iso = (ms: number): string => new Date(ms).toISOString()

export const signs: FeatureView = featureView({ name: 'signs', version: 1, owner: 'test', description: 'two numerics', ttl: '15 m', emit: { every: '10 s' }, features: { pulse: last('heartRate').within('10 m'), saturation: last('spo2').within('10 m') } })
export const blood: FeatureView = featureView({ name: 'blood', version: 3, owner: 'test', description: 'a laboratory value', ttl: '1 d', emit: { every: '10 s' }, features: { lactate: last('lactate').within('24 h') } })

export interface Sent { readonly patient?: string, readonly view?: FeatureView, readonly asOf: number, readonly arrival?: number, readonly offset: number, readonly values: readonly number[] }

/** Stores vectors; what is not said is patient a, view `signs`, arrived at its moment. */
export async function store (offline: ClickHouseOffline, sent: readonly Sent[]): Promise<void> {
  await offline.write(batchOf({
    vectors: sent.map(({ patient = 'a', view = signs, asOf, arrival = asOf, offset, values }) => ({
      patient: patient as PatientKey, arrival, partition: 0, offset,
      vector: { type: 'vector' as const, view: view.name, version: view.version, asOf, trigger: 'device' as Trigger, values: Float64Array.from(values), times: Float64Array.from(values, () => asOf) },
    })),
  }))
}

export function labelFile (folder: string, text: string, name: string = 'labels.csv'): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
