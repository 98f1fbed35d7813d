import { afterEach, expect, it } from 'vitest'
import { openSnapshotStore, type SnapshotRow } from '../../../streams/engine/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'

const directory = tempDir()
afterEach(() => { directory.remove() })
const row = (key: string, stamp: number): SnapshotRow => ({ key, stamp, clock: stamp + 0.5, bytes: Buffer.from(`${key}${stamp}`) })

it('gives rows and marker back after it was closed, per machine and partition', async () => {
  {
    await using store = openSnapshotStore(directory.path)
    await store.save('m', 1, 0, [row('a', 3), row('b', 3)], { offset: 2, clock: 9 })
    await store.save('m', 1, 0, [row('a', 7)], { offset: 7, clock: 12 })
    await store.save('m', 1, 1, [row('a', 1)], { offset: 1, clock: 1 })
    await store.save('m2', 1, 0, [row('z', 1)], { offset: 1, clock: 1 })
    await store.addPoison('m', 0, 'record 5')
  }
  await using store = openSnapshotStore(directory.path)
  const { rows, marker, poison } = await store.load('m', 1, 0)
  expect(rows).toEqual([row('a', 7), row('b', 3)])
  expect(marker).toEqual({ offset: 7, clock: 12 })
  expect([...poison]).toEqual(['record 5'])
})

it('does not mix partition 1 with partition 10', async () => {
  await using store = openSnapshotStore(directory.path)
  await store.save('m', 1, 10, [row('ten', 1)], { offset: 1, clock: 1 })
  await store.save('m', 1, 1, [row('one', 1)], { offset: 1, clock: 1 })
  expect((await store.load('m', 1, 1)).rows.map(r => r.key)).toEqual(['one'])
})

it('does not answer rows of another codec version, keeps the poison, and drops the old rows with the first save', async () => {
  await using store = openSnapshotStore(directory.path)
  await store.save('m', 1, 0, [row('a', 3)], { offset: 3, clock: 9 })
  await store.addPoison('m', 0, 'record 1')
  expect(await store.load('m', 2, 0)).toEqual({ rows: [], marker: { offset: 0, clock: 0 }, poison: new Set(['record 1']) })
  await store.save('m', 2, 0, [row('b', 4)], { offset: 4, clock: 9 })
  expect((await store.load('m', 2, 0)).rows.map(r => r.key)).toEqual(['b'])
})
