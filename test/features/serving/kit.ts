import { featureView, last, type FeatureView } from '../../../features/define/index.ts'
import { openEmbeddedOnlineStore, type OnlineRow, type OnlineStore } from '../../../features/online/index.ts'
import { onlineValue, tableOf } from '../../../features/serving/index.ts'
import type { ConceptId } from '../../../streams/events/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'

const CONCEPTS: readonly ConceptId[] = ['heartRate', 'spo2', 'systolic', 'diastolic', 'temperature', 'lactate', 'creatinine', 'glucose', 'sodium', 'potassium']

/** A view of the latest values of `count` concepts. */
export function latestView (name: string, { version = 1, count = 3, ttl = '1 m' as const, entity }: { readonly version?: number, readonly count?: number, readonly ttl?: '1 m' | '1 h' | '1 d', readonly entity?: FeatureView['entity'] } = {}): FeatureView {
  return featureView({ name, version, ...(entity === undefined ? {} : { entity }), owner: 'test', description: `view ${name}`, ttl, emit: { every: '1 s' }, features: Object.fromEntries(CONCEPTS.slice(0, count).map(c => [`${c}Last`, last(c)])) })
}

/** The row of one vector. */
export function rowOf (view: FeatureView, entity: string, asOf: number, values: readonly number[], times: readonly number[], version: number = asOf): OnlineRow {
  return { table: tableOf(view), entity, version, value: onlineValue({ type: 'vector', view: view.name, version: view.version, asOf, trigger: 'device', values: Float64Array.from(values), times: Float64Array.from(times) }) }
}

/** An embedded store of a test's own. */
export function tempStore (): OnlineStore {
  const directory = tempDir()
  const store = openEmbeddedOnlineStore(directory.path)
  return { put: rows => store.put(rows), get: (t, e) => store.get(t, e), scan: t => store.scan(t), erase: e => store.erase(e), [Symbol.asyncDispose]: async () => { await store[Symbol.asyncDispose](); directory.remove() } }
}
