/**
 * What a receiver has to answer to a stream of bytes, found the simple way: one byte after another over the whole stream, and MSH by splitting.
 * It shares no code with the product; what it does not know (whether a message can be mapped) it leaves open.
 */
export interface Expected {
  readonly payload: Buffer
  readonly tooLarge: boolean
}

export function framesOf (stream: Buffer, bytesMax: number): readonly Expected[] {
  const frames: Expected[] = []
  let start = -1
  let skipping = false
  for (let i = 0; i < stream.length; i++) {
    const byte = stream[i]!
    if (byte === 0x0b) {
      start = i + 1
      skipping = false
    } else if (start >= 0 && byte === 0x1c) {
      if (!skipping) frames.push({ payload: stream.subarray(start, i), tooLarge: false })
      start = -1
    } else if (start >= 0 && !skipping && i - start + 1 > bytesMax) {
      frames.push({ payload: stream.subarray(start, Math.min(i, start + 65_536)), tooLarge: true })
      skipping = true
    }
  }
  return frames
}

/** Words with which a connection shows that it is no MLLP. */
export function isStranger (stream: Buffer): boolean {
  return (stream[0] === 0x16 && stream[1] === 0x03) || /^((GET|HEAD|POST|PUT|DELETE|OPTIONS|CONNECT|TRACE|PATCH) |PRI \* )/.test(stream.toString('latin1', 0, 16))
}

interface Header { readonly fields: readonly string[], readonly component: string, readonly repetition: string }

const PUNCTUATION = /^[!-/:-@[-`{-~]+$/

function headerAt (text: string): Header | undefined {
  const line = text.slice(0, 65_536).split(/[\r\n]/, 1)[0]!
  const separator = line.charAt(3)
  if (!line.startsWith('MSH') || separator === '') return undefined
  const fields = line.split(separator)
  const encoding = fields[1] ?? ''
  const all = separator + encoding
  if (encoding.length < 1 || encoding.length > 5 || !PUNCTUATION.test(all) || new Set(all).size !== all.length) return undefined
  return { fields, component: encoding.charAt(0), repetition: encoding.charAt(1) }
}

function first (header: Header | undefined, n: number): string {
  const field = header?.fields[n - 1] ?? ''
  const one = header === undefined || header.repetition === '' ? field : field.split(header.repetition)[0]!
  return header === undefined ? one : one.split(header.component)[0]!
}

export interface Owed {
  /** Bytes that are no HL7, or too many, are rejected; of others only the mapping knows. */
  readonly mustReject: boolean
  readonly controlId: string
  /** A response batch, or one reject without a control id. */
  readonly batch: boolean
  /** MSA-1 of each answer, once the first has said what became of the message. */
  codes (first: string): readonly string[]
}

/** What is owed for one frame. */
export function owedFor ({ payload, tooLarge }: Expected): Owed {
  const text = payload.toString('latin1')
  const bare = text.replace(/^\xef\xbb\xbf/, '').replace(/^[\r\n]+/, '')
  const own = headerAt(bare)
  const batch = own === undefined && !tooLarge && /^(FHS|BHS)[^A-Za-z0-9\s]/.test(text.slice(0, 64).replace(/^\xef\xbb\xbf/, '').replace(/^[\r\n]+/, ''))
  const at = text.slice(0, 4096).indexOf('MSH')
  const header = own ?? (at < 0 || batch ? undefined : headerAt(text.slice(at)))
  const [accept, apply] = [first(header, 15).trim(), first(header, 16).trim()]
  return {
    mustReject: tooLarge || (own === undefined && !batch), controlId: header?.fields[9] ?? '', batch,
    codes: said => {
      const accepted = said.endsWith('A')
      const wants = (condition: string): boolean => condition === 'AL' || condition === (accepted ? 'SU' : 'ER')
      const all = [...wants(accept) ? [`C${said.charAt(1)}`] : [], ...wants(apply) ? [`A${said.charAt(1)}`] : []]
      return all.length === 0 ? [`A${said.charAt(1)}`] : accepted ? all : all.slice(0, 1)
    },
  }
}

/** How many messages a batch holds, as a reader of lines sees it. */
export function messagesIn (payload: Buffer): number {
  return payload.toString('latin1').replace(/^\xef\xbb\xbf/, '').split(/[\r\n]+/).filter(line => /^MSH([^A-Za-z0-9\s]|$)/.test(line)).length
}
