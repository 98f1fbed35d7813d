import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startChild, until } from '../kit/servers/index.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { reportsIn, Watched } from './ended.ts'

let directory: ReturnType<typeof tempDir>
beforeEach(() => { directory = tempDir() })
afterEach(() => { directory.remove() })

/** How a process that runs `script` ends, in words. */
async function endOf (script: string, how: (child: ReturnType<typeof startChild>) => void = () => {}): Promise<string> {
  mkdirSync(join(directory.path, 'log'))
  const logFile = join(directory.path, 'output.txt')
  const child = startChild(process.execPath, [...reportsIn(directory.path), '--max-old-space-size=30', '--input-type=module', '-e', `console.log('it runs');${script}`], { logFile })
  const watched = new Watched(child, directory.path, logFile)
  await until('it runs', 20_000, () => readFileSync(logFile, 'utf8').includes('it runs'))
  watched.look()
  how(child)
  await child.ended
  return watched.explain()
}

describe('the end of a process', () => {
  it.each([
    ['an await that nothing is left to settle', 'await new Promise(() => {})', [/code 13 \(an await at the top/]],
    ['by itself', '', [/code 0 \(it ended by itself/]],
    ['a throw that nobody catches', 'setTimeout(() => { throw new Error("thrown here") })', [/code 1\b/, /reports of Node: Exception: Exception/i, /thrown here/]],
    ['a rejection that nobody awaits', 'void Promise.reject(new Error("rejected here"))', [/code 1\b/, /rejected here/]],
    ['a heap that is full', 'const all = []; for (;;) all.push(new Array(100_000).fill({}))', [/signal SIGABRT/, /reports of Node: FatalError: Allocation failed|reports of Node: .*heap/i]],
    ['an abort', 'process.abort()', [/signal SIGABRT \(Node or native code gave up/]],
    ['an end by itself, told with its code', "process.stderr.write('latido: the log is closed: look at it [LOG_CLOSED]\\n'); process.abort()", [/signal SIGABRT \(it ended itself, as it said: latido: the log is closed: look at it \[LOG_CLOSED\]\)/]],
    ['an end by itself, told with its stack', "process.stderr.write('latido: TypeError: bug\\n    at here:1:1\\n'); process.kill(process.pid, 'SIGKILL')", [/signal SIGKILL \(it ended itself, as it said: latido: TypeError: bug\)/]],
  ] as const)('is explained: %s', async (_, script, expected) => {
    const said = await endOf(script)
    for (const pattern of expected) expect(said).toMatch(pattern)
    expect(said).toMatch(/what it printed last: it runs/)
  })

  it.each(['SIGKILL', 'SIGBUS', 'SIGSEGV', 'SIGTERM'] as const)('is explained: %s from somebody else', async signal => {
    const said = await endOf('setInterval(() => {}, 1_000)', child => { process.kill(child.pid, signal) })
    expect(said).toMatch(new RegExp(`ended: signal ${signal} \\(`))
    expect(said).toMatch(/when last looked at: resident \d+ kB .* open files [1-9]/)
    expect(said).toMatch(/limits: .*open files/)
    expect(said).toMatch(/room on its disk: \d+ MB/)
  })
})
