import type { Database } from 'lmdb'
import type { PatientKey } from '../../streams/events/index.ts'
import type { Lmdb } from '../../streams/lmdb/index.ts'

/** Which keys went into which, from merges. Pseudonyms only; survives restarts. A chain has no circle: `wouldLoop` is asked first. */
export class MergedKeys {
  readonly #rows: Database<string, string>
  readonly #survivors = new Map<string, string>()

  constructor (root: Lmdb) {
    this.#rows = root.openDB<string, string>('merged', {})
    for (const { key, value } of this.#rows.getRange({})) this.#survivors.set(key, value)
  }

  /** The key that keeps what `key` had; itself where it was never merged. */
  follow (key: PatientKey): PatientKey {
    let at: string = key
    for (let next = this.#survivors.get(at); next !== undefined; next = this.#survivors.get(at)) at = next
    return at as PatientKey
  }

  /** Whether `loser` is the survivor, or stands anywhere on its way: also one that went elsewhere before would close a circle when it is sent there anew. */
  wouldLoop (loser: PatientKey, survivor: PatientKey): boolean {
    for (let at: string | undefined = survivor; at !== undefined; at = this.#survivors.get(at)) if (at === loser) return true
    return false
  }

  /** Of two opposite merges that are published at the same moment the first stands here; the engine drops one of them too. */
  add (loser: PatientKey, survivor: PatientKey): void {
    if (this.wouldLoop(loser, survivor)) return
    this.#survivors.set(loser, survivor)
    void this.#rows.put(loser, survivor)
  }
}
