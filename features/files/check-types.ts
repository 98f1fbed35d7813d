import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { typeSettings } from './new-folder.ts'

/** What the checker says of one place in a user's file. */
export interface TypeFault { readonly file: string, readonly line: number, readonly message: string }
export type TypeCheck =
  | { readonly kind: 'checked', readonly faults: readonly TypeFault[] }
  /** TypeScript, or the sources that types come from, are not there. */
  | { readonly kind: 'unavailable', readonly why: string }

const CHECK_MS_MAX = 60_000
const FAULT = /^(.+?)\((\d+),\d+\): error (TS\d+: .*)$/

/** Runs TypeScript's checker over a folder of views. Types are not looked at when views are loaded: they are stripped. */
export async function checkTypes (folder: string): Promise<TypeCheck> {
  const compiler = compilerAt()
  const settings = typeSettings()
  if (compiler === undefined) return { kind: 'unavailable', why: 'TypeScript is not installed' }
  if (settings === undefined) return { kind: 'unavailable', why: 'the sources of Latido, where the types are, are not there' }
  const scratch = mkdtempSync(join(tmpdir(), 'latido-types-'))
  try {
    const project = join(scratch, 'tsconfig.json')
    writeFileSync(project, JSON.stringify({ ...settings, include: [resolve(folder)] }))
    const { ended, output } = await run(compiler, ['-p', project, '--pretty', 'false'], resolve(folder))
    if (!ended) return { kind: 'unavailable', why: `TypeScript did not end within ${CHECK_MS_MAX / 1_000} s` }
    return { kind: 'checked', faults: output.split('\n').flatMap(line => faultOf(line, folder)) }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Of the user's own files alone. */
function faultOf (line: string, folder: string): readonly TypeFault[] {
  const [, path, at, message] = FAULT.exec(line.trim()) ?? []
  if (path === undefined) return []
  const inside = relative(resolve(folder), resolve(folder, path))
  return inside.startsWith('..') ? [] : [{ file: join(folder, inside), line: Number(at), message: message! }]
}

function compilerAt (): string | undefined {
  try {
    const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')
    return existsSync(tsc) ? tsc : undefined
  } catch {
    return undefined // not installed: said to the user
  }
}

function run (script: string, args: readonly string[], cwd: string): Promise<{ readonly ended: boolean, readonly output: string }> {
  return new Promise((resolved, reject) => {
    const child = spawn(process.execPath, [script, ...args], { cwd, stdio: ['ignore', 'pipe', 'inherit'], timeout: CHECK_MS_MAX })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => { output += chunk.toString() })
    child.once('error', reject)
    child.once('close', (_code, signal) => { resolved({ ended: signal === null, output }) })
  })
}
