import { afterEach, beforeEach, expect, it } from 'vitest'
import { tempDir } from '../../../kit/temp-dir.ts'
import { describeWith } from '../../../kit/servers/index.ts'
import { wrongImages } from './check.ts'
import { record } from './recording.ts'

let directory: ReturnType<typeof tempDir>
beforeEach(() => { directory = tempDir() })
afterEach(() => { directory.remove() })

const describeRecorded = await describeWith('gcc')
describeRecorded('the embedded log, when the power goes', () => {
  it.each([1, 2])('has all that was acknowledged and nothing that was not written, whatever the disk made of what was not synced (seed %i)', async seed => {
    await record(directory.path, seed, 120)
    expect(await wrongImages(directory.path, { seed, images: 120, forgets: 'nothing', moments: 'all' })).toEqual([])
  })

  it('starts empty after a first start that was cut short at any moment', async () => {
    await record(directory.path, 4, 1)
    expect(await wrongImages(directory.path, { seed: 4, images: 100, forgets: 'nothing', moments: 'first' })).toEqual([])
  })

  it.each(['fdatasync', 'writesThrough'] as const)('would be found to lose what it acknowledged on a disk that forgets %s', async forgets => {
    await record(directory.path, 3, 80)
    expect((await wrongImages(directory.path, { seed: 3, images: 60, forgets, moments: 'all' })).length).toBeGreaterThan(0)
  })
})
