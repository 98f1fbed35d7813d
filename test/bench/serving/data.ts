import { featureView, last, type Feature, type FeatureView } from '../../../features/define/index.ts'
import type { OnlineRow } from '../../../features/online/index.ts'
import { onlineValue, ServingCatalogue, tableOf } from '../../../features/serving/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { SeededRandom } from '../../kit/random.ts'

export const ENTITIES = 10_000
const VIEWS = 5
const FEATURES_A_VIEW = 10
/** Features share readings: so many event times in a vector of ten. */
const TIMES_A_VECTOR = 3

/** `v0:v0F0` to `v4:v4F9`. */
export const FEATURE_NAMES: readonly string[] = Array.from({ length: VIEWS * FEATURES_A_VIEW }, (_, i) => `v${Math.floor(i / FEATURES_A_VIEW)}:v${Math.floor(i / FEATURES_A_VIEW)}F${i % FEATURES_A_VIEW}`)
export const entityOf = (i: number): string => `p${i}`

const views: readonly FeatureView[] = Array.from({ length: VIEWS }, (_, v) => featureView({
  name: `v${v}`, version: 1, owner: 'bench', description: 'ten features', ttl: '1 d', emit: { every: '10 s' },
  features: Object.fromEntries(Array.from({ length: FEATURES_A_VIEW }, (_f, f): [string, Feature] => [`v${v}F${f}`, last('heartRate')])),
}))
export const CATALOGUE: ServingCatalogue = new ServingCatalogue(views, [{ name: 'all50', description: 'all of them', features: FEATURE_NAMES }])

/** All rows of entities [from, to): standard normal values, as the peer's data has them. */
export function rowsOf (from: number, to: number, version: number): OnlineRow[] {
  const random = new SeededRandom(from * 31 + version)
  const now = systemClock.now()
  const rows: OnlineRow[] = []
  const values = new Float64Array(FEATURES_A_VIEW)
  const times = new Float64Array(FEATURES_A_VIEW)
  for (let e = from; e < to; e++) {
    for (const view of views) {
      for (let f = 0; f < FEATURES_A_VIEW; f++) {
        values[f] = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
        times[f] = now - 1_000 - (f % TIMES_A_VECTOR) * 7_000 - e
      }
      rows.push({ table: tableOf(view), entity: entityOf(e), version, value: onlineValue({ type: 'vector', view: view.name, version: 1, asOf: now, trigger: 'device', values, times }) })
    }
  }
  return rows
}
