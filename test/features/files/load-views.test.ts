import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkTypes, loadViews, newViewsFolder } from '../../../features/files/index.ts'
import { viewFingerprint, type FeatureView } from '../../../features/define/index.ts'
import { STANDARD_VIEWS } from '../../../features/views/index.ts'
import { isLatidoError } from '../../../streams/errors/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'

const HEAD = `import { featureView, mean, patients } from 'latido/features'\n`
const spec = (name: string, features: string, more = ''): string => `featureView({ name: '${name}', version: 1, owner: 'a', description: 'd', ttl: '1 m', emit: { every: '1 s' }, ${more}\n  features: {\n${features}\n  },\n})`
const good = (name: string): string => `${HEAD}export const ${name} = ${spec(name, `    heartRate: mean('heartRate').over('5 m'),`)}\n`

let dir: ReturnType<typeof tempDir>
let folder: string
beforeEach(() => { dir = tempDir(); folder = join(dir.path, 'my-views'); mkdirSync(folder) })
afterEach(() => { dir.remove() })

const write = (file: string, text: string): void => { writeFileSync(join(folder, file), text) }
/** `FILE:LINE: what | what to do`, with the file as it stands in the folder. */
async function mistake (file: string, text: string, limits?: Parameters<typeof loadViews>[2]): Promise<string> {
  write(file, text)
  try {
    await loadViews(folder, STANDARD_VIEWS, limits)
    return 'nothing'
  } catch (e) {
    if (!isLatidoError(e)) throw e
    return `${e.message.replaceAll(folder, 'my-views')} | ${e.action} [${e.code}]`
  }
}

describe('views from a folder', () => {
  it('are what their files export, with the lines where view and feature stand', async () => {
    write('pulse.ts', `${HEAD}\nexport const pulse = ${spec('pulse', `    calm: mean('heartRate').over('5 m'),\n    'quick': mean('heartRate').over('1 m'),`)}\n`)
    write('breath.ts', `import { rate } from './parts/rate.ts'\nimport { featureView } from 'latido/features'\nexport default ${spec('breath', '    rate,')}\n`)
    mkdirSync(join(folder, 'parts'))
    write('parts/rate.ts', `import { mean } from 'latido/features'\nexport const rate: ReturnType<ReturnType<typeof mean>['over']> = mean('respiratoryRate').over('2 m')\n`)
    const loaded = await loadViews(folder, STANDARD_VIEWS)
    expect(loaded.map(({ view, file, line }) => [view.name, file, line])).toEqual([['breath', join(folder, 'breath.ts'), 3], ['pulse', join(folder, 'pulse.ts'), 3]])
    expect(loaded.map(({ lineOf }) => [lineOf('calm'), lineOf('quick'), lineOf('rate')])).toEqual([[3, 3, 5], [5, 6, 3]])
  })

  it('mean what they would mean in the product: the fingerprint is the same', async () => {
    write('pulse.ts', good('pulse'))
    const { featureView, mean } = await import('../../../features/define/index.ts')
    const own = featureView({ name: 'pulse', version: 1, owner: 'b', description: 'other', ttl: '1 m', emit: { every: '9 s' }, features: { heartRate: mean('heartRate').over('5 m') } })
    const [loaded] = await loadViews(folder, STANDARD_VIEWS)
    expect(viewFingerprint(loaded!.view)).toBe(viewFingerprint(own as unknown as FeatureView))
    expect(Object.getPrototypeOf(loaded!.view)).toBe(Object.prototype)
  })

  it('may aggregate what standard views say of the patients of a ward', async () => {
    write('ward.ts', `${HEAD}import { news2View } from 'latido/views'\nexport const ward = ${spec('ward', `    worst: patients.max(news2View, 'news2'),`, `entity: 'ward',`)}\n`)
    expect((await loadViews(folder, STANDARD_VIEWS)).map(l => [l.view.entity, l.view.units])).toEqual([['ward', ['{points}']]])
  })

  it('begin with a folder that is made for them, and whose types hold', async () => {
    const made = join(dir.path, 'first')
    newViewsFolder(made)
    expect((await loadViews(made, STANDARD_VIEWS)).map(l => l.view.name)).toEqual(['shock'])
    expect(await checkTypes(made)).toEqual({ kind: 'checked', faults: [] })
    expect(() => newViewsFolder(made)).toThrow(/is there already/)
  })
})

