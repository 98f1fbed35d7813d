import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { freePorts, until } from './ports.ts'
import { startRestartable, type Restartable } from './restartable.ts'

const READY_WITHIN_MS = 20_000
/** Debian keeps it where users do not look. */
const PLACES = ['mosquitto', '/usr/sbin/mosquitto']

/** A mosquitto of a test's own on loopback that keeps its sessions on disk, and may be killed and started again. */
export interface MosquittoServer extends Restartable {
  readonly port: number
  readonly url: string
  /** Resolves when what it holds is on disk (it writes a new file at SIGUSR1). */
  save (): Promise<void>
}

function program (): string | undefined { return PLACES.find(place => spawnSync(place, ['-h']).error === undefined) }

export function missingMosquitto (): string | undefined { return program() === undefined ? 'no mosquitto' : undefined }

/** `config`: more lines of mosquitto.conf. Queues have no bound, as they must have where nothing may be lost. */
export async function startMosquitto (config: readonly string[] = []): Promise<MosquittoServer> {
  const [port = 0] = await freePorts(1)
  const access = config.some(line => line.startsWith('password_file') || line.startsWith('require_certificate')) ? [] : ['allow_anonymous true']
  const server = await startRestartable({
    name: 'mosquitto', command: program() ?? 'mosquitto', answers: () => answers(port), readyWithinMs: READY_WITHIN_MS,
    args: directory => {
      const file = join(directory, 'mosquitto.conf')
      writeFileSync(file, [`listener ${port} 127.0.0.1`, ...access, 'persistence true', `persistence_location ${directory}/`, 'autosave_interval 0', 'max_queued_messages 0', 'max_inflight_messages 0', 'set_tcp_nodelay true', ...process.getuid?.() === 0 ? ['user root'] : [], ...config, ''].join('\n'))
      return ['-c', file]
    },
  })
  const kept = join(server.directory, 'mosquitto.db')
  return Object.assign(server, {
    port, url: `mqtt://127.0.0.1:${port}`,
    save: async () => {
      const before = sizeAndTime(kept)
      server.signal('SIGUSR1')
      await until('mosquitto to save', READY_WITHIN_MS, () => Promise.resolve(sizeAndTime(kept) !== before))
    },
  })
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
