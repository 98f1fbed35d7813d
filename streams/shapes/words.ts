import type { z } from 'zod'

type Raw = z.core.$ZodRawIssue

/** What stands between what is there and what was expected. */
const EXPECTED = '; expected: '
const QUOTED_CHARACTERS_MAX = 40
const NAMES_SHOWN_MAX = 8

/** Whether a sentence may repeat what was said. `hidden`: it may be a patient's, or a secret. */
export type Values = 'shown' | 'hidden'

/** One fault in plain words: what stands there, and what was expected. Nothing else than a number out of its range and a word that is none of a list is ever repeated. */
export function sentenceOf (issue: Raw, values: Values): string {
  switch (issue.code) {
    case 'invalid_type': return said(is(issue.input, issue.expected), typeWords(issue.expected, issue.inst))
    case 'invalid_value': return said(chosen(issue.input, values), oneOf(issue.values))
    case 'too_small': return said(size(issue.input, issue.origin, 'small', values), least(issue.minimum, issue.origin, issue.exact === true, issue.inclusive !== false))
    case 'too_big': return said(size(issue.input, issue.origin, 'big', values), most(issue.maximum, issue.origin, issue.exact === true, issue.inclusive !== false))
    case 'not_multiple_of': return said(values === 'shown' ? `it is ${String(issue.input)}` : 'it does not fit', `a multiple of ${String(issue.divisor)}`)
    case 'invalid_format': return said(issue.input === '' ? 'it is empty' : 'it is a text of another form', formatWords(issue.format, issue))
    case 'unrecognized_keys': return 'there is no such option'
    case 'invalid_union': return unionWords(issue, values)
    case 'invalid_key': return `its name is not one that is allowed: ${issue.issues[0]?.message ?? 'it is not as described'}`
    case 'invalid_element': return `an entry is not as described: ${issue.issues[0]?.message ?? ''}`
    default: return 'it is not as described'
  }
}

/** Of several sentences about one place: what it is, and all that would have been right. */
export function joined (sentences: readonly string[]): string {
  const [is = ''] = sentences[0]?.split(EXPECTED) ?? []
  return said(is, [...new Set(sentences.map(one => one.split(EXPECTED)[1] ?? one))].join(', or '))
}

function said (is: string, expected: string): string { return `${is}${EXPECTED}${expected}` }

