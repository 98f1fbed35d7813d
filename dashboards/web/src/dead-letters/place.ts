/** A line of a refused message in three parts: `marked` is what was refused, empty where the line is not the one. */
export interface MessageLine { readonly before: string, readonly marked: string, readonly after: string, readonly isPlace: boolean }

const LINES_MAX = 500
const CHARACTERS_MAX = 65_536

/** What bytes say: UTF-8, else windows-1252, as senders mean that say nothing. */
export function textOf (bytes: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}

/**
 * The lines of a message, and where in them the refusal stands: `OBX-5 of segment 7` is field 5 of the seventh segment. The letter of a refused row
 * has that row alone, under the number that it had in its message: then the only segment of the name is meant. What is no HL7 has no marked place.
 */
export function linesOf (text: string, detail: string): readonly MessageLine[] {
  const lines = text.slice(0, CHARACTERS_MAX).split(/\r\n|\r|\n/).filter(line => line !== '').slice(0, LINES_MAX)
  const [, name, field, number] = /^([A-Z][A-Z0-9]{2})-(\d+) of segment (\d+)/.exec(detail) ?? []
  const named = lines.flatMap((line, i) => name !== undefined && line.startsWith(name) ? [i] : [])
  const place = named.find(i => i + 1 === Number(number)) ?? (named.length === 1 ? named[0] : undefined)
  const separator = text.startsWith('MSH') ? text.charAt(3) : '|'
  return lines.map((line, i) => i === place ? markField(line, separator, Number(field)) : { before: line, marked: '', after: '', isPlace: false })
}

function markField (line: string, separator: string, field: number): MessageLine {
  const fields = line.split(separator)
  const at = line.startsWith('MSH') ? field - 1 : field
  const marked = fields[at]
  if (marked === undefined) return { before: line, marked: '', after: '', isPlace: true }
  const before = fields.slice(0, at).join(separator) + separator
  return { before, marked, after: line.slice(before.length + marked.length), isPlace: true }
}
