import { afterEach, beforeEach, expect, it } from 'vitest'
import { markOf, OwnSeenMessages } from '../../../connectors/kit/seen-messages.ts'
import { openLmdb, type Lmdb } from '../../../streams/lmdb/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'

let directory: ReturnType<typeof tempDir>
let root: Lmdb
beforeEach(() => { directory = tempDir(); root = openLmdb(directory.path, 'the test store') })
afterEach(async () => { await root.close(); directory.remove() })
const mark = (id: string, content = 'same'): ReturnType<typeof markOf> => markOf('s', id, Buffer.from(content))

it('forgets old messages a page at a time, wherever they stand among newer ones', async () => {
  const seen = new OwnSeenMessages(root, 1_000)
  for (let i = 0; i < 300; i++) seen.remember(mark(String(i)), i % 50 === 0 ? 0 : 5_000)
  seen.write()
  await root.flushed
  let forgotten = 0
  for (let page = 0; page < 40; page++) forgotten += await seen.purge(5_500, 20)
  expect(forgotten).toBe(6)
  expect(Array.from({ length: 300 }, (_, i) => seen.claim(mark(String(i)), 900)).filter(l => l === 'new')).toHaveLength(6)
})

it('knows a message before the disk has it', () => {
  const seen = new OwnSeenMessages(root, 1_000)
  seen.remember(mark('1'), 5)
  expect([seen.claim(mark('1'), 6), seen.claim(mark('1', 'other'), 6), seen.claim(mark('2'), 6)]).toEqual(['duplicate', 'reused', 'new'])
})

it('knows every content of an identity that is used again, and forgets the oldest of many', () => {
  const seen = new OwnSeenMessages(root, 1_000)
  for (let i = 0; i < 17; i++) seen.remember(mark('1', `content ${i}`), i)
  expect(seen.claim(mark('1', 'content 16'), 20)).toBe('duplicate')
  expect(seen.claim(mark('1', 'content 1'), 20)).toBe('duplicate')
  expect(seen.claim(mark('1', 'content 0'), 20)).toBe('reused')
})
