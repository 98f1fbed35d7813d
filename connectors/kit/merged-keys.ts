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

  /** Whether `loser` would keep what it had: it is, or has become, the survivor. */
  wouldLoop (loser: PatientKey, survivor: PatientKey): boolean { return loser === survivor || this.follow(survivor) === loser }

  add (loser: PatientKey, survivor: PatientKey): void {
    this.#survivors.set(loser, survivor)
    void this.#rows.put(loser, survivor)
  }
}
