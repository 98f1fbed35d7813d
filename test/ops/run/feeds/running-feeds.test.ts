import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { tempDir } from '../../../kit/temp-dir.ts'
import { heartRates } from '../../../connectors/kit/house.ts'
import { openFeeds, type FeedsHouse } from './kit.ts'

const LAB = '{ "connector": "line" }'
let dir: ReturnType<typeof tempDir>
let open: FeedsHouse | undefined
beforeEach(() => { dir = tempDir() })
afterEach(async () => { await open?.close(); open = undefined; dir.remove() })

async function opened (files: Readonly<Record<string, string>> = { 'lab.json': LAB }, env: Readonly<Record<string, string>> = {}): Promise<FeedsHouse> { return open = await openFeeds(dir.path, files, env) }
const send = (h: FeedsHouse, text: string): Promise<unknown> => h.line.feed('lab').take(Buffer.from(text))

test('a feed counts what becomes of its own messages', async () => {
  const h = await opened()
  for (const text of ['P1 HR 80', 'P1 HR 80', 'P1 XPULS 80']) await send(h, text)
  expect(h.feeds.feeds()[0]).toMatchObject({ name: 'lab', connector: 'line', endpoint: 'line://here', counts: { published: 1, duplicates: 1, refused: 1, archived: 0 }, configuration: { state: 'current' }, health: { state: 'up', why: '' } })
})

test('a code is mapped from the page: written with its comments, in effect at once, noted without a value', async () => {
  const h = await opened({ 'lab.json': LAB, 'lab.codes.csv': '# ours\nsystem,code,concept,unit\nL,A,spo2,\n' })
  await send(h, 'P1 XPULS 80')
  expect(h.feeds.feeds()[0]!.unmapped).toMatchObject([{ system: 'L', code: 'XPULS', text: 'name of XPULS', count: 1 }])
  expect(await h.feeds.mapCode('lab', { system: 'L', code: 'XPULS', concept: 'heartRate', unit: '' }, 'engineer')).toMatchObject({ kind: 'mapped', feed: { codes: 2, unmapped: [] } })
  expect(readFileSync(join(h.folder, 'lab.codes.csv'), 'utf8')).toBe('# ours\nsystem,code,concept,unit\nL,A,spo2,\nL,XPULS,heartRate,\n')
  await send(h, 'P1 XPULS 81')
  expect(await heartRates(h.house)).toEqual([81])
  expect(h.logged.filter(line => line.startsWith('a code was mapped'))).toEqual(['a code was mapped {"feed":"lab","system":"L","code":"XPULS","concept":"heartRate","unit":"","by":"engineer"}'])
})

test('a mapping that cannot be is refused, and the file stays as it is', async () => {
  const h = await opened()
  expect(await h.feeds.mapCode('lab', { system: 'L', code: 'X', concept: 'heartRate', unit: 'mg/dL' }, 'e')).toEqual({ kind: 'invalid', why: '"mg/dL" is no unit of heartRate, which is kept in /min' })
  expect(await h.feeds.mapCode('other', { system: 'L', code: 'X', concept: 'heartRate', unit: '' }, 'e')).toEqual({ kind: 'feed-unknown' })
  h.put('lab.codes.csv', 'system,code,concept,unit\nL,A,nothing,\n')
  expect(await h.feeds.mapCode('lab', { system: 'L', code: 'X', concept: 'heartRate', unit: '' }, 'e')).toMatchObject({ kind: 'file-faulty', why: expect.stringMatching(/^lab\.codes\.csv:2: /) as string })
  expect(readFileSync(join(h.folder, 'lab.codes.csv'), 'utf8')).toBe('system,code,concept,unit\nL,A,nothing,\n')
})

test('two people who map at once both have their code in the file', async () => {
  const h = await opened()
  await Promise.all(['A', 'B', 'C'].map(code => h.feeds.mapCode('lab', { system: 'L', code, concept: 'heartRate', unit: '' }, 'e')))
  expect(h.feeds.feeds()[0]!.codes).toBe(3)
})

