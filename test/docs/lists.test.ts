import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { AckWriter } from '../../connectors/hl7/ack.ts'
import { readHeader } from '../../connectors/hl7/header.ts'
import { API_ERROR_CODES } from '../../dashboards/server/api-error.ts'
import { CONFIG_OPTIONS } from '../../ops/config/index.ts'
import { ERROR_CODES } from '../../streams/errors/index.ts'
import { CONCEPTS, REFUSAL_CAUSES, TOPICS, type RefusalCause } from '../../streams/events/index.ts'
import { ROOT } from '../house/source-files.ts'
import { codeIn, document, rowsOf, section } from './documents.ts'

const sorted = (names: Iterable<string>): readonly string[] => [...names].sort()
const flagOf = (name: string): string => name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
const first = (text: string): readonly string[] => rowsOf(text).map(cells => codeIn(cells[0]))

describe('docs/errors.md', () => {
  const refusals = rowsOf(section('docs/errors.md', 'Why something is refused'))

  test('lists every operating failure, in the order of the code, and no other', () => {
    expect(first(section('docs/errors.md', 'Operating failures'))).toEqual(ERROR_CODES)
  })

  test('says of each what happened and what to do', () => {
    for (const cells of rowsOf(section('docs/errors.md', 'Operating failures'))) expect(cells.slice(1).filter(cell => cell.length >= 8), cells[0]).toHaveLength(2)
  })

  test('lists every code of the API, and no other', () => {
    expect(first(section('docs/errors.md', 'What the API answers'))).toEqual(API_ERROR_CODES)
  })

  test('lists every cause of a refusal, and no other', () => {
    expect(refusals.map(cells => codeIn(cells[0]))).toEqual(REFUSAL_CAUSES)
  })

  test('has the codes that HL7 answers with', () => {
    for (const [cause, , answer, code] of refusals.filter(cells => cells[3] !== '')) expect(errCode(codeIn(cause) as RefusalCause, 'ZZZ'), `${cause} ${answer}`).toBe(code!.split(', ')[0])
    expect(errCode('unsupported-type', 'ADT')).toBe('201')
  })

  function errCode (cause: RefusalCause, type: string): string | undefined {
    const header = readHeader(Buffer.from(`MSH|^~\\&|A|B|C|D|20260314||${type}^X01|1|P|2.5.1\r`))
    const answer = new AckWriter(0).write(header, 'AR', { verdict: 'rejected', fault: { cause, detail: '' } }, 0).toString('latin1')
    return answer.split('\r').find(line => line.startsWith('ERR'))?.split('|')[3]?.split('^')[0]
  }
})

describe('docs/dependencies.md', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<'dependencies' | 'optionalDependencies' | 'devDependencies', Record<string, string>>

  test.each(['dependencies', 'optionalDependencies', 'devDependencies'] as const)('lists exactly the %s of package.json, each with its reason', field => {
    const text = section('docs/dependencies.md', field)
    expect(sorted(first(text))).toEqual(sorted(Object.keys(manifest[field])))
    for (const [name, reason, licence] of rowsOf(text)) expect([reason !== '', licence !== ''], name).toEqual([true, true])
  })
})

test('docs/clinical-limits.md has the limits of every concept', () => {
  const rows = rowsOf(section('docs/clinical-limits.md', 'What is possible')).map(([id, name, unit, low, high]) => [codeIn(id), name, unit, low, high])
  expect(rows).toEqual(Object.entries(CONCEPTS).map(([id, { name, unit, possible }]) => [id, name, unit, String(possible[0]), String(possible[1])]))
})

test('docs/architecture.md lists every topic', () => {
  const rows = rowsOf(section('docs/architecture.md', 'Topics')).map(cells => codeIn(cells[0]))
  expect(sorted(rows.filter(name => name.startsWith('latido.')))).toEqual(sorted(Object.values(TOPICS)))
})

test('the options of README are those of the code, with their defaults', () => {
  const rows = rowsOf(section('README.md', 'Options')).map(([flag, env, fallback, help]) => [codeIn(flag), codeIn(env), codeIn(fallback), help])
  expect(rows).toEqual(Object.entries(CONFIG_OPTIONS).map(([name, { env, fallback, help }]) => [`--${flagOf(name)}`, env, fallback, help]))
})

test('the glossary says each term once, in alphabetical order', () => {
  const terms = [...document('docs/glossary.md').text.matchAll(/^- \*\*(.+?)\*\*: \S/gm)].map(match => match[1]!.toLowerCase())
  expect(terms.length).toBeGreaterThan(50)
  expect(terms).toEqual(sorted(new Set(terms)))
})

test('every decision stands in the list of decisions, is numbered without a gap, and says what it costs', () => {
  const files = sorted(readdirSync(join(ROOT, 'docs/decisions')).filter(name => name !== 'README.md'))
  expect(files.map(name => Number(name.slice(0, 4)))).toEqual(files.map((_, i) => i + 1))
  const listed = [...document('docs/decisions/README.md').text.matchAll(/\]\(([^)]+)\)/g)].map(match => match[1])
  expect(listed).toEqual(files)
  for (const file of files) for (const part of ['**Context.**', '**Choice.**', '**Cost.**', '**Revisit when.**']) expect(document(`docs/decisions/${file}`).text, file).toContain(part)
})
