import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { codeOf, filesIn, importsOf, ROOT, type Import, type SourceFile } from './source-files.ts'

const PRODUCT = ['streams', 'features', 'inference', 'connectors', 'dashboards', 'ops'] as const
type Top = (typeof PRODUCT)[number]

/** What each folder may import, besides itself. Nobody imports ops. */
const MAY_IMPORT: Readonly<Record<Top, readonly Top[]>> = {
  streams: [],
  features: ['streams'],
  inference: ['features', 'streams'],
  connectors: ['streams'],
  dashboards: ['streams', 'features', 'inference'],
  ops: ['streams', 'features', 'inference', 'connectors', 'dashboards'],
}

/** Files that another folder imports though they are not its index, and why. */
const ENTERED_BESIDE_THE_INDEX: Readonly<Record<string, string>> = {
  'features/vector.ts': 'the vector, which features and inference hand on; the folder features has no index of its own',
  'features/vector-codec.ts': 'how a vector travels; the same',
  'features/processor.ts': 'the processor that ops starts; the same',
  'inference/codecs.ts': 'how scores and alerts travel; the folder inference has no index of its own',
  'inference/processors.ts': 'the processors that ops starts; the same',
  'inference/scoring/score-batch.ts': 'the inference processor scores with it without loading the worker that its index starts',
  'inference/alerts/types.ts': 'what a score and an alert are, for the folders that make and compare them',
  'connectors/kit/port.ts': 'the contract of every connector, types only; the index also opens the log',
  'streams/log/port.ts': 'the contract of the cursor, types only; the index of the log imports the codec, which implements it',
}

const product = PRODUCT.flatMap(folder => filesIn(folder, ['.ts', '.tsx', '.mjs']))
const services = product.filter(file => !file.path.startsWith('dashboards/web/'))
const everything = [...product, ...filesIn('test', ['.ts', '.mjs']), ...filesIn('bin', ['.mjs']), ...filesIn('scripts', ['.mjs'])]
const written = [...everything, ...filesIn('docs', ['.md', '.hl7']), ...filesIn('inference/training', ['.py', '.md', '.txt']), ...rootFiles()]
const imports = product.flatMap(importsOf)

