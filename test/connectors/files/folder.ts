import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { HistoricalMessage, HistoricalSource } from '../../../connectors/files/index.ts'

/** A folder with these files, gone after the test; names ending in .gz are packed. */
export class TemporaryFolder implements AsyncDisposable {
  readonly path: string
  private constructor (path: string) { this.path = path }

  static async of (files: Readonly<Record<string, string>>): Promise<TemporaryFolder> {
    const folder = new TemporaryFolder(await mkdtemp(join(tmpdir(), 'latido-files-')))
    for (const [name, text] of Object.entries(files)) await writeFile(folder.file(name), name.endsWith('.gz') ? gzipSync(text) : text)
    return folder
  }

  file (name: string): string { return join(this.path, name) }

  async [Symbol.asyncDispose] (): Promise<void> { await rm(this.path, { recursive: true, force: true }) }
}

export async function all (source: HistoricalSource): Promise<HistoricalMessage[]> {
  const messages: HistoricalMessage[] = []
  for await (const message of source) messages.push(message)
  return messages
}
