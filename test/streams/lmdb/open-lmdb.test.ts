import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openLmdb } from '../../../streams/lmdb/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'

let directory: ReturnType<typeof tempDir>
beforeEach(() => { directory = tempDir() })
afterEach(() => { directory.remove() })

async function filled (): Promise<string> {
  const db = openLmdb(directory.path, 'the test store')
  for (let i = 0; i < 2_000; i++) void db.put(`key ${i}`, 'x'.repeat(200))
  await db.flushed
  await db.close()
  return join(directory.path, 'data.mdb')
}

it('keeps what was put', async () => {
  await filled()
  const db = openLmdb(directory.path, 'the test store')
  expect(db.get('key 499')).toHaveLength(200)
  await db.close()
})

it('takes an empty file for a store not yet written', async () => {
  writeFileSync(join(directory.path, 'data.mdb'), '')
  await openLmdb(directory.path, 'the test store').close()
})

it('starts empty over what a first start left that the power ended, whatever it is', async () => {
  for (const left of ['blank.mdb', 'blank.mdb-lock', 'data.mdb.new']) writeFileSync(join(directory.path, left), Buffer.alloc(8_192, 0x5a))
  const db = openLmdb(directory.path, 'the test store')
  await db.put('key', 'value')
  expect(db.get('key')).toBe('value')
  await db.close()
  expect(readdirSync(directory.path).sort()).toEqual(['data.mdb', 'lock.mdb'])
})

it.each([['a text', Buffer.from('not a store')], ['zeros', Buffer.alloc(20_000)], ['noise', Buffer.alloc(20_000, 0x5a)]])('refuses %s, naming the store', (_, content) => {
  writeFileSync(join(directory.path, 'data.mdb'), content)
  expect(() => openLmdb(directory.path, 'the test store')).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT', message: expect.stringContaining('the test store is damaged') as string }) as Error)
})

it('refuses a file cut anywhere, in place of crashing the process', async () => {
  const file = await filled()
  const whole = readFileSync(file)
  for (const share of [0.01, 0.1, 0.5, 0.9]) {
    writeFileSync(file, whole.subarray(0, Math.floor(whole.length * share)))
    expect(() => openLmdb(directory.path, 'the test store')).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }) as Error)
  }
})

it('says that a directory cannot be written', () => {
  const file = join(directory.path, 'file')
  writeFileSync(file, '')
  expect(() => openLmdb(join(file, 'below'), 'the test store')).toThrow(expect.objectContaining({ code: 'DATA_DIR_UNWRITABLE' }) as Error)
})
