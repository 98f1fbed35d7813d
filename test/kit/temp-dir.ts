import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory of a test's own; `remove` when done. */
export function tempDir (): { readonly path: string, remove (): void } {
  const path = mkdtempSync(join(tmpdir(), 'latido-test-'))
  return { path, remove: () => { rmSync(path, { recursive: true, force: true, maxRetries: 3 }) } }
}