function rootFiles (): readonly SourceFile[] {
  return ['README.md', 'CHANGELOG.md', 'NOTICE', 'package.json', '.npmrc', '.ci/run', 'tsconfig.json', 'vitest.config.ts'].filter(path => existsSync(join(ROOT, path))).map(path => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
}

const topOf = (path: string): string => path.split('/')[0]!
/** `streams/engine`, or the file itself where it stands directly in a top folder. */
const unitOf = (path: string): string => path.split('/').length > 2 ? path.split('/').slice(0, 2).join('/') : path
const show = ({ from, to }: Import): string => `${from} imports ${to}`
/** `path:line` of each match in the code. */
function places (files: readonly SourceFile[], pattern: RegExp, read: (file: SourceFile) => string = codeOf): readonly string[] {
  return files.flatMap(file => read(file).split('\n').flatMap((line, i) => pattern.test(line) ? [`${file.path}:${i + 1}`] : []))
}

test('the rules read the sources', () => {
  expect(product.length).toBeGreaterThan(150)
  expect(imports.length).toBeGreaterThan(300)
})

test('imports point one way', () => {
  const wrong = imports.filter(({ from, to }) => topOf(from) !== topOf(to) && !(MAY_IMPORT[topOf(from) as Top] as readonly string[]).includes(topOf(to)))
  expect(wrong.filter(({ to }) => to !== 'package.json').map(show)).toEqual([])
})

test('no file imports itself by way of others', () => {
  expect(circles(imports.filter(({ to }) => !to.endsWith('.css')))).toEqual([])
})

/** Groups of files of which each imports each, in steps; types count, since to understand one is to read all. */
function circles (all: readonly Import[]): readonly string[] {
  const below = new Map<string, readonly string[]>()
  for (const { from, to } of all) below.set(from, [...below.get(from) ?? [], to])
  const reached = new Map([...below.keys()].map(file => [file, reachable(file, below)]))
  const together = [...reached].map(([file, from]) => [...from].filter(other => reached.get(other)?.has(file)).sort().join(' and '))
  return [...new Set(together)].filter(group => group !== '')
}

function reachable (file: string, below: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const found = new Set<string>()
  for (const todo = [...below.get(file) ?? []]; todo.length > 0;) {
    const next = todo.pop()!
    if (found.has(next)) continue
    found.add(next)
    todo.push(...below.get(next) ?? [])
  }
  return found
}

test('the engine, the windows and the processors do not know what events are', () => {
  expect(imports.filter(({ from, to }) => /^streams\/(engine|windows|processors|log|codec|lmdb)\//.test(from) && to.startsWith('streams/events/')).map(show)).toEqual([])
})

test('windows know neither a topic nor the engine that runs them', () => {
  expect(imports.filter(({ from, to }) => from.startsWith('streams/windows/') && !/^streams\/(windows|time|errors)\//.test(to)).map(show)).toEqual([])
})

test('connectors share the kit and files a sender, and know nothing else of each other; the template stands outside, as a user\'s connector does', () => {
  const shared = ['connectors/kit', 'connectors/hl7']
  const outside = ['connectors/index.ts', 'connectors/conformance']
  expect(imports.filter(({ from, to }) => topOf(from) === 'connectors' && topOf(to) === 'connectors' && unitOf(from) !== unitOf(to) && !shared.includes(unitOf(to)) && !(unitOf(from) === 'connectors/template' && outside.includes(unitOf(to)))).map(show)).toEqual([])
})

test('the pages take types from the server, and nothing else from outside', () => {
  const outside = imports.filter(({ from, to }) => from.startsWith('dashboards/web/') && !to.startsWith('dashboards/web/'))
  expect(outside.filter(({ to, typeOnly }) => to !== 'dashboards/server/wire.ts' || !typeOnly).map(show)).toEqual([])
})

test('a folder is entered by its index', () => {
  const beside = imports.filter(({ from, to }) => !from.startsWith('dashboards/web/') && unitOf(from) !== unitOf(to) && to !== `${unitOf(to)}/index.ts` && to !== `${topOf(to)}/index.ts` && !standsBesideIts(from, to))
  expect(beside.filter(({ to }) => ENTERED_BESIDE_THE_INDEX[to] === undefined && to !== 'package.json').map(show)).toEqual([])
})

/** A file directly in a top folder has no index before it for its own folder. */
function standsBesideIts (from: string, to: string): boolean { return topOf(from) === topOf(to) && to.split('/').length === 2 }

test('each exception to that is still one', () => {
  const entered = new Set(imports.filter(({ from, to }) => unitOf(from) !== unitOf(to)).map(({ to }) => to))
  expect(Object.keys(ENTERED_BESIDE_THE_INDEX).filter(path => !entered.has(path))).toEqual([])
})

test('contracts that are entered beside an index are types only', () => {
  const contracts = ['connectors/kit/port.ts', 'streams/log/port.ts']
  expect(imports.filter(({ from, to, typeOnly }) => unitOf(from) !== unitOf(to) && contracts.includes(to) && !typeOnly).map(show)).toEqual([])
})

test('an index begins by saying what the folder is', () => {
  expect(services.filter(({ path, text }) => path.endsWith('/index.ts') && !text.startsWith('/**')).map(({ path }) => path)).toEqual([])
})

test('no product code imports a test', () => {
  expect(imports.filter(({ to }) => topOf(to) === 'test').map(show)).toEqual([])
})

test('time and chance come in by argument: one file reads the clock of the machine', () => {
  const pattern = /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bset(Timeout|Interval|Immediate)\b|\bperformance\.now\b/
  expect(places(services.filter(({ path }) => path !== 'streams/time/clock.ts'), pattern)).toEqual([])
})

test('types say what they are: no any, and nothing that type stripping cannot erase', () => {
  const typed = product.filter(({ path }) => path.endsWith('.ts') || path.endsWith('.tsx'))
  expect(places(typed, /(?:[:<,|&]|\bas|=>)\s*any\b(?!\s*[=:(])|\bany\[\]/)).toEqual([])
  expect(places(typed, /^\s*(?:export\s+)?(?:declare\s+)?(?:const\s+)?enum\s+\w/)).toEqual([])
  expect(places(typed, /^\s*(?:export\s+)?(?:declare\s+)?namespace\s+\w/)).toEqual([])
  expect(places(typed, /\bconstructor \((?:[^){]*,)?\s*(?:private|public|protected|readonly)\s+\w+\s*[:?]/)).toEqual([])
})

test('no file grows beyond 400 lines', () => {
  expect(everything.filter(({ text }) => text.split('\n').length > 400).map(({ path }) => path)).toEqual([])
})

test('nothing is left to be done later in a comment', () => {
  expect(places(written.filter(({ path }) => !path.startsWith('test/house/')), /\b(?:TODO|FIXME|XXX|HACK)\b/, ({ text }) => text)).toEqual([])
})

test('no path of somebody\'s machine and no address of a registry stands anywhere', () => {
  const elsewhere = written.filter(({ path }) => !path.startsWith('test/house/'))
  expect(places(elsewhere, /(?<![\w.])\/(?:home|root|Users|work)\/|[A-Z]:\\\\Users|registry\.npmjs\.org|registry\.yarnpkg\.com|artifactory|_authToken/, ({ text }) => text)).toEqual([])
})

test('the lock file names versions and sums, not where they were fetched', () => {
  const lock = readFileSync(join(ROOT, 'package-lock.json'), 'utf8')
  expect(lock).not.toContain('"resolved"')
  expect(lock).not.toMatch(/https?:\/\/(?!opencollective|github|feross|www\.patreon|tidelift|paypal)[^"]*\.tgz/)
})

test('every package that has an install script is named in allowScripts, and denied', () => {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, { hasInstallScript?: boolean }> }
  const { allowScripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { allowScripts: Record<string, boolean> }
  const scripted = Object.entries(packages).filter(([, p]) => p.hasInstallScript === true).map(([path]) => path.replace(/^.*node_modules\//, ''))
  expect(scripted.filter(name => allowScripts[name] !== false)).toEqual([])
})

test('a pattern that users meet in options, files or requests has words of its own', () => {
  const bare = /\.regex\(\s*(?:[A-Z_]+|\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\w*)\s*\)/g
  const wordless = (text: string): readonly string[] => [...text.matchAll(bare)].map(([found]) => found)
  expect(wordless('z.string().regex(/^[a-z/]+$/).regex(PREFIX).regex(/^(?:a|\\/)$/u, \'a word\')')).toEqual(['.regex(/^[a-z/]+$/)', '.regex(PREFIX)'])
  const own = 'ops/run/own-connectors/own-kinds.ts' // tells only that a module is no connector
  expect([...filesIn('connectors', ['.ts']), ...filesIn('ops', ['.ts'])].filter(({ path }) => path !== own).flatMap(({ path, text }) => wordless(text).map(found => `${path}: ${found}`))).toEqual([])
})

test('the version is the same wherever it stands, and that of the newest change', () => {
  const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
  const lock = JSON.parse(textOf('package-lock.json')) as { version: string, packages: Record<string, { version: string }> }
  const said = [
    (JSON.parse(textOf('package.json')) as { version: string }).version, lock.version, lock.packages['']?.version, /'([\d.]+)'/.exec(textOf('ops/run/version.ts'))?.[1],
    ...['clients/python/latido_client.py', 'clients/typescript/latido-client.ts'].map(path => /Latido ([\d.]+):/.exec(textOf(path))?.[1]),
  ]
  expect(new Set(said)).toEqual(new Set([/^## ([\d.]+)/m.exec(textOf('CHANGELOG.md'))?.[1]]))
})
