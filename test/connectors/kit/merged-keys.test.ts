import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { MergedKeys } from '../../../connectors/kit/merged-keys.ts'
import type { PatientKey } from '../../../streams/events/index.ts'
import { openLmdb, type Lmdb } from '../../../streams/lmdb/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'

let directory: ReturnType<typeof tempDir>
let root: Lmdb
beforeEach(() => { directory = tempDir(); root = openLmdb(directory.path, 'the test store') })
afterEach(async () => { await root.close(); directory.remove() })
const key = (name: string): PatientKey => name as PatientKey

it('a key that is merged a second time closes no circle: to follow it always comes to an end', () => {
  const merged = new MergedKeys(root)
  for (const [loser, survivor] of [['D', 'A'], ['B', 'D']] as const) merged.add(key(loser), key(survivor))
  expect([merged.wouldLoop(key('D'), key('B')), merged.wouldLoop(key('A'), key('B')), merged.wouldLoop(key('A'), key('C'))]).toEqual([true, true, false])
  merged.add(key('D'), key('B')) // asked for at the same moment as the first
  expect(merged.follow(key('B'))).toBe('A')
})

it('whatever merges are told, those that are not refused leave a way with an end', () => {
  const id = fc.constantFrom('A', 'B', 'C', 'D', 'E')
  let round = 0
  fc.assert(fc.property(fc.array(fc.tuple(id, id), { maxLength: 12 }), pairs => {
    const merged = new MergedKeys(root)
    const own = (name: string): PatientKey => key(`${round}${name}`)
    for (const [loser, survivor] of pairs) if (!merged.wouldLoop(own(loser), own(survivor))) merged.add(own(loser), own(survivor))
    for (const name of ['A', 'B', 'C', 'D', 'E']) expect(merged.follow(own(name))).toContain(String(round))
    round++
  }))
})
