import { spawn } from 'node:child_process'
import { closeSync, cpSync, openSync, statSync, truncateSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLmdb } from '../../../streams/lmdb/index.ts'
import { missingPage } from '../../../streams/lmdb/pages.ts'
import { rootsToTake } from '../../../streams/lmdb/root.ts'
import { SeededRandom } from '../../kit/random.ts'
import { tempDir } from '../../kit/temp-dir.ts'

const PAGE = 4_096
let directory: ReturnType<typeof tempDir>
beforeEach(() => { directory = tempDir() })
afterEach(() => { directory.remove() })

interface Ended { readonly lines: readonly string[], readonly outcome: string }

/** Runs a child; `enough` says when to kill it. */
async function run (script: string, args: readonly string[], enough: (lines: readonly string[]) => boolean = () => false): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL(script, import.meta.url)), ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (data: Buffer) => { text += data.toString(); if (enough(text.trimEnd().split('\n'))) child.kill('SIGKILL') })
  const [code, signal] = await once(child, 'close') as [number | null, string | null]
  return { lines: text.trimEnd().split('\n'), outcome: signal ?? String(code) }
}

function copyOf (from: string, name: string, bytes?: number): string {
  const to = join(directory.path, name)
  cpSync(from, to, { recursive: true })
  if (bytes !== undefined) truncateSync(join(to, 'data.mdb'), bytes)
  return to
}

function counts (store: string): { readonly pages: number, readonly inFile: number } {
  const file = openSync(join(store, 'data.mdb'), 'r')
  try {
    const root = rootsToTake(file, false)![0]!
    return { pages: root.pages, inFile: statSync(join(store, 'data.mdb')).size / PAGE }
  } finally { closeSync(file) }
}

/** Whether the root uses no page behind the first `pages`. */
function suffices (store: string, pages: number): boolean {
  const file = openSync(join(store, 'data.mdb'), 'r')
  try { return missingPage(file, rootsToTake(file, false)![0]!, pages) === undefined } finally { closeSync(file) }
}

/** A store whose file is shorter than its root counts, as LMDB makes it now and then: pages that a commit took at the end and gave back are never written. */
async function shortStore (): Promise<string> {
  const store = join(directory.path, 'short')
  const root = openLmdb(store, 'the test store')
  const sub = root.openDB<string, string>('sub', {})
  const random = new SeededRandom(3)
  try {
    for (let n = 0; n < 3_000; n++) {
      const [puts, removes] = [random.below(60), random.below(60)]
      await root.transaction(() => {
        for (let i = 0; i < puts; i++) void sub.put(`k ${random.below(2_000)}`, 'x'.repeat(random.chance(0.1) ? 9_000 : 500))
        for (let i = 0; i < removes; i++) void sub.remove(`k ${random.below(2_000)}`)
      })
      await root.flushed
      const { pages, inFile } = counts(store)
      if (inFile < pages) return copyOf(store, 'left by a kill')
    }
  } finally { await root.close() }
  throw new Error('LMDB wrote every page that it gave out')
}

describe('a store whose file is shorter than its root counts', () => {
  it('is opened if LMDB never wrote what lacks, however much, and refused if a page less is there that is used', async () => {
    const store = await shortStore()
    const { pages, inFile } = counts(store)
    expect(inFile).toBeLessThan(pages)
    let least = inFile
    while (suffices(store, least - 1)) least--
    const copies = [copyOf(store, 'as it was'), copyOf(store, 'all that is used', least * PAGE), copyOf(store, 'one page less', (least - 1) * PAGE), copyOf(store, 'one byte less', least * PAGE - 1)]
    const { lines, outcome } = await run('open-child.ts', ['checked', ...copies])
    expect(outcome).toBe('0')
    expect(lines[0]).toMatch(/^whole /)
    expect(lines).toEqual([lines[0], lines[0], 'refused STORE_CORRUPT', 'refused STORE_CORRUPT'])
  })

  it.each([1, 2, 3])('is never the end of the process: killed at random and cut anywhere (seed %i)', async seed => {
    const random = new SeededRandom(seed)
    const store = join(directory.path, 'store')
    const until = 5 + random.below(60)
    const written = await run('write-child.ts', [store, String(seed)], lines => lines.length >= until)
    expect(written.outcome).toBe('SIGKILL')
    const original = copyOf(store, 'to look at')
    const { inFile } = counts(original)
    const cuts = [inFile * PAGE, ...Array.from({ length: 24 }, () => random.chance(0.7) ? (inFile - 1 - random.below(Math.min(12, inFile - 2))) * PAGE : 1 + random.below(inFile * PAGE))]
    const { lines, outcome } = await run('open-child.ts', ['checked', ...cuts.map((bytes, i) => copyOf(store, `cut ${i}`, bytes))])
    expect(outcome).toBe('0')
    expect(lines[0]).toMatch(/^whole /)
    cuts.forEach((bytes, i) => { expect(`${bytes} ${lines[i]}`).toBe(`${bytes} ${bytes >= 2 * PAGE && suffices(original, Math.floor(bytes / PAGE)) ? lines[0] : 'refused STORE_CORRUPT'}`) })
  })

  it('would end the process by SIGBUS without the check', async () => {
    const store = join(directory.path, 'store')
    await run('write-child.ts', [store, '1'], lines => lines.length >= 20)
    const half = Math.floor(counts(copyOf(store, 'to look at')).inFile / 2) * PAGE
    expect((await run('open-child.ts', ['raw', copyOf(store, 'raw', half)])).outcome).toBe('SIGBUS')
    expect(await run('open-child.ts', ['checked', copyOf(store, 'checked', half)])).toEqual({ lines: ['refused STORE_CORRUPT'], outcome: '0' })
  })
})
