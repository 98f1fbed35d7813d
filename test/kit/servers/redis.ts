import { spawnSync } from 'node:child_process'
import { connect } from 'node:net'
import { freePorts } from './ports.ts'
import { redisStackFiles } from './redis-stack.ts'
import { startRestartable, type Restartable } from './restartable.ts'

const READY_WITHIN_MS = 30_000

export interface RedisOptions {
  /** With search and JSON. */
  readonly stack?: boolean
  /** Options of redis-server that make its port one of TLS alone. */
  readonly tls?: readonly string[]
  /** More options of redis-server, as on its command line. */
  readonly args?: readonly string[]
  /** What a client says to get in, where there is a password. */
  readonly cliArgs?: readonly string[]
}

/** A Redis of a test's own on loopback, that may be killed, stopped and started again. Nothing is kept on disk unless `args` say so. */
export interface RedisServer extends Restartable {
  readonly port: number
  readonly url: string
  /** Runs redis-cli and answers what it prints. Throws where the server refuses. */
  cli (...args: readonly string[]): string
}

export function missingRedis (): string | undefined {
  for (const program of ['redis-server', 'redis-cli']) if (spawnSync(program, ['--version']).status !== 0) return `no ${program}`
  return undefined
}

export async function startRedis ({ stack = false, tls, args = [], cliArgs = [] }: RedisOptions = {}): Promise<RedisServer> {
  const [port = 0] = await freePorts(1)
  const { command, before } = stack ? await redisStackFiles() : { command: 'redis-server', before: [] }
  const cli = (...words: readonly string[]): string => {
    const ran = spawnSync('redis-cli', ['-h', '127.0.0.1', '-p', String(port), '-e', ...cliArgs, ...words], { encoding: 'utf8' })
    if (ran.status !== 0) throw new Error(`redis-cli ${words[0] ?? ''}: ${ran.stdout}${ran.stderr}`)
    return ran.stdout.trim()
  }
  const server = await startRestartable({
    name: 'Redis', command, answers: () => answers(port), readyWithinMs: READY_WITHIN_MS,
    args: directory => [...before, ...(tls === undefined ? ['--port', String(port)] : [...tls, '--tls-port', String(port)]), '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--daemonize', 'no', ...args],
  })
  return Object.assign(server, { port, url: `redis://127.0.0.1:${port}`, cli })
}

/** Any answer but that it is still loading will do: it may ask for a password, or for TLS and break the connection. */
function answers (port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    const done = (answer: boolean): void => { resolve(answer); socket.destroy() }
    let connected = false
    socket.setTimeout(1_000, () => { done(false) })
    socket.on('error', () => { done(connected) })
    socket.on('close', () => { done(connected) })
    socket.on('data', bytes => { done(!bytes.toString().startsWith('-LOADING')) })
    socket.on('connect', () => { connected = true; socket.write('PING\r\n') })
  })
}
