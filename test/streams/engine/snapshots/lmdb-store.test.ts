import { afterEach, expect, it } from 'vitest'
import { openSnapshotStore, type SnapshotRow, type SnapshotsOf, type SnapshotStore } from '../../../../streams/engine/index.ts'
import { tempDir } from '../../../kit/temp-dir.ts'

const directory = tempDir()
afterEach(() => { directory.remove() })
const row = (key: string, stamp: number): SnapshotRow => ({ key, stamp, clock: stamp + 0.5, kind: 'state', due: stamp + 9, bytes: Buffer.from(`${key}${stamp}`) })
const of = (machine: string, version: number, partition: number): SnapshotsOf => ({ processor: 'p', machine, version, partition })
const plain = (r: SnapshotRow): SnapshotRow => ({ ...r, bytes: Buffer.from(r.bytes) })

async function loaded (store: SnapshotStore, from: SnapshotsOf, how?: 'eager' | 'lazy'): Promise<{ rows: readonly SnapshotRow[], marker: unknown, poison: readonly string[] }> {
  const { rows, marker, poison } = await store.load(from, how)
  return { rows: [...rows].map(plain), marker, poison: [...poison] }
}

it.each(['eager', 'lazy'] as const)('gives rows and marker back after it was closed, per machine and partition (%s)', async how => {
  {
    await using store = openSnapshotStore(directory.path)
    await store.save(of('m', 1, 0), { rows: [row('a', 3), row('b', 3)], marker: { offset: 2, clock: 9 } })
    await store.save(of('m', 1, 0), { rows: [row('a', 7)], marker: { offset: 7, clock: 12 } })
    await store.save(of('m', 1, 1), { rows: [row('a', 1)], marker: { offset: 1, clock: 1 } })
    await store.save(of('m2', 1, 0), { rows: [row('z', 1)], marker: { offset: 1, clock: 1 } })
    await store.addPoison(of('m', 1, 0), 'record 5')
  }
  await using store = openSnapshotStore(directory.path)
  expect(await loaded(store, of('m', 1, 0), how)).toEqual({ rows: [row('a', 7), row('b', 3)], marker: { offset: 7, clock: 12 }, poison: ['record 5'] })
})

it('does not mix partition 1 with partition 10', async () => {
  await using store = openSnapshotStore(directory.path)
  await store.save(of('m', 1, 10), { rows: [row('ten', 1)], marker: { offset: 1, clock: 1 } })
  await store.save(of('m', 1, 1), { rows: [row('one', 1)], marker: { offset: 1, clock: 1 } })
  expect((await loaded(store, of('m', 1, 1))).rows.map(r => r.key)).toEqual(['one'])
})

it('does not answer rows of another codec version, keeps the poison, and drops the old rows with the first save', async () => {
  await using store = openSnapshotStore(directory.path)
  await store.save(of('m', 1, 0), { rows: [row('a', 3)], marker: { offset: 3, clock: 9 } })
  await store.addPoison(of('m', 1, 0), 'record 1')
  expect(await loaded(store, of('m', 2, 0))).toEqual({ rows: [], marker: { offset: 0, clock: 0 }, poison: ['record 1'] })
  await store.save(of('m', 2, 0), { rows: [row('b', 4)], marker: { offset: 4, clock: 9 } })
  expect((await loaded(store, of('m', 2, 0))).rows.map(r => r.key)).toEqual(['b'])
})

it('takes rows out that are gone, and keeps what kind of row each is', async () => {
  await using store = openSnapshotStore(directory.path)
  const merged: SnapshotRow = { ...row('m', 4), kind: 'merged', bytes: Buffer.from('survivor') }
  const empty: SnapshotRow = { ...row('e', 4), kind: 'empty', bytes: Buffer.alloc(0) }
  await store.save(of('m', 1, 0), { rows: [row('a', 3), merged, empty], marker: { offset: 3, clock: 9 } })
  await store.save(of('m', 1, 0), { rows: [], removed: ['a'], marker: { offset: 5, clock: 9 } })
  expect((await loaded(store, of('m', 1, 0))).rows).toEqual([empty, merged])
})

it('says so when a row that is read late is not the row that was restored', async () => {
  await using store = openSnapshotStore(directory.path)
  await store.save(of('m', 1, 0), { rows: [row('a', 3)], marker: { offset: 3, clock: 9 } })
  const [late] = [...(await store.load(of('m', 1, 0))).rows]
  await store.save(of('m', 1, 0), { rows: [row('a', 5)], marker: { offset: 5, clock: 9 } })
  expect(() => late!.bytes).toThrow(expect.objectContaining({ code: 'SNAPSHOT_INVALID' }))
})

it('is read by another process beside the one that writes', async () => {
  await using store = openSnapshotStore(directory.path)
  await store.save(of('m', 1, 0), { rows: [row('a', 3)], marker: { offset: 3, clock: 9 } })
  const { spawnSync } = await import('node:child_process')
  const script = `import { openSnapshotStore } from './streams/engine/index.ts'
    const store = openSnapshotStore(${JSON.stringify(directory.path)}, { readOnly: true })
    const { rows } = await store.load({ processor: 'p', machine: 'm', version: 1, partition: 0 })
    console.log([...rows].map(r => r.bytes.toString()).join())
    await store[Symbol.asyncDispose]()`
  const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { encoding: 'utf8' })
  expect(stdout.trim(), stderr).toBe('a3')
})
