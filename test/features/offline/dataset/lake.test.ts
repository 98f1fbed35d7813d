import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { ClickHouseOffline } from '../../../../features/offline/index.ts'
import { buildDataset, copyDataset, listDatasets, localLake, parseReference, readDataset, removeDataset, s3Lake, verifyDataset, type DatasetManifest, type Lake } from '../../../../features/offline/dataset/index.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { storeOn } from '../../../kit/offline-store.ts'
import { tempDir } from '../../../kit/temp-dir.ts'
import { describeWithEngine, startTestEngine, type TestEngine } from '../clickhouse/kit.ts'
import { startFakeS3, type FakeS3 } from './fake-s3.ts'
import { iso, labelFile, NOON, signs, store } from './kit.ts'

describeWithEngine('a lake', () => {
  let started: TestEngine
  let offline: ClickHouseOffline
  let s3: FakeS3
  let dir: ReturnType<typeof tempDir>
  const clock = new ManualClock()
  clock.set(NOON + 3_600_000)
  const credentials = { accessKey: 'AKIDTEST', secretKey: 'very-secret' }
  beforeAll(async () => {
    started = await startTestEngine()
    const { engine } = started
    offline = await storeOn(engine)
    await store(offline, [{ asOf: NOON, offset: 1, values: [60, 97] }, { patient: 'b', asOf: NOON, offset: 2, values: [80, 90] }])
    s3 = await startFakeS3()
  })
  afterAll(async () => { await s3[Symbol.asyncDispose](); await offline[Symbol.asyncDispose](); await started[Symbol.asyncDispose]() })
  beforeEach(() => { dir = tempDir(); s3.objects.clear(); s3.closed = false; return () => { dir.remove() } })

  const folder = (): string => join(dir.path, 'lake')
  const build = (lake: Lake): Promise<DatasetManifest> => buildDataset(offline.sql, lake, clock, { name: 'test', labels: { path: labelFile(dir.path, `patient,time\na,${iso(NOON)}\nb,${iso(NOON)}\n`) }, views: [signs], chunkRows: 1 })
  const lakes = [['in a folder', () => localLake(folder())], ['in an S3 store', () => s3Lake(offline.sql, `${s3.url}/bucket/lake`, credentials)]] as const

  it.each(lakes)('%s lists what it has, answers the newest version, and says which file differs', async (_where, open) => {
    const lake = open()
    expect(await listDatasets(lake)).toEqual([])
    await expect(readDataset(lake, 'test')).rejects.toMatchObject({ code: 'DATASET_UNKNOWN' })
    const [first, second] = [await build(lake), await build(lake)]
    expect([first.version, second.version]).toEqual([1, 2])
    expect(await listDatasets(lake)).toEqual([first, second])
    expect(await readDataset(lake, 'test')).toEqual(second)
    expect(await readDataset(lake, 'test', 1)).toEqual(first)
    expect(await verifyDataset(lake, first)).toEqual([{ name: 'part-00000.parquet', state: 'same' }, { name: 'part-00001.parquet', state: 'same' }])
  })

  it('notices a file that was changed, and one that is gone, and copies neither', async () => {
    const lake = localLake(folder())
    const manifest = await build(lake)
    const file = join(folder(), 'datasets/test/1/part-00000.parquet')
    const bytes = readFileSync(file)
    bytes[40]! ^= 1
    writeFileSync(file, bytes)
    rmSync(join(folder(), 'datasets/test/1/part-00001.parquet'))
    expect(await verifyDataset(lake, manifest)).toEqual([{ name: 'part-00000.parquet', state: 'different' }, { name: 'part-00001.parquet', state: 'missing' }])
    const other = localLake(join(dir.path, 'other'))
    await expect(copyDataset(lake, other, manifest)).rejects.toMatchObject({ code: 'DATASET_DAMAGED', message: 'test@1: part-00000.parquet is different, part-00001.parquet is missing' })
    expect(await listDatasets(other)).toEqual([])
  })

  it('goes from a folder to an S3 store and back, byte for byte, and no version is ever written over', async () => {
    const [here, there, back] = [localLake(folder()), s3Lake(offline.sql, `${s3.url}/bucket/lake`, credentials), localLake(join(dir.path, 'back'))]
    const manifest = await build(here)
    await copyDataset(here, there, manifest)
    expect([...s3.objects.keys()].sort()).toEqual(['manifest.json', 'part-00000.parquet', 'part-00001.parquet'].map(name => `/bucket/lake/datasets/test/1/${name}`))
    expect(s3.objects.get('/bucket/lake/datasets/test/1/part-00000.parquet')).toEqual(readFileSync(join(folder(), 'datasets/test/1/part-00000.parquet')))
    expect([...s3.keys]).toEqual(['AKIDTEST'])
    await expect(copyDataset(here, there, manifest)).rejects.toMatchObject({ code: 'DATASET_EXISTS' })
    await copyDataset(there, back, manifest)
    expect(await verifyDataset(back, manifest)).toEqual(await verifyDataset(here, manifest))
    await expect(copyDataset(there, back, manifest)).rejects.toMatchObject({ code: 'DATASET_EXISTS' })
  })

  it('says that the store refuses, without the keys', async () => {
    const failure: unknown = await listDatasets(s3Lake(offline.sql, `${s3.url}/bucket/lake`, { accessKey: 'wrong', secretKey: 'very-secret' })).then(() => undefined, (e: unknown) => e)
    expect(failure).toMatchObject({ code: 'LAKE_UNREACHABLE' })
    expect(`${String(failure)} ${JSON.stringify(failure)} ${String((failure as Error).cause)}`).not.toContain('very-secret')
  })

  it('removes a version of a folder, and none that it does not have', async () => {
    const lake = localLake(folder())
    await build(lake)
    await removeDataset(lake, 'test', 1)
    await expect(removeDataset(lake, 'test', 1)).rejects.toMatchObject({ code: 'DATASET_UNKNOWN' })
    expect(readdirSync(join(folder(), 'datasets/test'))).toEqual([])
  })

  it('refuses a manifest that is damaged or leads out of its folder, and names that are none', async () => {
    const lake = localLake(folder())
    const manifest = await build(lake)
    const file = join(folder(), 'datasets/test/1/manifest.json')
    for (const text of ['{', '{}', JSON.stringify({ ...manifest, files: [{ ...manifest.files[0], name: '../../x' }] })]) {
      writeFileSync(file, text)
      await expect(readDataset(lake, 'test', 1)).rejects.toMatchObject({ code: 'DATASET_DAMAGED' })
    }
    for (const name of ['../x', 'Test', 'a@0', 'a@1@2', '']) expect(() => parseReference(name)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }) as Error)
  })
})
