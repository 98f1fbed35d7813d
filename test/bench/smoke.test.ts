import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

async function bench (...args: readonly string[]): Promise<{ readonly code: number | null, readonly stdout: string, readonly stderr: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/bench/main.ts', ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => { stdout += chunk.toString() })
  child.stderr.on('data', (chunk: Buffer) => { stderr += chunk.toString() })
  const code = await new Promise<number | null>(resolve => { child.once('close', resolve) })
  return { code, stdout, stderr }
}

describe('npm run bench', () => {
  it.each([['log', 3], ['codec', 11], ['engine', 7], ['path', 4], ['score', 2], ['update', 6], ['recovery', 4], ['start', existsSync('/proc/self/stat') ? 5 : 2]] as const)('%s measures what it says, a line of JSON each', async (name, lines) => {
    const { code, stdout, stderr } = await bench(name, '--json', '--seconds', '0.5', '--runs', '1')
    expect(code, stderr).toBe(0)
    const measured = stdout.trim().split('\n').map(line => JSON.parse(line) as Record<string, unknown>)
    expect(measured).toHaveLength(lines)
    for (const line of measured) {
      expect(Object.keys(line)).toEqual(['name', 'unit', 'value', 'min', 'max', 'n', 'command'])
      expect(line['value']).toBeGreaterThan(0)
      expect(line['command']).toBe(`npm run bench -- ${name} --seconds 0.5 --runs 1`)
    }
  }, 120_000)

  it.each(['burst', 'burst-single'])('%s, short, loses nothing and sees every alert', async name => {
    const { code, stdout, stderr } = await bench(name, '--json', '--seconds', '3')
    expect(code, stderr).toBe(0)
    const value = (what: string): unknown => (stdout.trim().split('\n').map(line => JSON.parse(line) as { name: string, value: number })).find(line => line.name.endsWith(what))?.value
    expect(value('lost, of the log')).toBe(0)
    expect(value('lost, of ClickHouse')).toBe(0)
    expect(value('patients without their alert')).toBe(0)
    expect(value('publish to alert, p99')).toBeGreaterThan(0)
  }, 120_000)

  it('names the benchmarks in one line where there is none of a name', async () => {
    const { code, stdout, stderr } = await bench('nothing-like-it', '--json')
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^bench: .*nothing-like-it.*log, codec, engine, path.*\[BENCH_UNKNOWN\]\n$/)
  })
})
