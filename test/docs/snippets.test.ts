import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isConceptId } from '../../streams/events/index.ts'
import { mapNumerics } from '../../connectors/mqtt/numerics.ts'
import { PLAIN_MAPPING } from '../../connectors/kit/index.ts'
import { ARTEFACT_RULES } from '../../connectors/mqtt/index.ts'
import { parseAssociation, parseNumerics, parseTime, parseWaves } from '../../connectors/mqtt/payload.ts'
import { mapWaves } from '../../connectors/mqtt/waves.ts'
import { mapRaw } from '../connectors/hl7/support.ts'
import { ROOT } from '../house/source-files.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { SNIPPETS, type Snippet } from './documents.ts'

const tested = (language: string, ...words: readonly string[]): readonly Snippet[] => SNIPPETS.filter(s => s.language === language && words.every(word => s.words.includes(word)))
const scratch = tempDir()
afterAll(() => { scratch.remove() })
const toMessage = (text: string): Buffer => Buffer.from(text.replaceAll('\n', '\r'))

test('no block asks for a test that nobody does', () => {
  const known = ['ts test', 'ts run', 'json test numerics', 'json test waves', 'json test association', 'hl7 test mapped', 'sh test', 'sh live']
  expect(SNIPPETS.filter(s => s.words.length > 0 && s.words[0] !== 'guide' && !known.includes([s.language, ...s.words].join(' '))).map(s => s.where)).toEqual([])
  for (const [language, ...words] of known.map(k => k.split(' '))) expect(tested(language!, ...words).length, `${language} ${words.join(' ')}`).toBeGreaterThan(0)
})

/** A module of its own; one that is run may say what it expects. */
const moduleOf = ({ code, words }: Snippet): string => (words.includes('run') ? "import { expect } from 'vitest'\n" : '') + code.replaceAll(/from '\.\//g, `from '${ROOT}`)
const moduleFile = (i: number): string => join(scratch.path, `snippet-${i}.ts`)
const modules = SNIPPETS.filter(s => s.language === 'ts' && s.words.length > 0 && s.words[0] !== 'guide')

beforeAll(() => {
  modules.forEach((s, i) => { writeFileSync(moduleFile(i), moduleOf(s)) })
  symlinkSync(join(ROOT, 'node_modules'), join(scratch.path, 'node_modules'))
})

test('TypeScript in the documentation compiles', () => {
  const snippets = modules
  writeFileSync(join(scratch.path, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(scratch.path, 'tsconfig.json'), JSON.stringify({
    extends: join(ROOT, 'tsconfig.json'), compilerOptions: { typeRoots: [join(ROOT, 'node_modules/@types')], isolatedDeclarations: false, declaration: false, rewriteRelativeImportExtensions: false }, include: ['*.ts', join(ROOT, 'streams/**/*.d.ts'), join(ROOT, 'connectors/**/*.d.ts')],
  }))
  const { status, stdout } = spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', scratch.path], { encoding: 'utf8' })
  expect({ status, said: stdout, snippets: snippets.map(s => s.where) }).toEqual({ status: 0, said: '', snippets: snippets.map(s => s.where) })
})

test.each(modules.map((s, i) => [s.where, s, i] as const).filter(([, s]) => s.words.includes('run')))('%s does what it says', async (_where, _snippet, i) => {
  await import(/* @vite-ignore */ pathToFileURL(moduleFile(i)).href)
})

describe('payloads of docs/mqtt.md', () => {
  test.each(tested('json', 'test', 'numerics').map(s => [s.where, s] as const))('%s is taken whole', (_where, { code }) => {
    const parsed = parseNumerics(Buffer.from(code))
    if (parsed.kind !== 'ok') throw new Error(parsed.detail)
    const time = parseTime(parsed.value.time)
    const mapped = mapNumerics(parsed.value.numerics, time!)
    expect(mapped.refused).toEqual([])
    expect(mapped.readings.length + mapped.sensorOff + (mapped.perfusionIndex === undefined ? 0 : 1)).toBe(parsed.value.numerics.length)
  })

  test.each(tested('json', 'test', 'waves').map(s => [s.where, s] as const))('%s is taken whole', (_where, { code }) => {
    const parsed = parseWaves(Buffer.from(code))
    if (parsed.kind !== 'ok') throw new Error(parsed.detail)
    expect(mapWaves(parsed.value.waves, parsed.value.intervalMs, parseTime(parsed.value.time)!, { mapping: PLAIN_MAPPING, unmapped: () => {} }, ARTEFACT_RULES, new Map())).toMatchObject({ observations: [{ concept: 'meanPressure' }], refused: [] })
  })

  test.each(tested('json', 'test', 'association').map(s => [s.where, s] as const))('%s associates', (_where, { code }) => {
    const { from, to, ...who } = JSON.parse(code) as { from?: string, to?: string }
    expect(parseAssociation(Buffer.from(code))).toMatchObject({ kind: 'ok', value: { who, ...from === undefined ? {} : { from: Date.parse(from) }, ...to === undefined ? {} : { to: Date.parse(to) } } })
  })
})

describe('HL7 messages', () => {
  const examples = readdirSync(join(ROOT, 'docs/examples')).filter(name => name.endsWith('.hl7')).map(name => [`docs/examples/${name}`, readFileSync(join(ROOT, 'docs/examples', name), 'utf8')] as const)
  test.each([...tested('hl7', 'test', 'mapped').map(s => [s.where, s.code] as const), ...examples])('%s is taken whole', (_where, text) => {
    const mapped = mapRaw(toMessage(text))
    if (mapped.kind !== 'mapped') throw new Error(mapped.fault.detail)
    expect(mapped.refused).toEqual([])
    expect(mapped.events).toHaveLength(1)
    for (const { event } of mapped.events) if (event.type === 'observations') expect(event.observations.every(o => isConceptId(o.concept))).toBe(true)
  })
})

describe('commands', () => {
  const latido = (...args: readonly string[]): { readonly status: number | null, readonly stdout: string, readonly stderr: string } =>
    spawnSync(process.execPath, ['--import', 'tsx', join(ROOT, 'ops/cli/main.ts'), ...args], { cwd: ROOT, encoding: 'utf8' })

  test('every command of the documentation that is marked so runs', () => {
    for (const { where, code } of tested('sh', 'test')) for (const line of code.trim().split('\n')) expect(latido(...line.replace(/^npx latido /, '').split(' ')).status, where).toBe(0)
  })

  test('every command and option that the documentation names exists', () => {
    const { stdout } = latido('help')
    const commands = new Set(SNIPPETS.filter(s => s.language === 'sh').flatMap(s => [...s.code.matchAll(/^npx latido (\w+)/gm)]).map(([, command]) => command!))
    expect([...commands].filter(command => command !== 'help' && !stdout.includes(`latido ${command}`))).toEqual([])
    for (const option of ['--http-port', '--mllp-port', '--mqtt-port', '--data-dir', '--simulate', '--key-file', '--allow-exposed']) expect(stdout).toContain(option)
  })

  test('an error ends in one line with its code, and in exit code 1', () => {
    const { status, stderr } = latido('start', '--http-port', 'eighty')
    expect(status).toBe(1)
    expect(stderr.trim().split('\n').filter(line => line.startsWith('latido:'))).toEqual([expect.stringMatching(/^latido: .+: .+ \[CONFIG_INVALID\]$/)])
  })
})