test('of two people who map one code to two things the second hears of the first, and overrules only when that is said', async () => {
  const h = await opened({ 'lab.json': LAB, 'lab.codes.csv': 'system,code,concept,unit\n' })
  const map = (concept: string, unit = '', more = {}): Promise<unknown> => h.feeds.mapCode('lab', { system: 'L', code: 'KREA', concept, unit, ...more }, 'e')
  const both = await Promise.all([map('creatinine', 'umol/L'), map('lactate')])
  expect(both).toMatchObject([{ kind: 'mapped' }, { kind: 'mapped-otherwise', concept: 'creatinine', unit: 'umol/L' }])
  expect(await map('creatinine', 'umol/L')).toMatchObject({ kind: 'mapped' })
  expect(await map('creatinine')).toMatchObject({ kind: 'mapped-otherwise' })
  expect(readFileSync(join(h.folder, 'lab.codes.csv'), 'utf8')).toBe('system,code,concept,unit\nL,KREA,creatinine,umol/L\n')
  expect(await map('lactate', '', { replace: true })).toMatchObject({ kind: 'mapped', feed: { codes: 1 } })
  expect(readFileSync(join(h.folder, 'lab.codes.csv'), 'utf8')).toBe('system,code,concept,unit\nL,KREA,lactate,\n')
})

test('a changed table takes effect when it is looked at; a faulty one is refused, the old one holds and health says so', async () => {
  const h = await opened()
  h.put('lab.codes.csv', 'system,code,concept,unit\nL,XPULS,heartRate,\n')
  h.clock.advance(3_000)
  await h.feeds.reload()
  await send(h, 'P1 XPULS 80')
  h.put('lab.codes.csv', 'system,code,concept,unit\nL,XPULS,heartRat,\n')
  h.clock.advance(3_000)
  await expect.poll(() => h.feeds.feeds()[0]!.configuration.state).toBe('refused')
  expect(h.feeds.feeds()[0]!.health).toMatchObject({ state: 'up', why: 'lab.codes.csv:2: there is no concept "heartRat"; docs/clinical-limits.md lists them' })
  await send(h, 'P1 XPULS 81')
  expect(await heartRates(h.house)).toEqual([80, 81])
  h.put('lab.codes.csv', 'system,code,concept,unit\n')
  h.clock.advance(3_000)
  await expect.poll(() => h.feeds.feeds()[0]!.configuration.state).toBe('current')
})

test('changed options, a new feed and one that is gone are told as needing a restart', async () => {
  const h = await opened({ 'lab.json': LAB, 'old.json': LAB })
  h.put('lab.json', '{ "connector": "line", "options": { "port": 2 }, "mapping": { "zone": "Europe/Madrid" } }')
  h.put('new.json', LAB)
  rmSync(join(h.folder, 'old.json'))
  const { changed, refused, restart } = await h.feeds.reload()
  expect([changed, refused]).toEqual([['lab'], []])
  expect(restart).toEqual(['lab.json: its connector or options have changed; they take effect when Latido is started again', 'old.json is gone; the feed ends when Latido is started again', 'new.json is new; the feed begins when Latido is started again'])
  expect(h.feeds.feeds()[0]).toMatchObject({ zone: 'Europe/Madrid', configuration: { state: 'restart' } })
})

test('unmapped codes survive a restart', async () => {
  const first = await opened()
  await send(first, 'P1 XPULS 80')
  await first.close()
  const second = await opened({})
  await send(second, 'P1 XPULS 80')
  expect(second.feeds.feeds()[0]!.unmapped).toMatchObject([{ code: 'XPULS', count: 2 }])
})

test('a table of a feed is its own, whatever another feed calls its table', async () => {
  const h = await opened({ 'a.json': LAB, 'a-b.json': LAB })
  await h.line.contexts.get('a')!.table<number>('t').save('k', 1)
  await h.line.contexts.get('a-b')!.table<number>('t').save('k', 2)
  expect([...h.line.contexts.get('a')!.table<number>('t').load()]).toEqual([['k', 1]])
})

test('a secret comes from a file or the environment, and stands in no log', async () => {
  writeFileSync(join(dir.path, 'token'), ' s3cret-of-file \n')
  const h = await opened({ 'a.json': JSON.stringify({ connector: 'line', options: { token: { file: join(dir.path, 'token') } } }), 'b.json': '{ "connector": "line", "options": { "token": { "env": "TOKEN" } } }' }, { TOKEN: 's3cret-of-env' })
  expect(h.line.secrets).toEqual(['s3cret-of-file', 's3cret-of-env'])
  await h.feeds.reload()
  expect(h.logged.join('\n')).not.toContain('s3cret')
  expect(JSON.stringify(h.feeds.feeds())).not.toContain('s3cret')
})

test('a secret that is not there ends the start, naming the variable', async () => {
  await expect(opened({ 'b.json': '{ "connector": "line", "options": { "token": { "env": "TOKEN" } } }' })).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: 'the variable TOKEN, which feed b names for a secret, is not set' })
})
