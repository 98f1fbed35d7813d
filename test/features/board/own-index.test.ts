import { describe, expect, it } from 'vitest'
import { OwnBoardIndex } from '../../../features/board/index.ts'
import { boardIndexContract } from './contract.ts'

describe('the index in memory', () => {
  boardIndexContract(() => Promise.resolve(new OwnBoardIndex()))

  it('says why it answers, where another was expected to', async () => {
    const index = new OwnBoardIndex('this Redis has no search module')
    expect(await index.search({ sort: 'place', descending: false, offset: 0, limit: 1 })).toEqual({ total: 0, entities: [], by: 'own-index', why: 'this Redis has no search module' })
  })
})
