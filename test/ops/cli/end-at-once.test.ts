import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { tempDir } from '../../kit/temp-dir.ts'

const CHILD = fileURLToPath(new URL('busy-child.ts', import.meta.url))
const WITHIN_MS = 120_000

/** A process with a log under load, until it ends. `signals` are sent when it is busy. */
async function ended (how: string, signals: readonly NodeJS.Signals[] = []): Promise<{ readonly signal: NodeJS.Signals | null, readonly said: string }> {
  const directory = tempDir()
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, directory.path, how], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => { said += chunk.toString() })
  const closed = once(child, 'close', { signal: AbortSignal.timeout(WITHIN_MS) }) as Promise<[number | null, NodeJS.Signals | null]>
  closed.catch(() => {})
  try {
    await Promise.race([once(child.stdout, 'data'), closed])
    for (const signal of signals) {
      child.kill(signal)
      await Promise.race([once(child.stdout, 'data'), closed])
    }
    const [, signal] = await closed
    return { signal, said }
  } finally {
    child.kill('SIGKILL')
    directory.remove()
  }
}

// `process.exit` in its place hangs or dies by SIGSEGV in about a quarter of the ends.
it.each([['a rejection that nobody awaits', 'rejects', /nobody awaits this/], ['an exception that nobody catches', 'throws', /nobody catches this/]])('%s is told and ends a process at once, though its log is being written', async (_, how, line) => {
  for (let round = 0; round < 8; round++) {
    const { signal, said } = await ended(how)
    expect(signal).toBe('SIGKILL')
    expect(said).toMatch(line)
  }
})

it('a second signal ends a process at once that is busy with the first', async () => {
  const { signal, said } = await ended('', ['SIGINT', 'SIGINT'])
  expect(signal).toBe('SIGINT')
  expect(said).toBe('')
})
