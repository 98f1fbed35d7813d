import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { tempDir } from '../temp-dir.ts'
import { startChild, type Child } from './child.ts'
import { freePorts, until } from './ports.ts'

const READY_WITHIN_MS = 20_000
/** Debian keeps it where users do not look. */
const PLACES = ['mosquitto', '/usr/sbin/mosquitto']

/** A mosquitto of a test's own on loopback that keeps its sessions on disk, and may be killed and started again. */
export interface MosquittoServer extends AsyncDisposable {
  readonly port: number
  readonly url: string
  readonly directory: string
  readonly running: boolean
  /** SIGKILL. */
  kill (): Promise<void>
  /** Starts it again where it was. */
  start (): Promise<void>
  /** Resolves when what it holds is on disk (it writes a new file at SIGUSR1). */
  save (): Promise<void>
}

function program (): string | undefined { return PLACES.find(place => spawnSync(place, ['-h']).error === undefined) }

export function missingMosquitto (): string | undefined { return program() === undefined ? 'no mosquitto' : undefined }

/** `config`: more lines of mosquitto.conf. Queues have no bound, as they must have where nothing may be lost. */
export async function startMosquitto (config: readonly string[] = []): Promise<MosquittoServer> {
  const [port = 0] = await freePorts(1)
  const directory = tempDir()
  const output = join(directory.path, 'output')
  const kept = join(directory.path, 'mosquitto.db')
  const file = join(directory.path, 'mosquitto.conf')
  const access = config.some(line => line.startsWith('password_file') || line.startsWith('require_certificate')) ? [] : ['allow_anonymous true']
  writeFileSync(file, [`listener ${port} 127.0.0.1`, ...access, 'persistence true', `persistence_location ${directory.path}/`, 'autosave_interval 0', 'max_queued_messages 0', 'max_inflight_messages 0', 'set_tcp_nodelay true', ...process.getuid?.() === 0 ? ['user root'] : [], ...config, ''].join('\n'))
  let child: Child | undefined
  const server: MosquittoServer = {
    port, url: `mqtt://127.0.0.1:${port}`, directory: directory.path,
    get running () { return child?.running === true },
    kill: async () => { await child?.kill() },
    start: async () => {
      const started = child = startChild(program() ?? 'mosquitto', ['-c', file], { cwd: directory.path, logFile: output, directory: directory.path })
      await until('mosquitto', READY_WITHIN_MS, () => answers(port), () => started.running ? undefined : `it ended: ${readFileSync(output, 'utf8').slice(-2_000)}`)
    },
    save: async () => {
      const before = sizeAndTime(kept)
      child?.signal('SIGUSR1')
      await until('mosquitto to save', READY_WITHIN_MS, () => Promise.resolve(sizeAndTime(kept) !== before))
    },
    [Symbol.asyncDispose]: async () => { await child?.kill(); directory.remove() },
  }
  try {
    await server.start()
    return server
  } catch (e) {
    await server[Symbol.asyncDispose]()
    throw e
  }
}

/** The file is replaced by a rename, so a new one is another inode. */
function sizeAndTime (path: string): string {
  const said = spawnSync('stat', ['-c', '%i %s %y', path], { encoding: 'utf8' })
  return said.status === 0 ? said.stdout : ''
}

function answers (port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => { resolve(true); socket.destroy() })
    socket.on('error', () => { resolve(false) })
  })
}
