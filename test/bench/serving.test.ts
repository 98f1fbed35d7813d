import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { describeWith } from '../kit/servers/index.ts'

const describeRedis = await describeWith('redis')
describeRedis('npm run bench -- serving', () => {
  it('measures HTTP, reads in process and writes, and says that Feast is not there', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'test/bench/main.ts', 'serving', '--json', '--seconds', '0.1', '--runs', '1'], { cwd: fileURLToPath(new URL('../../', import.meta.url)), env: { ...process.env, LATIDO_BENCH_FEAST: '' }, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => { stdout += chunk.toString() })
    child.stderr.on('data', (chunk: Buffer) => { stderr += chunk.toString() })
    const code = await new Promise<number | null>(resolve => { child.once('close', resolve) })
    expect(code, stderr).toBe(0)
    expect(stderr).toContain('without Feast')
    const measured = stdout.trim().split('\n').map(line => JSON.parse(line) as { readonly value: number })
    expect(measured).toHaveLength(22) // writes, 2 forms x 2 numbers of clients x 3 batches, 3 stores x 3 batches
    for (const { value } of measured) expect(value).toBeGreaterThan(0)
  }, 120_000)
})
