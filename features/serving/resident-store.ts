import type { OnlineRow, OnlineStore, StoredRow } from '../online/index.ts'

/** Entities whose rows are kept; the one that was kept longest goes first. */
export const RESIDENT_ENTITIES_MAX = 50_000

/**
 * Rows that were read stay in memory until they are written. Exact where every write of the store passes through here, as in a process that alone
 * has the store: an entity is forgotten before a write of it begins and not kept until the write has ended, so what is kept is what is stored,
 * and an entity's rows are always of one moment. On Redis others write: read that directly.
 */
export function residentStore (store: OnlineStore, entitiesMax: number = RESIDENT_ENTITIES_MAX): OnlineStore { return new ResidentStore(store, entitiesMax) }

type Rows = Map<string, StoredRow | undefined>

class ResidentStore implements OnlineStore {
  readonly #store: OnlineStore
  readonly #max: number
  readonly #kept = new Map<string, Rows>()
  /** Writes that began or ended. What was read while one did is not kept. */
  #changes = 0
  #writing = 0

  constructor (store: OnlineStore, entitiesMax: number) {
    this.#store = store
    this.#max = entitiesMax
  }

  async put (rows: readonly OnlineRow[]): Promise<void> { await this.#write(rows.map(row => row.entity), () => this.#store.put(rows)) }
  async erase (entity: string): Promise<void> { await this.#write([entity], () => this.#store.erase(entity)) }
  scan (table: string): Promise<readonly StoredRow[]> { return this.#store.scan(table) }
  async [Symbol.asyncDispose] (): Promise<void> { await this.#store[Symbol.asyncDispose]() }

  async get (tables: readonly string[], entities: readonly string[]): Promise<readonly (readonly (StoredRow | undefined)[])[]> {
    const answers: (readonly (StoredRow | undefined)[])[] = []
    const missing: number[] = []
    for (let e = 0; e < entities.length; e++) {
      const found = this.#find(entities[e]!, tables)
      if (found === undefined) missing.push(e); else answers[e] = found
    }
    if (missing.length === 0) return answers
    const changes = this.#changes
    const read = await this.#store.get(tables, missing.map(e => entities[e]!))
    const keep = this.#writing === 0 && this.#changes === changes
    missing.forEach((e, i) => {
      answers[e] = read[i]!
      if (keep) this.#keep(entities[e]!, tables, read[i]!)
    })
    return answers
  }

  /** All of the tables or nothing: what is kept and what is read now may be of two moments. */
  #find (entity: string, tables: readonly string[]): readonly (StoredRow | undefined)[] | undefined {
    const kept = this.#kept.get(entity)
    if (kept === undefined) return undefined
    const rows: (StoredRow | undefined)[] = []
    for (let t = 0; t < tables.length; t++) {
      const row = kept.get(tables[t]!)
      if (row === undefined && !kept.has(tables[t]!)) return undefined
      rows.push(row)
    }
    return rows
  }

  #keep (entity: string, tables: readonly string[], rows: readonly (StoredRow | undefined)[]): void {
    let kept = this.#kept.get(entity)
    if (kept === undefined) {
      if (this.#kept.size >= this.#max) this.#kept.delete(this.#kept.keys().next().value!)
      this.#kept.set(entity, kept = new Map())
    }
    for (let t = 0; t < tables.length; t++) kept.set(tables[t]!, rows[t])
  }

  async #write (entities: readonly string[], write: () => Promise<void>): Promise<void> {
    for (const entity of entities) this.#kept.delete(entity)
    this.#changes++
    this.#writing++
    try {
      await write()
    } finally {
      this.#changes++
      this.#writing--
    }
  }
}
