import type { PatientKey } from '../../streams/events/index.ts'
import type { ArrivalTimeMs } from '../../streams/time/index.ts'
import { viewKey, type FeatureView } from '../define/index.ts'
import type { OnlineStore } from '../online/index.ts'
import { packVector, unpackVector } from '../vector-codec.ts'
import type { FeatureValue, FeatureVector } from '../vector.ts'

/** One view's values of one entity, as served: `asOf` null where nothing was ever stored. */
export interface ServedVector { readonly view: string, readonly version: number, readonly asOf: ArrivalTimeMs | null, readonly features: readonly FeatureValue[] }

/** The online table of a view has its key as its name. */
export const tableOf: typeof viewKey = viewKey

/** How a vector stands in the online store: its asOf, then the packed vector. */
export function onlineValue (vector: FeatureVector): Buffer {
  const packed = packVector(vector)
  const value = Buffer.allocUnsafe(8 + packed.length)
  value.writeDoubleLE(vector.asOf, 0)
  packed.copy(value, 8)
  return value
}

/** Reads a view for entities as of `now`: age of each value, and the view's TTL applied. One read of the store, so no half of an update is seen. */
export async function readView (store: OnlineStore, view: FeatureView, patients: readonly PatientKey[], now: ArrivalTimeMs): Promise<readonly ServedVector[]> {
  const rows = await store.get([tableOf(view)], patients)
  return rows.map(([row]) => {
    const asOf = row === undefined ? null : row.value.readDoubleLE(0)
    const vector = row === undefined ? undefined : unpackVector(row.value.subarray(8))
    const fresh = asOf !== null && now - asOf <= view.ttlMs
    return { view: view.name, version: view.version, asOf, features: view.names.map((name, i) => served(name, view.units[i]!, fresh ? vector?.values[i] : undefined, vector?.times[i], now)) }
  })
}

function served (name: string, unit: string, value: number | undefined, time: number | undefined, now: ArrivalTimeMs): FeatureValue {
  if (value === undefined || Number.isNaN(value)) return { name, unit, present: false, value: null, eventTime: null, ageMs: null }
  const eventTime = time === undefined || Number.isNaN(time) ? null : time
  return { name, unit, present: true, value, eventTime, ageMs: eventTime === null ? null : Math.max(0, now - eventTime) }
}
