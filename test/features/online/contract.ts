import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { OnlineRow, OnlineStore } from '../../../features/online/index.ts'

export interface OpenedStore extends AsyncDisposable {
  /** A store over what the stores before it had, as another process would open it. */
  open (): Promise<OnlineStore>
}

export interface ContractOptions { readonly name: string, readonly prepare: () => Promise<OpenedStore> }

export const row = (table: string, entity: string, version: number, value: string | Buffer | null = `v${version}`): OnlineRow => ({ table, entity, version, value: typeof value === 'string' ? Buffer.from(value) : value })

/** What every online store must do. */
export function onlineStoreContract ({ name, prepare }: ContractOptions): void {
  describe(name, () => {
    let place: OpenedStore
    let store: OnlineStore
    let runs = 0
    beforeAll(async () => { place = await prepare() })
    afterAll(async () => { await (place as OpenedStore | undefined)?.[Symbol.asyncDispose]() })
    beforeEach(async () => { store = await place.open() })
    afterEach(async () => { await store[Symbol.asyncDispose]() })
    /** Tests share the place: each has entities and tables of its own. */
    const own = (): string => `${runs++}`

    it('never lets an older write win, in whatever order writes come and however often', async () => {
      await fc.assert(fc.asyncProperty(fc.array(fc.array(fc.tuple(fc.constantFrom('t', 'u'), fc.constantFrom('a', 'b'), fc.nat(6), fc.boolean()), { maxLength: 6 }), { maxLength: 5 }), async batches => {
        const mine = own()
        for (const batch of batches) await store.put(batch.map(([table, entity, version, there]) => row(table + mine, entity + mine, version, there ? `v${version}` : null)))
        const newest = (table: string, entity: string): number => {
          const best = batches.flat().filter(([t, e]) => t === table && e === entity).reduce<readonly [version: number, there: boolean] | undefined>((b, [,, version, there]) => b === undefined || version > b[0] ? [version, there] : b, undefined)
          return best?.[1] === true ? best[0] : -1
        }
        const got = await store.get([`t${mine}`, `u${mine}`], [`a${mine}`, `b${mine}`])
        expect(got.map(rows => rows.map(r => r?.version ?? -1))).toEqual(['a', 'b'].map(entity => ['t', 'u'].map(table => newest(table, entity))))
        expect(got.flat().every(r => r === undefined || r.value.toString() === `v${r.version}`)).toBe(true)
      }), { numRuns: 60 })
    })

    it('keeps the first of two rows with one version, so that a repeated write changes nothing', async () => {
      const a = own()
      await store.put([row('t', a, 1, 'first')])
      await store.put([row('t', a, 1, 'second')])
      await store.put([row('u', a, 1, 'first'), row('u', a, 1, 'second')])
      expect((await store.get(['t', 'u'], [a]))[0]!.map(r => r?.value.toString())).toEqual(['first', 'first'])
    })

    it('answers entity by entity and table by table in the order asked, undefined where there is nothing', async () => {
      const [a, b] = [own(), own()]
      await store.put([row('t', a, 1), row('t', b, 2), row('u', b, 3)])
      expect((await store.get(['u', 't'], [b, 'nobody', a, b])).map(rows => rows.map(r => r === undefined ? undefined : [r.entity, r.version]))).toEqual([[[b, 3], [b, 2]], [undefined, undefined], [undefined, [a, 1]], [[b, 3], [b, 2]]])
      expect([await store.get([], [a]), await store.get(['t'], []), await store.put([])]).toEqual([[[]], [], undefined])
    })

    it('keeps every byte of a value, an empty value too, and versions up to 2 to the power of 53', async () => {
      const a = own()
      const every = Buffer.from(Array.from({ length: 1_024 }, (_, i) => i % 256))
      await store.put([row('every', a, Number.MAX_SAFE_INTEGER, every), row('empty', a, 0, '')])
      expect(await store.get(['every', 'empty'], [a])).toEqual([[{ entity: a, version: Number.MAX_SAFE_INTEGER, value: every }, { entity: a, version: 0, value: Buffer.alloc(0) }]])
    })

    it('scans one table and no table whose name begins alike', async () => {
      const t = `scan${own()}`
      await store.put([row(t, 'b/with a slash', 1), row(t, 'a', 1), row(t, 'gone', 1), row(`${t}0`, 'c', 1)])
      await store.put([row(t, 'gone', 2, null)])
      expect((await store.scan(t)).map(r => [r.entity, r.value.toString()]).toSorted()).toEqual([['a', 'v1'], ['b/with a slash', 'v1']])
      expect(await store.scan('no such table')).toEqual([])
    })

    it('does not bring a row back that was taken out when an old batch comes again, and takes a newer one', async () => {
      const [a, t] = [own(), `t${own()}`]
      await store.put([row(t, a, 5), row('other', a, 9)])
      await store.put([row(t, a, 4, null)])
      expect((await store.get([t], [a]))[0]![0]?.version).toBe(5)
      await store.put([row(t, a, 6, null)])
      await store.put([row(t, a, 5)])
      expect((await store.get([t, 'other'], [a]))[0]!.map(r => r?.version)).toEqual([undefined, 9])
      expect(await store.scan(t)).toEqual([])
      await store.put([row(t, a, 7)])
      expect([(await store.get([t], [a]))[0]![0]?.version, (await store.scan(t)).length]).toEqual([7, 1])
    })

    it('erases an entity from every table and touches no other', async () => {
      const [a, b, t] = [own(), own(), `t${own()}`]
      await store.put([row(t, a, 1), row(`${t}x`, a, 1), row(`${t}y`, a, 2), row(t, b, 1)])
      await store.put([row(`${t}y`, a, 3, null)])
      await store.erase(a)
      await store.erase('nobody')
      expect((await store.get([t, `${t}x`, `${t}y`], [a, b])).map(rows => rows.map(r => r?.version))).toEqual([[undefined, undefined, undefined], [1, undefined, undefined]])
      expect([(await store.scan(t)).map(r => r.entity), await store.scan(`${t}x`)]).toEqual([[b], []])
      await store.put([row(`${t}y`, a, 1)]) // of its removal nothing stays either
      expect((await store.get([`${t}y`], [a]))[0]![0]?.version).toBe(1)
    })

    it('shows a reader the rows of one put of an entity together, never half of them', async () => {
      const entities = Array.from({ length: 20 }, own)
      const tables = ['h1', 'h2', 'h3', 'h4']
      let done = false
      const versions = new Set<number>()
      const reading = (async () => {
        while (!done) {
          for (const rows of await store.get(tables, entities)) {
            expect(new Set(rows.map(r => r?.value.toString())).size).toBe(1)
            versions.add(rows[0]?.version ?? -1)
          }
          await nextTurn()
        }
      })().finally(() => { done = true })
      for (let version = 1; version <= 60 || (versions.size < 3 && !done); version++) await store.put(tables.flatMap(table => entities.map(entity => row(table, entity, version, `v${version}`)))) // table by table, as the processors give them
      done = true
      await reading
    })

    it('lets two writers with interleaved versions end at the newest row of each', async () => {
      const entities = Array.from({ length: 40 }, own)
      const write = async (first: number): Promise<void> => {
        for (let version = first; version < 60; version += 2) await store.put(entities.flatMap(entity => [row('w', entity, version), row('x', entity, 100 - version)]))
      }
      await Promise.all([write(0), write(1)])
      expect((await store.get(['w', 'x'], entities)).map(rows => rows.map(r => r?.version))).toEqual(entities.map(() => [59, 100]))
    })

    it('takes 10,000 entities in one put, reads them and scans them, in another instance too', async () => {
      const entities = Array.from({ length: 10_000 }, (_, i) => `many-${i}`)
      await store.put(entities.flatMap((entity, i) => [row('many@1', entity, i, `one ${i}`), row('many@2', entity, i, `two ${i}`)]))
      await store[Symbol.asyncDispose]()
      store = await place.open()
      expect((await store.get(['many@2', 'many@1'], entities)).map(rows => rows.map(r => r?.value.toString()))).toEqual(entities.map((_, i) => [`two ${i}`, `one ${i}`]))
      expect(new Set((await store.scan('many@1')).map(r => `${r.entity} ${r.value.toString()}`))).toEqual(new Set(entities.map((entity, i) => `${entity} one ${i}`)))
    })
  })
}
