import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { OnlineRow, OnlineStore, StoredRow } from '../../../features/online/index.ts'
import { residentStore } from '../../../features/serving/index.ts'

const row = (table: string, entity: string, version: number): OnlineRow => ({ table, entity, version, value: Buffer.from(String(version)) })
const textOf = (rows: readonly (readonly (StoredRow | undefined)[])[]): unknown => rows.map(of => of.map(r => r?.value.toString()))

/** Reads and writes take effect when the test lets them go; counts what it is asked. */
class SlowStore implements OnlineStore {
  readonly #rows = new Map<string, StoredRow>()
  readonly waiting: (() => void)[] = []
  asked = 0
  slow = false

  async #turn (): Promise<void> { if (this.slow) await new Promise<void>(resolve => { this.waiting.push(resolve) }) }
  async put (rows: readonly OnlineRow[]): Promise<void> {
    await this.#turn()
    for (const { table, entity, version, value } of rows) this.#rows.set(`${table}/${entity}`, { entity, version, value: value! })
    await this.#turn()
  }
  async get (tables: readonly string[], entities: readonly string[]): Promise<readonly (readonly (StoredRow | undefined)[])[]> {
    this.asked += entities.length
    await this.#turn()
    const found = entities.map(entity => tables.map(table => this.#rows.get(`${table}/${entity}`)))
    await this.#turn()
    return found
  }
  scan (): Promise<readonly StoredRow[]> { return Promise.resolve([...this.#rows.values()]) }
  erase (entity: string): Promise<void> {
    for (const table of ['a', 'b']) this.#rows.delete(`${table}/${entity}`)
    return Promise.resolve()
  }
  [Symbol.asyncDispose] (): Promise<void> { return Promise.resolve() }
}

describe('rows that stay in memory', () => {
  it('are read once, those that do not exist too, and anew after each write and erasure', async () => {
    const store = new SlowStore()
    const resident = residentStore(store)
    await resident.put([row('a', 'anna', 1)])
    const read = async (): Promise<unknown> => textOf(await resident.get(['a', 'b'], ['anna', 'ben']))
    expect([await read(), await read(), store.asked]).toEqual([[['1', undefined], [undefined, undefined]], [['1', undefined], [undefined, undefined]], 2])
    await resident.put([row('b', 'anna', 2)])
    expect([await read(), store.asked]).toEqual([[['1', '2'], [undefined, undefined]], 3])
    await resident.erase('anna')
    expect([await read(), store.asked]).toEqual([[[undefined, undefined], [undefined, undefined]], 4])
  })

  it('are no more than the limit', async () => {
    const store = new SlowStore()
    const resident = residentStore(store, 2)
    for (const entity of ['x', 'y', 'z', 'z', 'y', 'x']) await resident.get(['a'], [entity])
    expect(store.asked).toBe(4)
  })

  it('are those of the store after any interleaving, and never of two moments', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.oneof(fc.constant('put'), fc.constantFrom('a', 'b', 'ab'), fc.nat({ max: 5 })), { maxLength: 40 }), async actions => {
      const store = new SlowStore()
      const resident = residentStore(store)
      store.slow = true
      const under: Promise<unknown>[] = []
      const torn: unknown[] = []
      let version = 0
      for (const action of actions) {
        if (action === 'put') { version++; under.push(resident.put([row('a', 'anna', version), row('b', 'anna', version)])) }
        else if (typeof action === 'number') { store.waiting.splice(action, 1)[0]?.(); for (let i = 0; i < 10; i++) await Promise.resolve() }
        else under.push(resident.get([...action], ['anna']).then(([rows]) => { if (new Set(rows!.map(r => r?.version)).size > 1) torn.push(rows) }))
      }
      store.slow = false
      while (store.waiting.length > 0) { store.waiting.shift()!(); for (let i = 0; i < 10; i++) await Promise.resolve() }
      await Promise.all(under)
      expect(torn).toEqual([])
      for (const tables of [['a'], ['b'], ['a', 'b']]) expect(await resident.get(tables, ['anna'])).toEqual(await store.get(tables, ['anna']))
    }), { numRuns: 500 })
  })
})
