import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { WireCatalogueView, WireFeatures } from '../../dashboards/server/wire.ts'
import { systemClock } from '../../streams/time/index.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { admission, api, chartedSet, codeOf, MllpClient, runCli, STABLE, startCli, until, type Cli } from './kit/index.ts'

const view = (version: number, features: string): string => `import { featureView, last, ratio } from 'latido/features'

export const shock = featureView({
  name: 'shock', version: ${version}, owner: 'me', description: 'Signs of shock', ttl: '1 h', emit: { every: '1 s', on: ['charted'] },
  features: {
${features}
  },
})
`
const INDEX = `    index: ratio(last('heartRate').within('1 h'), last('systolic').within('1 h')),`
const PULSE = `    pulse: last('heartRate').within('1 h'),`

const catalogued = async (cli: Cli, name: string): Promise<readonly WireCatalogueView[]> => (await api<WireCatalogueView[]>(cli.url, '/api/catalogue')).filter(v => v.name === name)
const shockOf = async (cli: Cli, patient: string): Promise<WireFeatures['views'][number] | undefined> => (await api<WireFeatures>(cli.url, `/api/patients/${patient}/features`)).views.find(v => v.view === 'shock' && v.asOf !== null)
const said = (cli: Cli, text: string): Promise<true> => until(text, async () => cli.stdout.includes(text) ? true : undefined)

it('views of a folder are computed, shown and served; a new version is built through kill -9 and takes over', async () => {
  const dir = tempDir()
  const folder = join(dir.path, 'my-views')
  mkdirSync(folder)
  const file = join(folder, 'shock.ts')
  writeFileSync(file, view(1, INDEX))
  const options = { dataDir: join(dir.path, 'data'), flags: ['--offline', 'off', '--features', folder] }
  {
    await using cli = await startCli(options)
    using sender = await MllpClient.open(cli.mllpPort)
    const now = systemClock.now()
    for (const message of [admission('V-1', 'OWN-1', '01', now), chartedSet('V-2', 'OWN-1', STABLE, now)]) expect(codeOf(await sender.exchange(message) ?? '')).toBe('AA')
    const first = await until('the first version', () => shockOf(cli, 'OWN-1'))
    expect(first).toMatchObject({ version: 1, features: [{ name: 'index', present: true, value: STABLE.beats / STABLE.systolic }] })
    expect(await catalogued(cli, 'shock')).toMatchObject([{ version: 1, origin: 'own', state: 'live', served: true, features: [{ name: 'index', meaning: expect.stringContaining('newest reading of heart rate') as string }] }])
    await cli.end('SIGINT')
  }

  writeFileSync(file, view(1, `${INDEX}\n${PULSE}`))
  const refused = await runCli(['start', '--data-dir', options.dataDir, '--http-port', '0', '--mllp-port', '0', '--mqtt-port', '0', '--simulate', 'off', ...options.flags])
  expect(refused.stderr).toMatch(/^latido: view shock@1 was published with another meaning: features that are new: pulse: raise its version to 2.*\[VIEW_CHANGED\]\n$/)
  expect(refused.code).toBe(1)

  writeFileSync(file, view(2, `${INDEX}\n${PULSE}`))
  const caughtUp = 'view shock@2 has caught up, and is served as shock'
  let before: string
  {
    await using cli = await startCli(options)
    expect(cli.stdout).toContain('view shock@2 is published; its state is built from the log')
    await cli.end('SIGKILL')
    before = cli.stdout
  }
  {
    await using cli = await startCli(options)
    if (!before.includes(caughtUp)) await said(cli, caughtUp) // a slow start may have been through before it was killed
    const second = await until('the second version', async () => { const v = await shockOf(cli, 'OWN-1'); return v?.version === 2 ? v : undefined })
    expect(second.features).toMatchObject([{ name: 'index', value: STABLE.beats / STABLE.systolic }, { name: 'pulse', value: STABLE.beats }]) // though nothing came since
    expect((await catalogued(cli, 'shock')).map(({ version, state, served }) => `${version} ${state} ${served}`).sort()).toEqual(['1 live false', '2 live true'])
    await cli.end('SIGINT')
  }
  await using cli = await startCli(options)
  expect(cli.stdout).toContain('view shock@1 is retired')
  expect((await catalogued(cli, 'shock')).map(({ version }) => version)).toEqual([2])
  expect(await cli.end('SIGINT')).toEqual({ code: 0, signal: null })
  dir.remove()
})

it('a mistake in the folder is one line with file and line, and nothing starts', async () => {
  const dir = tempDir()
  const folder = join(dir.path, 'my-views')
  mkdirSync(folder)
  writeFileSync(join(folder, 'shock.ts'), view(1, `    index: last('hartRate'),`))
  const { code, stderr } = await runCli(['start', '--data-dir', join(dir.path, 'data'), '--features', folder])
  expect(stderr).toBe(`latido: ${join(folder, 'shock.ts')}:6: feature view shock: feature index: there is no concept "hartRate": did you mean heartRate, lactate? [VIEW_INVALID]\n`)
  expect(code).toBe(1)
  dir.remove()
})

it('the command line makes a folder, and says what a view means, what is doubtful and what is kept', async () => {
  const dir = tempDir()
  const folder = join(dir.path, 'my-views')
  expect((await runCli(['features', 'new', folder])).code).toBe(0)
  expect(readFileSync(join(folder, 'shock.ts'), 'utf8')).toContain(`from 'latido/features'`)
  const flags = ['--features', folder, '--data-dir', join(dir.path, 'none')]
  expect((await runCli(['features', 'list', ...flags])).stdout).toMatch(/^shock@1 +patient +2 /m)
  expect((await runCli(['features', 'show', 'shock:shockIndex', ...flags])).stdout).toContain(`newest reading of heart rate within 10 m / newest reading of systolic pressure within 1 h`)
  const lint = await runCli(['features', 'lint', ...flags, '--json'])
  expect([lint.code, (JSON.parse(lint.stdout) as { findings: readonly { kind: string }[] }).findings.map(f => f.kind)]).toEqual([0, ['nothing-depends']])
  writeFileSync(join(folder, 'shock.ts'), readFileSync(join(folder, 'shock.ts'), 'utf8').replace(`owner: 'your-team'`, 'owner: 7').replace(`ttl: '15 m'`, `ttl: '5 s'`))
  const doubtful = await runCli(['features', 'lint', ...flags])
  expect(doubtful.stdout).toMatch(/shock\.ts:7: TS2322.*\[types\]\n.*shock\.ts:4: shock@1: its TTL \(5 s\) is shorter/)
  expect(doubtful.code).toBe(4)
  expect((await runCli(['features', 'plan', ...flags])).stdout).toMatch(/your views, in a processor of their own: shock@1/)
  expect((await runCli(['features', 'show', 'nothing', ...flags])).stderr).toMatch(/there is no view "nothing".*\[VIEW_UNKNOWN\]/)
  dir.remove()
})
