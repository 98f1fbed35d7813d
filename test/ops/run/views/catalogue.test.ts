import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { parseConfig, type Config } from '../../../../ops/config/index.ts'
import { lintCatalogue, planCatalogue, publishedIn, publishViews, readCatalogue, retireView } from '../../../../ops/run/views/catalogue.ts'
import { Closers } from '../../../../ops/run/closers.ts'
import { openDataDir } from '../../../../ops/run/data-dir.ts'
import { openStores } from '../../../../ops/run/stores.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { tempDir } from '../../../kit/temp-dir.ts'

let dir: ReturnType<typeof tempDir>
const clock = new ManualClock(Date.UTC(2030, 0, 7))
beforeEach(() => { dir = tempDir(); mkdirSync(join(dir.path, 'views')) })
afterEach(() => { dir.remove() })

const write = (file: string, name: string, version: number, feature: string, more = ''): void => {
  writeFileSync(join(dir.path, 'views', file), `import { featureView, last, patients } from 'latido/features'\nimport { shock } from './shock.ts'\nvoid shock\nexport const ${name} = featureView({ name: '${name}', version: ${version}, owner: 'o', description: 'd', ttl: '1 h', emit: { every: '1 s' }, ${more}features: { a: ${feature} } })\n`.replace(file === 'shock.ts' ? `import { shock } from './shock.ts'\nvoid shock\n` : 'never', ''))
}
const config = (...more: readonly string[]): Config => parseConfig(['--data-dir', join(dir.path, 'data'), '--features', join(dir.path, 'views'), '--model', 'off', ...more], {})

/** A log, as a start leaves it. */
async function makeLog (): Promise<void> {
  await using closers = new Closers()
  const data = closers.use(openDataDir(join(dir.path, 'data')))
  await openStores(data, { clock, partitions: 4, retentionMs: 0, replay: false }, closers)
}

const stateOf = async (key: string): Promise<string | undefined> => (await readCatalogue(config(), await publishedIn(config(), clock))).find(v => `${v.name}@${v.version}` === key)?.state

it('a view is not published, published, and not retired while it is defined or something reads it', async () => {
  write('shock.ts', 'shock', 1, `last('heartRate')`)
  expect(await publishedIn(config(), clock)).toBeUndefined()
  expect(await stateOf('shock@1')).toBe('unknown')
  await expect(publishViews(config(), clock)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  await makeLog()
  expect(await stateOf('shock@1')).toBe('unpublished')
  expect((await publishViews(config(), clock)).filter(r => r.kind === 'published').length).toBeGreaterThan(4)
  expect(await stateOf('shock@1')).toBe('live') // the log is empty: nothing has to be built
  expect(await publishViews(config(), clock)).toEqual([])
  await expect(retireView(config(), clock, 'shock@1')).rejects.toMatchObject({ code: 'VIEW_IN_USE', message: 'view shock@1 is still defined' })
  await expect(retireView(config(), clock, 'nothing@1')).rejects.toMatchObject({ code: 'VIEW_UNKNOWN' })
  await expect(retireView(config(), clock, 'vitals@1')).rejects.toMatchObject({ code: 'VIEW_IN_USE', message: expect.stringMatching(/feature service bedside.*alert rule no-data.*ward board/) as string })

  write('shock.ts', 'shock', 2, `last('systolic')`)
  await publishViews(config(), clock)
  expect(await stateOf('shock@2')).toBe('live')
  expect(await stateOf('shock@1')).toBe('live') // published, and it goes on without its file
  await retireView(config(), clock, 'shock@1')
  await retireView(config(), clock, 'shock@1')
  expect(await stateOf('shock@1')).toBeUndefined()
  write('shock.ts', 'shock', 1, `last('heartRate')`)
  await expect(publishViews(config(), clock)).rejects.toMatchObject({ code: 'VIEW_RETIRED' })
})

it('what a view of a ward reads depends on it', async () => {
  write('shock.ts', 'shock', 1, `last('heartRate')`)
  write('ward.ts', 'wardShock', 1, `patients.max(shock, 'a')`, `entity: 'ward', `)
  const views = await readCatalogue(config(), undefined)
  expect(views.find(v => v.name === 'shock')).toMatchObject({ origin: 'own', dependents: ['view wardShock@1'], file: join(dir.path, 'views', 'shock.ts'), line: 2 })
  expect(views.find(v => v.name === 'wardShock')).toMatchObject({ entity: 'ward', features: [{ reads: ['shock@1:a'], meaning: 'max over the patients of shock@1:a' }] })
  expect((await lintCatalogue(config())).findings.map(({ kind, view }) => `${kind} ${view}`)).toEqual(['nothing-depends wardShock@1'])
  expect((await planCatalogue(config())).own).toMatchObject({ views: ['shock@1'], series: [{ concept: 'heartRate', views: ['shock@1'] }] })
})