function is (input: unknown, expected?: string): string {
  if (input === undefined) return 'it is missing'
  if (input === null) return 'it is null'
  if (Array.isArray(input)) return 'it is a list'
  switch (typeof input) {
    case 'string': return input === '' ? 'it is an empty text' : 'it is a text'
    case 'number': return Number.isNaN(input) ? 'it is not a number' : expected === 'int' && !Number.isInteger(input) ? 'it is a number with a fraction' : 'it is a number'
    case 'boolean': return 'it is true or false'
    case 'object': return 'it is an object'
    default: return 'it is something else'
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text', number: 'a number', int: 'a whole number', boolean: 'true or false', array: 'a list', tuple: 'a list', object: 'an object', record: 'an object', map: 'an object', null: 'null',
  undefined: 'nothing', void: 'nothing', never: 'nothing', date: 'a date', bigint: 'a whole number', nan: 'not a number',
}

function typeWords (expected: string, schema: unknown): string {
  if (expected === 'number' && (schema as { readonly isInt?: boolean } | undefined)?.isInt === true) return 'a whole number'
  const names = expected === 'object' ? namesIn(schema) : []
  return `${TYPES[expected] ?? expected}${names.length === 0 || names.length > NAMES_SHOWN_MAX ? '' : ` with ${names.map(name => `"${name}"`).join(', ')}`}`
}

/** The names that an object's schema knows; none where it is no such schema. */
export function namesIn (schema: unknown): readonly string[] {
  const def = (schema as { readonly _zod?: { readonly def?: { readonly type?: string, readonly shape?: object } } } | undefined)?._zod?.def
  return def?.type === 'object' && def.shape !== undefined ? Object.keys(def.shape) : []
}

function chosen (input: unknown, values: Values): string {
  const short = typeof input === 'string' && input !== '' && input.length <= QUOTED_CHARACTERS_MAX && !/\p{C}/u.test(input)
  if (values === 'shown' && (short || typeof input === 'number')) return `it is ${JSON.stringify(input)}`
  return typeof input === 'string' && input !== '' ? 'it is another text' : is(input)
}

function oneOf (values: readonly unknown[]): string {
  const words = values.map(one => typeof one === 'string' ? `"${one}"` : String(one))
  return words.length === 1 ? words[0]! : `one of ${words.join(', ')}`
}

const COUNTED: Readonly<Record<string, readonly [one: string, more: string]>> = {
  string: ['character', 'characters'], array: ['entry', 'entries'], set: ['entry', 'entries'], map: ['entry', 'entries'], object: ['entry', 'entries'], record: ['entry', 'entries'], file: ['byte', 'bytes'],
}

function size (input: unknown, origin: string, how: 'small' | 'big', values: Values): string {
  if (origin === 'string') return input === '' ? 'it is empty' : how === 'small' ? 'it is too short' : 'it is too long'
  if (COUNTED[origin] !== undefined) return how === 'small' ? 'it has too few entries' : 'it has too many entries'
  return values === 'shown' && typeof input === 'number' ? `it is ${input}` : how === 'small' ? 'it is too small' : 'it is too large'
}

function least (minimum: number | bigint, origin: string, exact: boolean, inclusive: boolean): string { return `${exact ? 'exactly' : inclusive ? 'at least' : 'more than'} ${counted(minimum, origin)}` }
function most (maximum: number | bigint, origin: string, exact: boolean, inclusive: boolean): string { return `${exact ? 'exactly' : inclusive ? 'at most' : 'less than'} ${counted(maximum, origin)}` }

function counted (limit: number | bigint, origin: string): string {
  const unit = COUNTED[origin]
  return unit === undefined ? String(limit) : `${String(limit)} ${unit[Number(limit) === 1 ? 0 : 1]}`
}

const FORMATS: Readonly<Record<string, string>> = {
  email: 'an e-mail address', datetime: 'a date and time as 2026-03-01T08:00:00Z', date: 'a date as 2026-03-01', time: 'a time as 08:00:00', duration: 'a duration as P1DT2H',
  uuid: 'a UUID', guid: 'a UUID', ipv4: 'an IPv4 address', ipv6: 'an IPv6 address', cidrv4: 'a range of IPv4 addresses', cidrv6: 'a range of IPv6 addresses', base64: 'base64', base64url: 'base64url', hex: 'hexadecimal digits',
  json_string: 'JSON', jwt: 'a JSON web token', e164: 'a telephone number as +34910000000', lowercase: 'small letters', uppercase: 'capital letters', hostname: 'the name of a host',
}

function formatWords (format: string, issue: Raw): string {
  const { pattern, prefix, suffix, includes } = issue as { readonly pattern?: unknown, readonly prefix?: unknown, readonly suffix?: unknown, readonly includes?: unknown }
  switch (format) {
    case 'url': return `an address (URL)${schemes(issue.inst)}`
    case 'starts_with': return `a text that begins with "${String(prefix)}"`
    case 'ends_with': return `a text that ends with "${String(suffix)}"`
    case 'includes': return `a text with "${String(includes)}" in it`
    case 'regex': return `a text that matches ${String(pattern)}`
    default: return FORMATS[format] ?? `a text of the form ${format}`
  }
}

/** `^https?$` and its like say which schemes there are; other patterns stand as they are. */
function schemes (schema: unknown): string {
  const protocol = (schema as { readonly _zod?: { readonly def?: { readonly protocol?: RegExp } } } | undefined)?._zod?.def?.protocol
  if (protocol === undefined) return ''
  const [, word] = /^\^(\w+)\?\$$/.exec(protocol.source) ?? []
  return ` of scheme ${word === undefined ? protocol.source : `${word.slice(0, -1)} or ${word}`}`
}

/** Of a union whose members are told apart by one field. The others are told by their members. */
function unionWords (issue: Extract<Raw, { readonly code: 'invalid_union' }>, values: Values): string {
  const { discriminator, options } = issue as { readonly discriminator?: string, readonly options?: readonly unknown[] }
  if (discriminator === undefined || options === undefined) return 'it is of none of the forms that are allowed, or of more than one'
  return said(chosen((issue.input as Readonly<Record<string, unknown>> | undefined)?.[discriminator], values), oneOf(options))
}
