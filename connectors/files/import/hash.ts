import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { failure, type NamedFile } from '../read-bytes.ts'

const CHUNK_BYTES = 1024 * 1024

/** SHA-256 of a file's first `bytes` bytes, at each of the ascending lengths in `at` and at the end; in one reading. */
export async function hashesOf (file: NamedFile, bytes: number, at: readonly number[] = [], onRead: (bytes: number) => void = () => {}): Promise<ReadonlyMap<number, string>> {
  const marks = [...new Set([...at.filter(mark => mark < bytes), bytes])].sort((a, b) => a - b)
  const hashes = new Map<number, string>()
  const hash = createHash('sha256')
  let read = 0
  const note = (): void => { while (marks[0] === read) hashes.set(marks.shift()!, textOf(hash)) }
  note()
  if (bytes > 0) {
    try {
      for await (const chunk of createReadStream(file.path, { highWaterMark: CHUNK_BYTES, end: bytes - 1 }) as AsyncIterable<Buffer>) {
        for (let from = 0; from < chunk.length;) {
          const to = Math.min(chunk.length, from + (marks[0] ?? Infinity) - read)
          hash.update(chunk.subarray(from, to))
          read += to - from
          from = to
          note()
        }
        onRead(read)
      }
    } catch (e) {
      throw failure(file, e)
    }
  }
  return hashes
}

/** Of several files that are one: their hashes in a fixed order. */
export async function hashOfAll (files: readonly { readonly file: NamedFile, readonly bytes: number }[], onRead: (bytes: number) => void = () => {}): Promise<string> {
  const hash = createHash('sha256')
  let before = 0
  for (const { file, bytes } of files) {
    const hashes = await hashesOf(file, bytes, [], read => { onRead(before + read) })
    hash.update(`${hashes.get(bytes) ?? ''} ${bytes}\n`)
    before += bytes
  }
  return hash.digest('hex')
}

export function textHash (text: string): string { return createHash('sha256').update(text).digest('hex') }

function textOf (hash: Hash): string { return hash.copy().digest('hex') }
