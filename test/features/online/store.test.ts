import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openEmbeddedOnlineStore, type OnlineStore } from '../../../features/online/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'

let directory: ReturnType<typeof tempDir>
let store: OnlineStore
beforeEach(() => { directory = tempDir(); store = openEmbeddedOnlineStore(directory.path) })
afterEach(async () => { await store[Symbol.asyncDispose](); directory.remove() })
const row = (entity: string, version: number, value = `v${version}`): { entity: string, version: number, value: Buffer } => ({ entity, version, value: Buffer.from(value) })

it('never lets an older write win, in whatever order writes come and however often', async () => {
  let table = 0
  await fc.assert(fc.asyncProperty(fc.array(fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.nat(6)), { maxLength: 4 }), { maxLength: 5 }), async batches => {
    const name = `t${table++}`
    for (const batch of batches) await store.put(name, batch.map(([entity, version]) => row(entity, version)))
    const newest = (entity: string): number => Math.max(-1, ...batches.flat().filter(([e]) => e === entity).map(([, v]) => v))
    expect((await store.get(name, ['a', 'b'])).map(r => r?.version ?? -1)).toEqual([newest('a'), newest('b')])
  }), { numRuns: 40 })
})

it('keeps the first of two rows with one version, so that a repeated write changes nothing', async () => {
  await store.put('t', [row('a', 1, 'first')])
  await store.put('t', [row('a', 1, 'second')])
  expect((await store.get('t', ['a']))[0]!.value.toString()).toBe('first')
})

it('answers in the order asked, undefined where there is nothing', async () => {
  await store.put('t', [row('a', 1), row('b', 2)])
  expect((await store.get('t', ['b', 'none', 'a'])).map(r => r?.entity)).toEqual(['b', undefined, 'a'])
})

it('scans one table and no table whose name begins alike', async () => {
  await store.put('vitals@1', [row('b', 1), row('a', 1)])
  await store.put('vitals@10', [row('c', 1)])
  expect((await store.scan('vitals@1')).map(r => r.entity)).toEqual(['a', 'b'])
})

it('keeps rows over a restart', async () => {
  await store.put('t', [row('a', 2 ** 52, 'kept')])
  await store[Symbol.asyncDispose]()
  store = openEmbeddedOnlineStore(directory.path)
  expect(await store.get('t', ['a'])).toEqual([row('a', 2 ** 52, 'kept')])
})
