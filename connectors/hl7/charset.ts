import { TextDecoder } from 'node:util'

/** HL7 table 0211 to the WHATWG names that TextDecoder knows. UTF-16 is absent: its bytes cannot be framed safely. */
const DECODERS: Readonly<Record<string, string>> = {
  '8859/1': 'windows-1252', '8859/2': 'iso-8859-2', '8859/3': 'iso-8859-3', '8859/4': 'iso-8859-4', '8859/5': 'iso-8859-5', '8859/6': 'iso-8859-6',
  '8859/7': 'iso-8859-7', '8859/8': 'iso-8859-8', '8859/9': 'windows-1254', '8859/10': 'iso-8859-10', '8859/13': 'iso-8859-13', '8859/14': 'iso-8859-14', '8859/15': 'iso-8859-15',
  'GB 18030-2000': 'gb18030', 'GB 18030': 'gb18030', 'BIG-5': 'big5', 'KS X 1001': 'euc-kr', 'ISO IR87': 'iso-2022-jp', 'ISO IR 87': 'iso-2022-jp', 'ISO IR14': 'shift_jis', 'ISO IR 14': 'shift_jis',
}
const UNFRAMEABLE: ReadonlySet<string> = new Set(['UNICODE UTF-16', 'UNICODE UTF-32'])
const SINGLE_BYTE = /^(8859\/|$)/

export type Decoded =
  /** `fallback`: not valid UTF-8, read as windows-1252. `mismatch`: declared otherwise, but plainly UTF-8. */
  | { readonly kind: 'ok', readonly text: string, readonly notice?: 'charset-fallback' | 'charset-mismatch' }
  | { readonly kind: 'charset-invalid' }

/**
 * Payload to text, after framing. Many senders declare a charset that they do not send, so bytes above 127 that are valid
 * UTF-8 are UTF-8 whatever single-byte set MSH-18 names, and undeclared bytes that are not become windows-1252; both are counted.
 */
export function decodePayload (raw: Buffer, declared: string): Decoded {
  const name = declared.trim().toUpperCase()
  if (UNFRAMEABLE.has(name)) return { kind: 'charset-invalid' }
  const known = DECODERS[name]
  if (known !== undefined && !SINGLE_BYTE.test(name)) {
    const text = decode(raw, known)
    return text === undefined ? { kind: 'charset-invalid' } : { kind: 'ok', text }
  }
  const utf8 = decode(raw, 'utf-8')
  if (utf8 !== undefined) return known !== undefined && utf8.length !== raw.length ? { kind: 'ok', text: utf8, notice: 'charset-mismatch' } : { kind: 'ok', text: utf8 }
  if (known !== undefined) {
    const text = decode(raw, known)
    if (text !== undefined) return { kind: 'ok', text }
  }
  return { kind: 'ok', text: windows1252(raw), notice: 'charset-fallback' }
}

/** 0x80 to 0x9f; the rest of windows-1252 is latin1. By hand, as TextDecoder in some releases of Node reads latin1 under this name. */
const WINDOWS_1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ'

function windows1252 (raw: Buffer): string {
  return raw.toString('latin1').replace(/[\x80-\x9f]/g, c => WINDOWS_1252.charAt(c.charCodeAt(0) - 0x80))
}

const decoders = new Map<string, TextDecoder>()

function decode (raw: Buffer, label: string): string | undefined {
  if (label === 'windows-1252') return windows1252(raw)
  let decoder = decoders.get(label)
  if (decoder === undefined) decoders.set(label, decoder = new TextDecoder(label, { fatal: true }))
  try {
    return decoder.decode(raw)
  } catch {
    return undefined
  }
}