describe('a mistake is told with file and line', () => {
  it.each([
    ['a syntax error', `export const x = featureView({`, /^my-views\/bad\.ts:1: Expected/],
    ['a throw', `${HEAD}\nthrow new Error('no luck')\nexport const x = 1`, /^my-views\/bad\.ts:3: it throws when it is imported: no luck/],
    ['a view that cannot be', `${HEAD}export const x = ${spec('Not a name', `    a: mean('spo2').over('5 m'),`)}`, /^my-views\/bad\.ts:2: feature view Not a name: a name is one word/],
    ['a feature that cannot be', `${HEAD}export const x = ${spec('x', `    a: mean('spo2').over('5 m'),\n    b: mean('spo2').over('500 d'),`)}`, /^my-views\/bad\.ts:5: feature view x: feature b: a window of .* more than a year/],
    ['a concept that there is not', `${HEAD}export const x = ${spec('x', `    a: mean('spo2').over('5 m'),\n    b: mean('heartRat').over('5 m'),`)}`, /^my-views\/bad\.ts:5: .*there is no concept "heartRat" \| did you mean heartRate\?/],
    ['a duration that is none', `${HEAD}export const x = ${spec('x', `    a: mean('spo2')\n      .over('5 minutes'),`)}`, /^my-views\/bad\.ts:5: "5 minutes" is not a duration/],
    ['a module of Node', `import { readFileSync } from 'node:fs'\nexport const x = readFileSync('x')`, /^my-views\/bad\.ts:1: "node:fs" may not be imported/],
    ['a package', `${HEAD}import pino from 'pino'\nexport const x = pino()`, /^my-views\/bad\.ts:2: "pino" may not be imported/],
    ['a file outside', `${HEAD}import { x } from '../outside.ts'\nexport const y = x`, /^my-views\/bad\.ts:2: "\.\.\/outside\.ts" is outside of the folder/],
    ['a file that is not there', `${HEAD}import { x } from './nowhere.ts'\nexport const y = x`, /^my-views\/bad\.ts:2: "\.\/nowhere\.ts" does not exist/],
    ['an export that is no view', `${HEAD}\nexport const limit = 5`, /^my-views\/bad\.ts:3: export "limit" is no feature view/],
    ['no export', `${HEAD}const x = 1; void x`, /^my-views\/bad\.ts: it exports nothing/],
    ['waiting', `${HEAD}await 1\nexport const x = 1`, /^my-views\/bad\.ts:2: a definition is data, and awaits nothing/],
    ['the environment', `export const x = process.env`, /^my-views\/bad\.ts:1: .*process is not defined/],
    ['the name of a standard view', good('vitals').replace('const vitals', 'const x'), /^my-views\/bad\.ts:2: a standard view has the name vitals/],
    ['a feature of another view that it has not', `${HEAD}import { news2View } from 'latido/views'\nexport const x = ${spec('x', `    a: patients.max(news2View, 'news3'),`, `entity: 'ward',`)}`, /^my-views\/bad\.ts:5: .*reads news2:news3, which there is not \| did you mean news2/],
  ])('%s', async (_what, text, says) => {
    writeFileSync(join(dir.path, 'outside.ts'), 'export const x = 1\n')
    write('good.ts', good('good'))
    expect(await mistake('bad.ts', text)).toMatch(says)
  })

  it('two views of one name and version', async () => {
    write('a.ts', good('pulse'))
    expect(await mistake('b.ts', `\n${good('pulse')}`)).toMatch(/^my-views\/b\.ts:3: view pulse version 1 is defined in my-views\/a\.ts:2 too/)
  })

  it.each([['in a loop', 'while (true) {}'], ['in promises', 'const f = async () => { for (;;) await null }; void f()']])('a file that does not end, %s', async (_where, text) => {
    expect(await mistake('endless.ts', `${text}\nexport const x = 1`, { filesMax: 5, evaluateMsMax: 200 })).toMatch(/^my-views\/endless\.ts: it did not end within 0\.2 s/)
  })

  it('a folder that is missing, empty, or too large', async () => {
    await expect(loadViews(join(dir.path, 'nowhere'), [])).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
    await expect(loadViews(folder, [])).rejects.toMatchObject({ code: 'VIEW_INVALID', message: expect.stringContaining('has no view files') as string })
    write('a.ts', good('a'))
    expect(await mistake('b.ts', good('b'), { filesMax: 1, evaluateMsMax: 200 })).toMatch(/has 2 view files/)
  })

  it('what only types tell is told by the checker', async () => {
    newViewsFolder(join(folder, 'typed'))
    writeFileSync(join(folder, 'typed', 'shock.ts'), readFileSync(join(folder, 'typed', 'shock.ts'), 'utf8').replace(`owner: 'your-team'`, 'owner: 7'))
    expect(await checkTypes(join(folder, 'typed'))).toMatchObject({ kind: 'checked', faults: [{ file: join(folder, 'typed', 'shock.ts'), line: 7, message: expect.stringContaining('TS2322') as string }] })
  })
})
