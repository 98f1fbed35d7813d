import { existsSync, readFileSync } from 'node:fs'
import { LatidoError, messageOf } from '../../../streams/errors/index.ts'
import { replaceFile } from '../../../streams/files/index.ts'
import type { DataDir } from '../data-dir.ts'

/**
 * A data directory belongs to one log: its snapshots, its online rows and what it knows as received are of that log, and would be wrong on
 * another. The first start writes down which; throws CONFIG_INVALID when it is another now.
 */
export function bindToLog (dir: DataDir, log: string): void {
  const file = dir.path('log-of-this-directory')
  const before = boundTo(dir, file)
  if (before === log) return
  if (before !== undefined) throw new LatidoError('CONFIG_INVALID', `the data directory belongs to another log (${before}, and now ${log})`, 'choose another with --data-dir, or configure the log that it belongs to')
  try {
    replaceFile(file, `${log}\n`, 0o600)
  } catch (cause) {
    throw new LatidoError('DATA_DIR_UNWRITABLE', `the data directory cannot be written: ${messageOf(cause)}`, 'change its permissions, or free the disk', cause)
  }
}

/** A directory of before this was written down holds the embedded log. */
function boundTo (dir: DataDir, file: string): string | undefined {
  if (existsSync(file)) return readFileSync(file, 'utf8').trimEnd()
  return existsSync(dir.path('log')) ? 'embedded' : undefined
}
