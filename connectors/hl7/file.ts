import { createReadStream } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import { isLatidoError, LatidoError, messageOf } from '../../streams/errors/index.ts'
import { BatchCounts, type BatchSegment } from './batch-counts.ts'
import { FS, VT } from './framer.ts'

/** A file that somebody else reads; `json`: a message a line, as JSON. */
export interface Hl7Content { readonly name: string, readonly json: boolean, content (): AsyncIterable<Buffer> }

/**
 * The messages of a file, ready to send. `.jsonl`: one a line, `{"msg": ...}`, `{"message": ...}` or a JSON string. Anything else is
 * text, kept byte for byte: each MSH at the start of a line begins a message; blank lines, MLLP's own bytes and the batch
 * segments FHS, BHS, BTS, FTS fall away; where a trailer counts otherwise than what stands before it, `onMismatch` is told. Throws
 * FILE_UNREADABLE, or FILE_INVALID with the line.
 */
export async function * readHl7File (file: string | Hl7Content, onMismatch: (what: string) => void = () => {}): AsyncIterable<Buffer> {
  const path = typeof file === 'string' ? file : file.name
  const json = typeof file === 'string' ? /\.(jsonl|ndjson)$/i.test(path) : file.json
  const chunks = typeof file === 'string' ? createReadStream(path) : file.content()
  const lines = linesOf(textOf(chunks, json ? 'utf8' : 'latin1'), json ? /\r?\n/ : /\r\n|\r|\n/)
  try {
    yield * json ? fromJson(lines, path) : fromText(lines, path, onMismatch)
  } catch (e) {
    throw isLatidoError(e) ? e : new LatidoError('FILE_UNREADABLE', `cannot read ${path}: ${messageOf(e)}`, 'check the path and its permissions', e)
  }
}

async function * textOf (chunks: AsyncIterable<Buffer>, encoding: 'utf8' | 'latin1'): AsyncIterable<string> {
  const decoder = new StringDecoder(encoding)
  for await (const chunk of chunks) yield decoder.write(chunk)
  const rest = decoder.end()
  if (rest !== '') yield rest
}

async function * linesOf (chunks: AsyncIterable<string>, end: RegExp): AsyncIterable<string> {
  let held = ''
  for await (const chunk of chunks) {
    held += chunk
    // A CR at the end may be half of a CRLF.
    const cut = held.endsWith('\r') ? held.length - 1 : held.length
    const lines = held.slice(0, cut).split(end)
    held = (lines.pop() ?? '') + held.slice(cut)
    yield * lines
  }
  if (held !== '') yield * held.split(end)
}

async function * fromJson (lines: AsyncIterable<string>, path: string): AsyncIterable<Buffer> {
  let number = 0
  for await (const line of lines) {
    number++
    if (line.trim() === '') continue
    const text = messageIn(line)
    if (text === undefined) throw invalid(path, `line ${number} holds no message`, 'write one JSON string, or an object with "msg" or "message", a line')
    yield Buffer.from(text.replace(/\r\n|\n/g, '\r'), 'utf8')
  }
}

function messageIn (line: string): string | undefined {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'string') return value
    if (typeof value !== 'object' || value === null) return undefined
    const found = 'msg' in value ? value.msg : 'message' in value ? value.message : undefined
    return typeof found === 'string' ? found : undefined
  } catch {
    return undefined
  }
}

async function * fromText (lines: AsyncIterable<string>, path: string, onMismatch: (what: string) => void): AsyncIterable<Buffer> {
  let held: string[] = []
  let number = 0
  let any = false
  const counts = new BatchCounts()
  for await (const piece of lines) {
    number++
    const line = withoutFraming(piece)
    if (/^MSH[^A-Za-z0-9\s]/.test(line.replace(BOM, ''))) {
      if (held.length > 0) yield toMessage(held)
      held = []
      any = true
      counts.message()
    } else if (line.trim() === '') continue
    else if (/^(FHS|BHS|BTS|FTS)([^A-Za-z0-9\s]|$)/.test(line.replace(BOM, ''))) {
      const mismatch = counts.see(line.replace(BOM, '').slice(0, 3) as BatchSegment, line)
      if (mismatch !== undefined) onMismatch(`line ${number}: ${mismatch}`)
      continue
    }
    else if (!any) throw invalid(path, `line ${number} stands before the first MSH`, 'give a file of HL7 v2 messages')
    held.push(line)
  }
  if (held.length > 0) yield toMessage(held)
}

/** As latin1 reads it. */
const BOM = /^\xef\xbb\xbf/
const FRAMING = [String.fromCharCode(VT), String.fromCharCode(FS)] as const

function withoutFraming (line: string): string { return FRAMING.reduce((rest: string, byte) => rest.replaceAll(byte, ''), line) }

function toMessage (lines: readonly string[]): Buffer { return Buffer.from(lines.map(line => `${line}\r`).join(''), 'latin1') }

function invalid (path: string, what: string, action: string): LatidoError { return new LatidoError('FILE_INVALID', `${path}: ${what}`, action) }
