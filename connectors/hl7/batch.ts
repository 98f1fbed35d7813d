import { BatchCounts } from './batch-counts.ts'
import { CR } from './framer.ts'
import { readHeader, type Header } from './header.ts'

const LF = 0x0a

/** One BHS with its messages; `header` is absent where messages stand without a BHS. */
export interface Batch { readonly header: Header | undefined, readonly messages: readonly Buffer[] }

/** `mismatches`: trailers that count otherwise than what came. `bad`: the batch segments cannot be read, or something stands where only a message may. */
export type Batches =
  | { readonly kind: 'batches', readonly file: Header | undefined, readonly batches: readonly Batch[], readonly mismatches: readonly string[] }
  | { readonly kind: 'bad', readonly detail: string }
  | { readonly kind: 'too-many' }

/** Takes a frame with FHS or BHS apart (HL7 v2.5.1, 2.10.3): `[FHS] { [BHS] { MSH ... } [BTS] } [FTS]`. Messages keep their bytes. */
export function readBatches (raw: Buffer, messagesMax: number): Batches {
  let file: Header | undefined
  const batches: { header: Header | undefined, messages: Buffer[] }[] = []
  let message: { readonly from: number } | undefined
  let count = 0
  const counts = new BatchCounts()
  const mismatches: string[] = []
  const close = (to: number): void => {
    if (message !== undefined) { batches.at(-1)!.messages.push(raw.subarray(message.from, to)); count++ }
    message = undefined
  }
  for (const { name, from, to } of linesOf(raw)) {
    if (count > messagesMax) return { kind: 'too-many' }
    switch (name) {
      case 'FHS': case 'BHS': {
        close(from)
        counts.see(name, '')
        const header = batchHeader(raw.subarray(from, to))
        if (header === undefined) return { kind: 'bad', detail: `${name} has no usable delimiters` }
        if (name === 'FHS') file = header; else batches.push({ header, messages: [] })
        break
      }
      case 'BTS': case 'FTS': {
        close(from)
        const mismatch = counts.see(name, raw.toString('latin1', from, to))
        if (mismatch !== undefined) mismatches.push(mismatch)
        break
      }
      case 'MSH': {
        close(from)
        if (batches.length === 0) batches.push({ header: undefined, messages: [] })
        message = { from }
        counts.message()
        break
      }
      default: if (message === undefined && to > from) return { kind: 'bad', detail: 'a segment outside the messages of a batch' }
    }
  }
  close(raw.length)
  return count > messagesMax ? { kind: 'too-many' } : { kind: 'batches', file, batches, mismatches }
}

/** FHS and BHS have the delimiters, addresses and identifiers of MSH in the same fields, but for 11 (control id) and 12 (reference). */
function batchHeader (line: Buffer): Header | undefined { return readHeader(Buffer.concat([Buffer.from('MSH'), line.subarray(3)])) }

function * linesOf (raw: Buffer): Iterable<{ readonly name: string, readonly from: number, readonly to: number }> {
  let from = raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf ? 3 : 0
  while (from < raw.length) {
    let to = from
    while (to < raw.length && raw[to] !== CR && raw[to] !== LF) to++
    if (to > from) yield { name: nameOf(raw, from), from, to }
    from = to + 1
  }
}

/** The segment's name where a delimiter follows; empty for anything else. */
function nameOf (raw: Buffer, from: number): string {
  const [name, next] = [raw.toString('latin1', from, from + 3), raw.toString('latin1', from + 3, from + 4)]
  return /^[^A-Za-z0-9\s]$/.test(next) || (next === '' || next === '\r' || next === '\n') ? name : ''
}
