import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const LOOK_AGAIN_MS = 200
const WAIT_MAX_MS = 300_000

/** One process at a time goes through: a directory is made whole or not at all. A lock whose owner is gone is taken over. */
export async function withLock<T> (path: string, run: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true })
  for (let waited = 0; !take(path); waited += LOOK_AGAIN_MS) {
    if (waited > WAIT_MAX_MS) throw new Error(`another process holds ${path}`)
    if (!alive(ownerOf(path))) rmSync(path, { recursive: true, force: true })
    else await sleep(LOOK_AGAIN_MS)
  }
  try {
    return await run()
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
}

function take (path: string): boolean {
  try { mkdirSync(path) } catch { return false }
  writeFileSync(join(path, 'pid'), String(process.pid))
  return true
}

/** undefined: just being taken. */
function ownerOf (path: string): number | undefined {
  try { return Number(readFileSync(join(path, 'pid'), 'utf8')) || undefined } catch { return undefined }
}

function alive (pid: number | undefined): boolean {
  if (pid === undefined) return true
  try { process.kill(pid, 0); return true } catch { return false }
}
