import { afterEach, beforeEach, expect, it } from 'vitest'
import { SeenMessages } from '../../../connectors/kit/seen-messages.ts'
import { openLmdb, type Lmdb } from '../../../streams/lmdb/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'

let directory: ReturnType<typeof tempDir>
let root: Lmdb
beforeEach(() => { directory = tempDir(); root = openLmdb(directory.path, 'the test store') })
afterEach(async () => { await root.close(); directory.remove() })
const content = Buffer.from('same')

it('forgets old messages a page at a time, wherever they stand among newer ones', async () => {
  const seen = new SeenMessages(root, 1_000)
  for (let i = 0; i < 300; i++) seen.remember('s', String(i), content, i % 50 === 0 ? 0 : 5_000)
  await root.flushed
  let forgotten = 0
  for (let page = 0; page < 40; page++) forgotten += await seen.purge(5_500, 20)
  expect(forgotten).toBe(6)
  expect(Array.from({ length: 300 }, (_, i) => seen.look('s', String(i), content, 900)).filter(l => l === 'new')).toHaveLength(6)
})

it('knows a message before the disk has it', () => {
  const seen = new SeenMessages(root, 1_000)
  seen.remember('s', '1', content, 5)
  expect([seen.look('s', '1', content, 6), seen.look('s', '1', Buffer.from('other'), 6), seen.look('s', '2', content, 6)]).toEqual(['duplicate', 'reused', 'new'])
})
