import type { BoardAnswer, BoardEntity, BoardIndex, BoardQuery } from './port.ts'
import { millionths, orderOf, sortKeysOf, type SortKey, type SortKeys } from './sort-keys.ts'
import { finds, fold, wordsAsked, wordsOf } from './text.ts'

interface Entry { readonly entity: BoardEntity, readonly version: number, readonly ward: string, readonly bed: string, readonly words: readonly string[], readonly keys: SortKeys }
/** One order: whole, but for the patients that have changed since. */
interface Order { entries: readonly Entry[], readonly changed: Set<string> }

/** Removals that are remembered, so that an older write that comes late changes nothing. */
const REMOVALS_MAX = 10_000

/**
 * The index in memory: a map of entities, and each order that was asked for as a sorted list. A write touches the map alone; the next search
 * takes what has changed out of its list and merges it in again, sorted: n + c log c for c changes.
 */
export class OwnBoardIndex implements BoardIndex {
  readonly by = 'own-index'
  readonly why?: string
  readonly #entries = new Map<string, Entry>()
  readonly #removals = new Map<string, number>()
  readonly #orders = new Map<SortKey, Order>()
  #version = 0

  /** `why`: why this one answers, where Redis was expected to. */
  constructor (why?: string) { if (why !== undefined) this.why = why }

  version (): Promise<number> { return Promise.resolve(++this.#version) }

  put (entities: readonly BoardEntity[], version: number): Promise<void> {
    for (const entity of entities) {
      const { patient } = entity
      if (Math.max(this.#entries.get(patient)?.version ?? -1, this.#removals.get(patient) ?? -1) >= version) continue
      this.#entries.set(patient, { entity, version, ward: fold(entity.ward), bed: fold(entity.bed), words: wordsOf(entity.text), keys: sortKeysOf(entity) })
      this.#removals.delete(patient)
      this.#touched(patient)
    }
    return Promise.resolve()
  }

  remove (patients: readonly string[], version: number): Promise<void> {
    for (const patient of patients) {
      if ((this.#entries.get(patient)?.version ?? -1) >= version) continue
      if (this.#entries.delete(patient)) this.#touched(patient)
      this.#removals.set(patient, Math.max(version, this.#removals.get(patient) ?? -1))
    }
    for (const patient of this.#removals.keys()) {
      if (this.#removals.size <= REMOVALS_MAX) break
      this.#removals.delete(patient)
    }
    return Promise.resolve()
  }

  patients (): Promise<readonly string[]> { return Promise.resolve([...this.#entries.keys()]) }

  search (query: BoardQuery): Promise<BoardAnswer> {
    const { key, reversed } = orderOf(query)
    const found = this.#ordered(key).filter(matcher(query))
    if (reversed) found.reverse()
    const entities = found.slice(query.offset, query.offset + query.limit).map(({ entity }) => entity)
    return Promise.resolve({ total: found.length, entities, by: this.by, ...(this.why === undefined ? {} : { why: this.why }) })
  }

  [Symbol.asyncDispose] (): Promise<void> { return Promise.resolve() }

  #touched (patient: string): void { for (const { changed } of this.#orders.values()) changed.add(patient) }

  #ordered (key: SortKey): readonly Entry[] {
    const order = this.#orders.get(key)
    if (order === undefined) {
      const entries = [...this.#entries.values()].sort(by(key))
      this.#orders.set(key, { entries, changed: new Set() })
      return entries
    }
    if (order.changed.size > 0) {
      const kept = order.entries.filter(({ entity }) => !order.changed.has(entity.patient))
      const changed = [...order.changed].flatMap(patient => this.#entries.get(patient) ?? []).sort(by(key))
      order.entries = merged(kept, changed, key)
      order.changed.clear()
    }
    return order.entries
  }
}

function by (key: SortKey): (a: Entry, b: Entry) => number { return (a, b) => a.keys[key] < b.keys[key] ? -1 : 1 } // no two are equal: a key ends in the pseudonym

function merged (a: readonly Entry[], b: readonly Entry[], key: SortKey): readonly Entry[] {
  const all: Entry[] = []
  let i = 0
  for (const entry of b) {
    while (i < a.length && a[i]!.keys[key] < entry.keys[key]) all.push(a[i++]!)
    all.push(entry)
  }
  while (i < a.length) all.push(a[i++]!)
  return all
}

function matcher (query: BoardQuery): (entry: Entry) => boolean {
  const { admitted, onBoard, news2Min, riskMin, alertStates, text = '' } = query
  const ward = query.ward === undefined ? undefined : fold(query.ward)
  const bed = query.bed === undefined ? undefined : fold(query.bed)
  const asked = wordsAsked(text)
  const nothing = text.trim() !== '' && asked.length === 0 // no word can be found that has none
  return ({ entity, ward: inWard, bed: inBed, words }) => !nothing
    && (ward === undefined || ward === inWard) && (bed === undefined || bed === inBed)
    && (admitted === undefined || admitted === entity.admitted) && (onBoard === undefined || onBoard === entity.onBoard)
    && (news2Min === undefined || (entity.news2 !== null && entity.news2 >= news2Min)) && (riskMin === undefined || (entity.risk !== null && millionths(entity.risk) >= millionths(riskMin)))
    && (alertStates === undefined || alertStates.includes(entity.alertState))
    && asked.every(word => words.some(one => finds(word, one)))
}
