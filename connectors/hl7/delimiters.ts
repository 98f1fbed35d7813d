import { STANDARD, type Delimiters } from './header.ts'

/**
 * Rewrites one segment from the sender's delimiters to `|^~\&`, so that the rest knows one set. A standard delimiter that
 * is plain text for this sender becomes a hexadecimal escape, so that no text turns into structure; escapes are decoded after the split.
 */
export function toStandard (line: string, from: Delimiters): string {
  if (isStandard(from)) return line
  const table = tableOf(from)
  let out = ''
  for (const c of line) out += table.get(c) ?? c
  return out
}

export function isStandard (d: Delimiters): boolean {
  return d.field === STANDARD.field && d.component === STANDARD.component && d.repetition === STANDARD.repetition && d.escape === STANDARD.escape && d.subcomponent === STANDARD.subcomponent
}

const PARTS = ['field', 'component', 'repetition', 'escape', 'subcomponent'] as const

function tableOf (from: Delimiters): ReadonlyMap<string, string> {
  const table = new Map<string, string>()
  for (const part of PARTS) table.set(STANDARD[part], `\\X${STANDARD[part].charCodeAt(0).toString(16)}\\`)
  for (const part of PARTS) if (from[part] !== '') table.set(from[part], STANDARD[part])
  return table
}

const ESCAPE = /\\(F|S|T|R|E|P|H|N|\.[a-z]{2}[+-]?\d{0,3}|X(?:[0-9A-Fa-f]{2})+)\\/g

/** Decodes HL7 escapes (v2.5.1, 2.7) in a value that is already split. What is no escape stays as it is. */
export function decodeEscapes (text: string, sender: Delimiters): string {
  if (!text.includes('\\')) return text
  return text.replace(ESCAPE, (_, code: string) => {
    switch (code) {
      case 'F': return sender.field
      case 'S': return sender.component
      case 'R': return sender.repetition
      case 'E': return sender.escape
      case 'T': return sender.subcomponent
      case 'P': return '#'
      case 'H': case 'N': return ''
    }
    if (code.startsWith('X')) return decodeHex(code.slice(1))
    return code.startsWith('.br') || code.startsWith('.sp') || code.startsWith('.ce') ? '\n' : code.startsWith('.sk') ? ' ' : ''
  })
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decodeHex (hex: string): string {
  const bytes = Buffer.from(hex, 'hex')
  try {
    return utf8.decode(bytes)
  } catch {
    return bytes.toString('latin1')
  }
}
