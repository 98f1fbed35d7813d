import { expect, it } from 'vitest'
import { z } from 'zod'
import { lineOfShapeFault, readShape, unknownName, type Values } from '../../../streams/shapes/index.ts'

function wordsOf (schema: z.ZodType, said: unknown, values: Values = 'shown'): readonly string[] {
  const read = readShape(schema, said, values)
  return read.kind === 'ok' ? [] : read.faults.map(lineOfShapeFault)
}

const secret = z.union([z.strictObject({ file: z.string().min(1) }), z.strictObject({ env: z.string().min(1) })])
const auth = z.discriminatedUnion('kind', [z.strictObject({ kind: z.literal('none') }), z.strictObject({ kind: z.literal('basic'), user: z.string() })])

it('hands on what is as described, with its defaults', () => {
  expect(readShape(z.object({ port: z.int().default(7) }), {}, 'hidden')).toEqual({ kind: 'ok', value: { port: 7 } })
})

it.each<readonly [kind: string, schema: z.ZodType, said: unknown, words: readonly string[]]>([
  ['invalid_type, missing', z.object({ url: z.string() }), {}, ['url: it is missing; expected: a text']],
  ['invalid_type, of another type', z.object({ port: z.number() }), { port: '80' }, ['port: it is a text; expected: a number']],
  ['invalid_type, an empty text', z.object({ port: z.number() }), { port: '' }, ['port: it is an empty text; expected: a number']],
  ['invalid_type, a fraction', z.object({ port: z.int() }), { port: 1.5 }, ['port: it is a number with a fraction; expected: a whole number']],
  ['invalid_type, null and a list', z.object({ a: z.boolean(), b: z.record(z.string(), z.string()) }), { a: null, b: [] }, ['a: it is null; expected: true or false', 'b: it is a list; expected: an object']],
  ['invalid_type, an object', z.object({ tls: z.strictObject({ key: z.string(), certificate: z.string() }) }), { tls: true }, ['tls: it is true or false; expected: an object with "key", "certificate"']],
  ['invalid_type, the whole', z.array(z.string()), {}, ['it is an object; expected: a list']],
  ['unrecognized_keys, near one', z.strictObject({ port: z.int().optional(), host: z.string().optional() }), { prot: 1 }, ['prot: there is no such option; did you mean "port"? There are: port, host']],
  ['unrecognized_keys, near none, and within', z.strictObject({ tls: z.strictObject({ certificate: z.string() }) }), { more: 1, tls: { certificate: 'a', sertificate: 'b' } }, ['tls.sertificate: there is no such option; did you mean "certificate"? There are: certificate', 'more: there is no such option; there are: tls']],
  ['too_small, a number', z.object({ n: z.int().min(1), m: z.number().positive() }), { n: -3, m: 0 }, ['n: it is -3; expected: at least 1', 'm: it is 0; expected: more than 0']],
  ['too_big, a number', z.object({ port: z.int().max(65_535) }), { port: 99_999 }, ['port: it is 99999; expected: at most 65535']],
  ['too_small and too_big, texts', z.object({ a: z.string().min(1), b: z.string().max(2), c: z.string().min(3), d: z.string().length(2) }), { a: '', b: 'xxx', c: 'x', d: 'x' }, ['a: it is empty; expected: at least 1 character', 'b: it is too long; expected: at most 2 characters', 'c: it is too short; expected: at least 3 characters', 'd: it is too short; expected: exactly 2 characters']],
  ['too_small and too_big, lists', z.object({ a: z.array(z.int()).min(1), b: z.array(z.int()).max(1) }), { a: [], b: [1, 2] }, ['a: it has too few entries; expected: at least 1 entry', 'b: it has too many entries; expected: at most 1 entry']],
  ['invalid_value', z.object({ mode: z.enum(['polling', 'bulk']), on: z.literal('yes') }), { mode: 'poling', on: 3 }, ['mode: it is "poling"; expected: one of "polling", "bulk"', 'on: it is 3; expected: "yes"']],
  ['invalid_value, missing', z.object({ mode: z.enum(['polling', 'bulk']) }), {}, ['mode: it is missing; expected: one of "polling", "bulk"']],
  ['invalid_format', z.object({ a: z.url(), b: z.url({ protocol: /^https?$/ }), c: z.iso.datetime(), d: z.email(), e: z.string().regex(/^[a-z]+$/), f: z.string().startsWith('x') }), { a: 'x', b: 'ftp://a', c: 'x', d: '', e: 'A', f: 'y' }, [
    'a: it is a text of another form; expected: an address (URL)', 'b: it is a text of another form; expected: an address (URL) of scheme http or https', 'c: it is a text of another form; expected: a date and time as 2026-03-01T08:00:00Z',
    'd: it is empty; expected: an e-mail address', 'e: it is a text of another form; expected: a text that matches /^[a-z]+$/', 'f: it is a text of another form; expected: a text that begins with "x"']],
  ['not_multiple_of', z.object({ n: z.number().multipleOf(5) }), { n: 7 }, ['n: it is 7; expected: a multiple of 5']],
  ['invalid_union, of none of the kinds', z.object({ password: secret }), { password: 'hunter2' }, ['password: it is a text; expected: an object with "file", or an object with "env"']],
  ['invalid_union, missing', z.object({ password: secret }), {}, ['password: it is missing; expected: an object with "file", or an object with "env"']],
  ['invalid_union, near one', z.object({ password: secret }), { password: { file: '' } }, ['password.file: it is empty; expected: at least 1 character']],
  ['invalid_union, told apart by a field', z.object({ auth }), { auth: { kind: 'basik' } }, ['auth.kind: it is "basik"; expected: one of "none", "basic"']],
  ['invalid_union, without that field', z.object({ auth }), { auth: {} }, ['auth.kind: it is missing; expected: one of "none", "basic"']],
  ['invalid_union, with words of its own', z.object({ a: z.union([z.string(), z.int()], 'a name or a number') }), { a: true }, ['a: a name or a number']],
  ['invalid_union, more than one', z.xor([z.object({ a: z.string() }), z.object({ b: z.string() })]), { a: '', b: '' }, ['it is of none of the forms that are allowed, or of more than one']],
  ['invalid_key', z.object({ clinics: z.record(z.string().min(2), z.string()) }), { clinics: { x: 'y' } }, ['clinics.x: its name is not one that is allowed: it is too short; expected: at least 2 characters']],
  ['invalid_element', z.map(z.string(), z.int()), new Map([['a', 'b']]), ['a: it is a text; expected: a whole number']],
  ['custom', z.object({ a: z.string().refine(() => false, 'no time zone of that name'), b: z.string().refine(() => false) }), { a: 'x', b: 'x' }, ['a: no time zone of that name', 'b: it is not as described']],
])('says %s in plain words', (_, schema, said, words) => {
  expect(wordsOf(schema, said)).toEqual(words)
})

