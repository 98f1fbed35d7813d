import type { BatchEffects } from '../../streams/engine/index.ts'
import { LatestRows } from '../latest-rows.ts'
import type { OnlineStore } from '../online/index.ts'
import { versionOf } from '../processor.ts'
import { onlineValue, tableOf } from '../serving/index.ts'
import type { FeatureVector } from '../vector.ts'

/** `ward:W1` to its kind and `W1`, the name under which it is served. */
export function entityOf (key: string): readonly [kind: string, name: string] { return [key.slice(0, key.indexOf(':')), key.slice(key.indexOf(':') + 1)] }

/** The newest vector of each entity in a batch, to the online store. Other outputs are passed over. */
export function vectorRows (online: OnlineStore): () => BatchEffects<FeatureVector | { readonly type: string }> {
  return () => {
    const rows = new LatestRows()
    return {
      add: emitted => {
        const { out } = emitted
        if (!isVector(out)) return
        const value = onlineValue(out)
        const { buffer, start } = rows.reserve(value.length)
        value.copy(buffer, start)
        rows.add(tableOf(out), entityOf(emitted.key)[1], versionOf(emitted), value.length)
      },
      carryOut: () => rows.put(online),
    }
  }
}

export function isVector (out: { readonly type: string }): out is FeatureVector { return out.type === 'vector' }
