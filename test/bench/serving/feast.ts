import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { tempDir } from '../../kit/temp-dir.ts'
import { freePorts, until } from '../../kit/servers/ports.ts'
import { askOnce, requestOf } from './load.ts'
import { FEATURE_NAMES } from './data.ts'

/** What the peer does in the process itself, by its own measure: p50 in ms by batch, entities written in a second. */
export interface FeastSdk { readonly writtenPerSecond: number, readonly p50Ms: Readonly<Record<number, number>> }

/** Feast's HTTP server over Redis, from the peers' harness. */
export interface Feast extends AsyncDisposable { readonly port: number, readonly sdk: FeastSdk }

export const FEAST_PATH = '/get-online-features'
/** The peer's names: `v0:v0_f0`. */
const NAMES = FEATURE_NAMES.map(name => name.replace(/:(v\d)F/, ':$1_f'))

export function feastRequest (entities: readonly number[]): Buffer { return requestOf(FEAST_PATH, 'application/json', { features: NAMES, entities: { user_id: entities } }) }

/** Why the peer cannot run, in words; undefined where it can. `folder` is a copy of the peers' harness with Feast in `vf`. */
export function missingFeast (folder: string | undefined): string | undefined {
  if (folder === undefined || folder === '') return 'LATIDO_BENCH_FEAST names no copy of the peers\' harness'
  return existsSync(join(folder, 'vf/bin/feast')) ? undefined : 'the copy of the peers\' harness has no Feast in vf (its README says how)'
}

/** Loads 10,000 entities x 5 views x 10 features, measures the SDK, and starts one worker of the server. */
export async function startFeast (folder: string, redisPort: number, say: (line: string) => void): Promise<Feast> {
  const work = tempDir()
  const python = join(folder, 'vf/bin/python')
  const data = join(work.path, 'data')
  const run = (...args: readonly string[]): string => {
    const ran = spawnSync(python, args, { cwd: folder, encoding: 'utf8', timeout: 240_000 })
    if (ran.status !== 0) throw new Error(`${args.join(' ')}: ${ran.stderr.slice(-2_000)}`)
    return ran.stdout
  }
  let child: ChildProcess | undefined
  const stop = async (): Promise<void> => {
    if (child !== undefined && child.exitCode === null) {
      const ended = new Promise(resolve => { child!.once('exit', resolve) })
      process.kill(-child.pid!, 'SIGKILL') // its workers too
      await ended
    }
    work.remove()
  }
  try {
    say('Feast: making its data, and loading it')
    run('feast/gen.py', data, '2000')
    const loaded = run('feast/online.py', data, join(work.path, 'repo'), 'load', String(redisPort))
    say('Feast: its SDK, in the process')
    const read = run('feast/online.py', data, join(work.path, 'repo'), 'read', String(redisPort))
    const [port = 0] = await freePorts(1)
    say('Feast: its server')
    // By default a worker ends after a thousand requests, and resets its connections.
    child = spawn(join(folder, 'vf/bin/feast'), ['-c', join(work.path, 'repo'), 'serve', '-h', '127.0.0.1', '-p', String(port), '--workers', '1', '--no-access-log', '--max-requests', '1000000000'], { cwd: folder, detached: true, stdio: 'ignore', env: { ...process.env, DATA: data } })
    await until('Feast\'s server', 60_000, () => askOnce(port, feastRequest([1])).then(() => true, () => false), () => child!.exitCode === null ? undefined : 'it ended')
    return { port, sdk: { writtenPerSecond: figure(loaded, /= (\d+) entities\/s/), p50Ms: Object.fromEntries([1, 10, 100].map(b => [b, figure(read, new RegExp(`sdk batch +${b} c=1: p50 ([\\d.]+) ms`))])) }, [Symbol.asyncDispose]: stop }
  } catch (e) {
    await stop()
    throw e
  }
}

function figure (text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1]
  if (found === undefined) throw new Error(`the peer's harness did not print ${pattern.source}: ${text}`)
  return Number(found)
}
