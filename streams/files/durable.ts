import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** Makes a directory and those above it, each with its name on the disk: what is synced below a name that is not is lost with it. */
export function makeDirectory (path: string, mode: number = 0o777): void {
  const first = mkdirSync(path, { recursive: true, mode })
  if (first === undefined) return
  const above = dirname(resolve(first))
  for (let at = resolve(path); at !== above; at = dirname(at)) syncDirectory(dirname(at))
}

/** Puts a file in the place of the one that was there, if any: after a power cut it is the old one or the new one, whole. On the disk when it returns. */
export function replaceFile (path: string, content: string | Uint8Array, mode: number): void {
  const fresh = `${path}.new`
  try {
    writeSynced(fresh, content, mode)
    renameSync(fresh, path)
  } catch (e) {
    rmSync(fresh, { force: true })
    throw e
  }
  syncDirectory(dirname(path))
}

/** Makes a file that is there whole or not at all, and on the disk when it returns. Throws EEXIST where there is one, also if another process was quicker. */
export function makeFile (path: string, content: string | Uint8Array, mode: number): void {
  const fresh = `${path}.${randomBytes(6).toString('hex')}.new`
  try {
    writeSynced(fresh, content, mode)
    linkSync(fresh, path)
  } finally {
    rmSync(fresh, { force: true })
  }
  syncDirectory(dirname(path))
}

function writeSynced (path: string, content: string | Uint8Array, mode: number): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const file = openSync(path, 'w', mode)
  try {
    for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written, bytes.length - written, written)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Names that were made, changed or taken away in it are on the disk as they are now. */
export function syncDirectory (path: string): void {
  const directory = openSync(path, 'r')
  try { fsyncSync(directory) } finally { closeSync(directory) }
}
