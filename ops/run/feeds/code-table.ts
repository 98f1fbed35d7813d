import { IGNORE, type CodeMeaning } from '../../../connectors/kit/index.ts'
import type { CodeSaid, CodesPage, CodeToMap, MappedCode } from '../../../dashboards/server/index.ts'
import { codeKey, codesFileOf, faultOf, lineOfFault, readCodes, removeCode, replaceFile, textOf, writeCodes, type CodeRow, type CodesFile } from '../../config/index.ts'

type Codes = CodesFile['codes']
type Faulty = { readonly kind: 'file-faulty', readonly why: string }
type Refused = Faulty | { readonly kind: 'invalid', readonly why: string } | { readonly kind: 'mapped-otherwise', readonly concept: string, readonly unit: string } | { readonly kind: 'gone' }
export type TableChange = { readonly kind: 'changed', readonly codes: Codes } | Refused

/** Where a feed's table of codes stands, and the spellings of units that the feed uses. */
export interface TablePlace { readonly folder: string, readonly feed: string, readonly units: ReadonlyMap<string, string> }

/** The rows whose system, code or concept has the text, in the order of the file. Throws FILE_UNREADABLE. */
export function codesOf (place: TablePlace, find: string, limit: number): { readonly kind: 'codes', readonly page: CodesPage } | Faulty {
  const read = readTable(place)
  if (read.kind !== 'ok') return read
  const wanted = find.trim().toLowerCase()
  const found = read.rows.filter(({ system, code, concept }) => `${system} | ${code} ${concept}`.toLowerCase().includes(wanted))
  return { kind: 'codes', page: { total: read.rows.length, matching: found.length, codes: found.slice(0, limit) } }
}

/** Writes what a code means. Another meaning in the table stands, unless the caller saw it (`was`) or overrules whatever stands (`replace`). Throws FILE_UNREADABLE. */
export function putCode (place: TablePlace, { replace = false, was, ...row }: CodeToMap): TableChange {
  const why = faultOf(row, place.units)
  if (why !== undefined) return { kind: 'invalid', why }
  const read = readTable(place)
  if (read.kind !== 'ok') return read
  const said = saidOf(read.codes.get(codeKey(row)))
  if (said === undefined && was !== undefined) return { kind: 'gone' }
  if (said !== undefined && !replace && !isSame(said, row) && !(was !== undefined && isSame(said, was))) return { kind: 'mapped-otherwise', ...said }
  return write(place, writeCodes(read.text, [row]))
}

/** Takes a row out, if it still says what the caller saw. Throws FILE_UNREADABLE. */
export function takeOutCode (place: TablePlace, row: MappedCode): TableChange {
  const read = readTable(place)
  if (read.kind !== 'ok') return read
  const said = saidOf(read.codes.get(codeKey(row)))
  if (said === undefined) return { kind: 'gone' }
  return isSame(said, row) ? write(place, removeCode(read.text, row)) : { kind: 'mapped-otherwise', ...said }
}

function readTable ({ folder, feed, units }: TablePlace): { readonly kind: 'ok', readonly text: string, readonly codes: Codes, readonly rows: readonly CodeRow[] } | Faulty {
  const file = codesFileOf(feed)
  const text = textOf(folder, file) ?? ''
  if (text === '') return { kind: 'ok', text, codes: new Map(), rows: [] }
  const { codes, rows, faults } = readCodes(file, text, units)
  return faults[0] === undefined ? { kind: 'ok', text, codes, rows } : { kind: 'file-faulty', why: lineOfFault(faults[0]) }
}

function write ({ folder, feed, units }: TablePlace, text: string): TableChange {
  const file = codesFileOf(feed)
  const { codes, faults } = readCodes(file, text, units)
  if (faults[0] !== undefined) return { kind: 'invalid', why: faults[0].why }
  replaceFile(folder, file, text)
  return { kind: 'changed', codes }
}

function saidOf (meaning: CodeMeaning | undefined): CodeSaid | undefined {
  if (meaning === undefined) return undefined
  return meaning === IGNORE ? { concept: IGNORE, unit: '' } : { concept: meaning.concept, unit: meaning.unit ?? '' }
}

function isSame (a: CodeSaid, b: CodeSaid): boolean { return a.concept === b.concept && a.unit === b.unit }
