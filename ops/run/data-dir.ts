import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { LatidoError, messageOf } from '../../streams/errors/index.ts'
import { makeDirectory } from '../../streams/files/index.ts'

/** The data directory, held by this process until it is let go. */
export interface DataDir extends Disposable { path (...parts: readonly string[]): string }

/** Makes the directory and takes its lock. Throws DATA_DIR_UNWRITABLE or DATA_DIR_IN_USE; the lock of a process that is gone is taken over. */
export function openDataDir (directory: string): DataDir {
  const root = resolve(directory)
  const lock = join(root, 'latido.lock')
  try {
    makeDirectory(root, 0o700)
    accessSync(root, constants.W_OK)
  } catch (cause) {
    throw new LatidoError('DATA_DIR_UNWRITABLE', `the data directory ${root} cannot be written: ${messageOf(cause)}`, 'choose another with LATIDO_DATA_DIR, or change its permissions', cause)
  }
  takeLock(lock, root)
  return { path: (...parts) => join(root, ...parts), [Symbol.dispose]: () => { rmSync(lock, { force: true }) } }
}

function takeLock (lock: string, root: string): void {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' })
      return
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw new LatidoError('DATA_DIR_UNWRITABLE', `the data directory ${root} cannot be written: ${messageOf(cause)}`, 'choose another with LATIDO_DATA_DIR, or change its permissions', cause)
      const holder = Number(readFileSync(lock, 'utf8'))
      if (holder !== process.pid && isLatido(holder)) throw new LatidoError('DATA_DIR_IN_USE', `process ${holder} is using ${root}`, 'stop it, or choose another directory with LATIDO_DATA_DIR')
      rmSync(lock, { force: true })
    }
  }
}

/** True if a process with this id lives and, where the system can tell, is one of ours (ids are used again after a reboot). */
function isLatido (pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const commandLine = `/proc/${pid}/cmdline`
  return !existsSync(commandLine) || /latido|ops\/cli|vitest/.test(readFileSync(commandLine, 'utf8'))
}
