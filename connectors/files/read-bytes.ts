import { createReadStream } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { LatidoError, messageOf } from '../../streams/errors/index.ts'

const CHUNK_BYTES = 256 * 1024

/** A file to read, under the name that messages may use (a file may be named after a patient). */
export interface NamedFile { readonly path: string, readonly name: string }

/**
 * The content of a file in chunks, unpacked where it is gzip. `onRead` hears the bytes read from disk so far.
 * What stands behind the first `bytesMax` bytes on disk is not read. Throws FILE_UNREADABLE (missing, no permission, disk) or FILE_INVALID (not gzip
 * though named so, cut off, damaged).
 */
export async function * readBytes (file: NamedFile, onRead: (bytes: number) => void = () => {}, bytesMax: number = Infinity): AsyncGenerator<Buffer> {
  const gzip = await isGzip(file)
  const raw = createReadStream(file.path, { highWaterMark: CHUNK_BYTES, end: bytesMax - 1 })
  const chunks: AsyncIterable<Buffer> = gzip ? pipeline(raw, createGunzip({ chunkSize: CHUNK_BYTES }), () => {}) : raw
  try {
    for await (const chunk of chunks) {
      onRead(raw.bytesRead)
      yield chunk
    }
  } catch (e) {
    throw failure(file, e)
  } finally {
    raw.destroy()
  }
}

async function isGzip (file: NamedFile): Promise<boolean> {
  const head = Buffer.alloc(2)
  let handle: FileHandle | undefined
  let bytesRead = 0
  try {
    handle = await open(file.path)
    bytesRead = (await handle.read(head, 0, 2, 0)).bytesRead
  } catch (e) {
    throw failure(file, e)
  } finally {
    await handle?.close()
  }
  if (bytesRead === 0) throw new LatidoError('FILE_INVALID', `${file.name} is empty`, 'fetch the file again')
  const gzip = bytesRead === 2 && head[0] === 0x1f && head[1] === 0x8b
  if (!gzip && file.path.endsWith('.gz')) throw new LatidoError('FILE_INVALID', `${file.name} is named .gz but is not gzip`, 'fetch the file again, or rename it if it is plain text')
  return gzip
}

/** What reading a file threw, as an operator reads it; passes a LatidoError of the consumer through. */
export function failure (file: NamedFile, e: unknown): unknown {
  const code = e instanceof Error && 'code' in e ? String(e.code) : ''
  if (code.startsWith('Z_')) return new LatidoError('FILE_INVALID', `${file.name} is damaged or cut off: ${messageOf(e)}`, 'fetch the file again and compare its checksum', e)
  if (code === 'ENOENT') return new LatidoError('FILE_UNREADABLE', `${file.name} does not exist`, 'check the path', e)
  if (code === 'EACCES' || code === 'EPERM') return new LatidoError('FILE_UNREADABLE', `${file.name} may not be read by this user`, 'give this user read permission', e)
  if (/^E[A-Z]+$/.test(code)) return new LatidoError('FILE_UNREADABLE', `${file.name} cannot be read (${code})`, 'check the path and the disk', e)
  return e
}
