import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One thing that a process asked of a file, in the order in which it asked. */
export type Asked =
  | { readonly kind: 'opened', readonly path: string, readonly file: number, readonly made: boolean, readonly writesThrough: boolean }
  | { readonly kind: 'write', readonly id: number, readonly file: number, readonly at: number, readonly bytes: Buffer }
  | { readonly kind: 'sync', readonly id: number, readonly file: number }
  | { readonly kind: 'truncated', readonly file: number, readonly size: number }
  | { readonly kind: 'renamed', readonly from: string, readonly path: string }
  | { readonly kind: 'unlinked', readonly path: string }
  | { readonly kind: 'ended', readonly id: number, readonly file: number, readonly result: number }

const HEAD_BYTES = 32

/** Runs `writer-child.ts` below the recorder; `directory` takes what it writes and the recording. */
export async function record (directory: string, seed: number, steps: number): Promise<readonly Asked[]> {
  const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
  const library = join(directory, 'recorder.so')
  const built = spawnSync('gcc', ['-shared', '-fPIC', '-O1', '-o', library, here('recorder.c'), '-ldl', '-lpthread'], { encoding: 'utf8' })
  if (built.status !== 0) throw new Error(built.stderr)
  const disk = join(directory, 'disk')
  const child = spawn(process.execPath, ['--import', 'tsx', here('writer-child.ts'), disk, String(seed), String(steps)], { env: { ...process.env, LD_PRELOAD: library, RECORD_DIR: disk, RECORD_TO: join(directory, 'recording'), UV_USE_IO_URING: '0' }, stdio: 'inherit' })
  const [code, signal] = await once(child, 'exit') as [number | null, string | null]
  if (code !== 0) throw new Error(`the recorded process ended: ${signal ?? String(code)}`)
  return readRecording(join(directory, 'recording'), disk)
}

/** What the recorder noted; paths are below `disk`. */
export function readRecording (from: string, disk: string): readonly Asked[] {
  const recording = readFileSync(from)
  const all: Asked[] = []
  for (let at = 0; at < recording.length;) {
    const [kind, id, file, result] = [recording.readUInt32LE(at), recording.readUInt32LE(at + 4), recording.readUInt32LE(at + 8), recording.readInt32LE(at + 12)]
    const place = Number(recording.readBigUInt64LE(at + 16))
    const bytes = recording.subarray(at + HEAD_BYTES, at + HEAD_BYTES + Number(recording.readBigUInt64LE(at + 24)))
    at += HEAD_BYTES + bytes.length
    switch (kind) {
      case 1: all.push({ kind: 'opened', path: bytes.toString().slice(disk.length + 1), file, made: (result & 1) !== 0, writesThrough: (result & 2) !== 0 }); break
      case 2: all.push({ kind: 'write', id, file, at: place, bytes }); break
      case 3: all.push({ kind: 'sync', id, file }); break
      case 4: all.push({ kind: 'truncated', file, size: place }); break
      case 5: all.push({ kind: 'ended', id, file, result }); break
      case 6: { const [before = '', after = ''] = bytes.toString().split('\0'); all.push({ kind: 'renamed', from: before.slice(disk.length + 1), path: after.slice(disk.length + 1) }); break }
      case 7: all.push({ kind: 'unlinked', path: bytes.toString().slice(disk.length + 1) }); break
      default: throw new Error(`the recording has a note of kind ${kind}`)
    }
  }
  return all
}