it('repeats nothing of what was said where that may be a patient\'s: no value, no name of a field', () => {
  const body = z.strictObject({ id: z.string().max(4), birth: z.iso.date(), age: z.int().max(120), sex: z.enum(['female', 'male']), auth, scores: z.array(z.int()), weight: z.number().multipleOf(5) })
  const told = wordsOf(body, { id: 'Grace Hopper', birth: 'Grace Hopper', age: 4711, sex: 'Grace Hopper', auth: { kind: 'Grace Hopper' }, scores: ['Grace Hopper'], weight: 4711, 'Grace Hopper': 1, 'scorse': 2 }, 'hidden')
  expect(told).toEqual([
    'id: it is too long; expected: at most 4 characters', 'birth: it is a text of another form; expected: a date as 2026-03-01', 'age: it is too large; expected: at most 120', 'sex: it is another text; expected: one of "female", "male"',
    'auth.kind: it is another text; expected: one of "none", "basic"', 'scores.0: it is a text; expected: a whole number', 'weight: it does not fit; expected: a multiple of 5', 'it has a field that is not known',
  ])
  expect(wordsOf(z.strictObject({ scores: z.int() }), { scores: 1, scorse: 2 }, 'hidden')).toEqual(['it has a field that is not known; did you mean "scores"?'])
})

it('repeats no long text and no text with control characters', () => {
  expect(wordsOf(z.enum(['a']), 'x'.repeat(41))).toEqual(['it is another text; expected: "a"'])
  expect(wordsOf(z.enum(['a']), 'x\u001b[2J')).toEqual(['it is another text; expected: "a"'])
})

it('looks for no name like one that is very long', () => {
  expect(unknownName('x'.repeat(100_000), ['port']).endsWith('there is no such option; there are: port')).toBe(true)
})
