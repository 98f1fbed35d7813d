import { execFile, execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { lineOf } from '../../../ops/cli/failure.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

it('an operating failure is one line, with its code; a fault of ours has its stack', () => {
  expect(lineOf(new LatidoError('LOG_CLOSED', 'the log is closed', 'nothing'))).toBe('latido: the log is closed: nothing [LOG_CLOSED]')
  expect(lineOf(new TypeError('bug'))).toMatch(/^latido: TypeError: bug\n {4}at /)
  expect(lineOf('text')).toBe('latido: text')
})

it('an operating failure of several faults is a line for each', () => {
  expect(lineOf(new LatidoError('CONFIG_INVALID', 'a.json:1: x\nb.json:2: y\n2 faults', 'mend them'))).toBe('latido: a.json:1: x\nlatido: b.json:2: y\nlatido: 2 faults: mend them [CONFIG_INVALID]')
})

it('a store that cannot be written is an operating failure, however LMDB tells it', () => {
  const system = Object.assign(new Error('Input/output error'), { code: 5, stack: 'Error: Input/output error\n    at file:///x/node_modules/lmdb/write.js:516:7' })
  for (const e of [new Error('Commit failed (see commitError for details)'), system]) expect(lineOf(e)).toMatch(/^latido: a store of the data directory could not be written: free the disk.*\[STORE_WRITE_FAILED\]$/)
  expect(lineOf(Object.assign(new Error('other'), { code: 5 }))).not.toContain('STORE_WRITE_FAILED')
})

/** A file system of 2 MB, where this may be made. */
function tinyDisk (path: string): boolean {
  try { execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', path], { stdio: 'ignore' }); return true } catch { return false }
}

it('a disk that is full ends the process with that line, and what the snapshots had is whole', async context => {
  const dir = tempDir()
  if (!tinyDisk(dir.path)) { dir.remove(); context.skip('no file system may be mounted here'); return }
  const program = join(tempDir().path, 'fill.mts')
  const url = (path: string): string => JSON.stringify(new URL(path, `file://${ROOT}`).href)
  writeFileSync(program, `
    import { openSnapshotStore } from ${url('streams/engine/index.ts')}
    import { lineOf } from ${url('ops/cli/failure.ts')}
    const end = e => { process.stderr.write(lineOf(e) + '\\n'); process.exit(1) }
    process.on('unhandledRejection', end)
    const of = { processor: 'p', machine: 'm', version: 1, partition: 0 }
    const store = openSnapshotStore(${JSON.stringify(join(dir.path, 'snapshots'))})
    if (process.argv[2] === 'fill') for (let i = 0; ; i++) {
      await store.save(of, { rows: Array.from({ length: 10 }, (_, k) => ({ key: i + '-' + k, kind: 'state', stamp: i, clock: i, bytes: Buffer.alloc(10_000, k) })), marker: { offset: i, clock: i } }).catch(end)
    }
    const { rows, marker } = await store.load(of, 'eager')
    process.stdout.write([...rows].length + ' rows, marker ' + marker.offset)
    process.exit(0)
  `)
  const run = (how: string): Promise<{ readonly stdout: string, readonly stderr: string }> => new Promise(resolve => { execFile(process.execPath, ['--import', 'tsx', program, how], { cwd: ROOT }, (_e, stdout, stderr) => { resolve({ stdout, stderr }) }) })
  try {
    expect((await run('fill')).stderr).toMatch(/(?:^|\n)latido: a store of the data directory could not be written.*\[STORE_WRITE_FAILED\]\n$/) // LMDB prints its own error before
    const { stdout } = await run('load')
    const [, rows, marker] = /^(\d+) rows, marker (\d+)$/.exec(stdout) ?? []
    expect(Number(rows)).toBe((Number(marker) + 1) * 10)
  } finally {
    execFileSync('umount', [dir.path])
    dir.remove()
  }
})
