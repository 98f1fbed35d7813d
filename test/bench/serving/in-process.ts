import type { OnlineStore } from '../../../features/online/index.ts'
import { FeatureReader } from '../../../features/serving/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { SeededRandom } from '../../kit/random.ts'
import { quantile } from '../measure.ts'
import { CATALOGUE, ENTITIES, entityOf, FEATURE_NAMES, rowsOf } from './data.ts'

/** Reads in this process, one after the other; every value and its age are looked at. Answers the p50 in ms. */
export async function readInProcess (store: Pick<OnlineStore, 'get'>, batch: number, seconds: number): Promise<number> {
  const reader = new FeatureReader({ store, catalogue: CATALOGUE, clock: systemClock })
  const selection = reader.select({ features: FEATURE_NAMES })
  const random = new SeededRandom(batch)
  const asked = Array.from({ length: 500 }, () => Array.from({ length: batch }, () => entityOf(random.below(ENTITIES))))
  const latencies: number[] = []
  let seen = 0
  const loop = async (until: number, record: boolean): Promise<void> => {
    for (let i = 0; i === 0 || performance.now() < until; i++) {
      const started = performance.now()
      const table = await reader.read(selection, asked[i % asked.length]!)
      for (let e = 0; e < batch; e++) for (let c = 0; c < FEATURE_NAMES.length; c++) if (table.value(e, c) === table.value(e, c) && table.ageMs(e, c) >= 0) seen++
      if (record) latencies.push(performance.now() - started)
    }
  }
  await loop(performance.now() + Math.min(300, seconds * 300), false)
  seen = 0
  await loop(performance.now() + seconds * 1_000, true)
  if (seen !== latencies.length * batch * FEATURE_NAMES.length) throw new Error(`${seen} values were there of ${latencies.length} reads`)
  return quantile(latencies, 0.5)
}

const WRITE_ENTITIES = 1_000

/** Vectors of all entities packed and written through the port, batch after batch. Answers entities a second. */
export async function write (store: OnlineStore, version: number): Promise<number> {
  let spentMs = 0
  for (let from = 0; from < ENTITIES; from += WRITE_ENTITIES) {
    const rows = rowsOf(from, from + WRITE_ENTITIES, version)
    const started = performance.now()
    await store.put(rows)
    spentMs += performance.now() - started
  }
  return ENTITIES / (spentMs / 1_000)
}
