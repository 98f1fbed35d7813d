import { describe, expect, it } from 'vitest'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describeWithEngine } from '../features/offline/clickhouse/kit.ts'
import { ROOT } from '../house/source-files.ts'
import { requireServer } from '../kit/servers/index.ts'
import { SNIPPETS } from './documents.ts'
import { followGuide, saysSo } from './guide.ts'

const GUIDE = 'docs/guides/define-a-feature.md'

describe('blocks of a guide', () => {
  it('stand in no document that no test follows', () => {
    expect([...new Set(SNIPPETS.filter(s => s.words[0] === 'guide').map(s => s.where.split(':')[0]))].toSorted()).toEqual([GUIDE, 'docs/connectors/files.md', 'docs/guides/errors-and-dead-letters.md', 'docs/guides/write-a-connector.md'].toSorted().filter(path => existsSync(join(ROOT, path))))
  })

  it('say what comes out, with "..." for anything', () => {
    expect(saysSo('a 1 b\nc\nd', ['a ... b', 'd'])).toBe(true)
    expect(saysSo('a 1 b\nc\nd', ['d', 'a ... b'])).toBe(false)
    expect(saysSo('a 1\nb', ['a ... b'])).toBe(false)
    expect(saysSo('a\nb', ['a', '...', 'b'])).toBe(true)
    expect(saysSo('a\nbc', ['a', 'b'])).toBe(false)
    expect(saysSo('[1.5]', ['[1.5]'])).toBe(true)
    expect(saysSo('[1x5]', ['[1.5]'])).toBe(false)
  })
})

const describeGuide: typeof describe.skip = await requireServer('python') ? describeWithEngine : describe.skip

describeGuide('a reader who follows the guide from an idea to a feature', () => { followGuide(GUIDE) })
