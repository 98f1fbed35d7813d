import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Checking } from './check-child.ts'

/** What was wrong with images of the disk that `record` left in `directory`; a process that died over one is among it. */
export async function wrongImages (directory: string, what: Checking): Promise<readonly string[]> {
  const child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('check-child.ts', import.meta.url)), directory, join(directory, 'disk'), JSON.stringify(what)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (data: Buffer) => { text += data.toString() })
  const [code, signal] = await once(child, 'close') as [number | null, string | null]
  const lines = text.split('\n').filter(line => line !== '')
  const died = code === 0 && lines.length === what.images ? [] : [`the process ended after ${lines.length} of ${what.images} images: ${signal ?? String(code)}`]
  return [...lines.filter(line => !line.endsWith(': ok')), ...died]
}
