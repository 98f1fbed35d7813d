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

test('a code that is not wanted makes no letter, is not listed, and is counted', async () => {
  const h = await opened()
  await send(h, 'P1 GLOSSE 1')
  expect(await h.feeds.mapCode('lab', { system: 'L', code: 'GLOSSE', concept: 'ignore', unit: '' }, 'e')).toMatchObject({ kind: 'mapped', feed: { codes: 1, unmapped: [] } })
  expect(readFileSync(join(h.folder, 'lab.codes.csv'), 'utf8')).toBe('system,code,concept,unit\nL,GLOSSE,ignore,\n')
  await send(h, 'P1 GLOSSE 2')
  expect(h.feeds.feeds()[0]).toMatchObject({ counts: { published: 0, refused: 1, codesIgnored: 1 }, unmapped: [] })
  expect(await h.feeds.mapCode('lab', { system: 'L', code: 'GLOSSE', concept: 'lactate', unit: '' }, 'e')).toEqual({ kind: 'mapped-otherwise', concept: 'ignore', unit: '' })
})

test('the table is shown as the file has it, and its rows are found by system, code and concept', async () => {
  const h = await opened({ 'lab.json': LAB, 'lab.codes.csv': '# ours\nsystem,code,concept,unit\nL,Krea,creatinine,umol/L\n,PULS,heartRate\nL,GLOSSE,ignore,\n' })
  const rows = [{ system: 'L', code: 'Krea', concept: 'creatinine', unit: 'umol/L' }, { system: '', code: 'PULS', concept: 'heartRate', unit: '' }, { system: 'L', code: 'GLOSSE', concept: 'ignore', unit: '' }]
  expect(h.feeds.codes('lab', '', 10)).toEqual({ kind: 'codes', page: { total: 3, matching: 3, codes: rows } })
  expect(h.feeds.codes('lab', '', 2)).toMatchObject({ page: { total: 3, matching: 3, codes: [rows[0], rows[1]] } })
  expect(['krea', 'l | g', 'ignore', 'heart', 'none'].map(find => { const found = h.feeds.codes('lab', find, 10); return found.kind === 'codes' ? found.page.codes.map(({ code }) => code) : found.kind })).toEqual([['Krea'], ['GLOSSE'], ['GLOSSE'], ['PULS'], []])
  expect(h.feeds.codes('other', '', 10)).toEqual({ kind: 'feed-unknown' })
  h.put('lab.codes.csv', 'system,code,concept,unit\nL,A,nothing,\n')
  expect(h.feeds.codes('lab', '', 10)).toMatchObject({ kind: 'file-faulty' })
})

test('of two people who change or take out one row the second hears what it says now, and nothing is lost', async () => {
  const h = await opened({ 'lab.json': LAB, 'lab.codes.csv': '# ours\nsystem,code,concept,unit\nL,XPULS,heartRate,\nL,B,spo2,\n' })
  const was = { concept: 'heartRate', unit: '' }
  const row = { system: 'L', code: 'XPULS' }
  const both = await Promise.all([h.feeds.mapCode('lab', { ...row, concept: 'respiratoryRate', unit: '', was }, 'e'), h.feeds.mapCode('lab', { ...row, concept: 'lactate', unit: '', was }, 'f')])
  expect(both).toMatchObject([{ kind: 'mapped' }, { kind: 'mapped-otherwise', concept: 'respiratoryRate', unit: '' }])
  expect(await h.feeds.removeCode('lab', { ...row, ...was }, 'f')).toEqual({ kind: 'mapped-otherwise', concept: 'respiratoryRate', unit: '' })
  expect(readFileSync(join(h.folder, 'lab.codes.csv'), 'utf8')).toBe('# ours\nsystem,code,concept,unit\nL,XPULS,respiratoryRate,\nL,B,spo2,\n')
  expect(await h.feeds.removeCode('lab', { ...row, concept: 'respiratoryRate', unit: '' }, 'f')).toMatchObject({ kind: 'mapped', feed: { codes: 1 } })
  expect(readFileSync(join(h.folder, 'lab.codes.csv'), 'utf8')).toBe('# ours\nsystem,code,concept,unit\nL,B,spo2,\n')
  expect(await h.feeds.removeCode('lab', { ...row, concept: 'respiratoryRate', unit: '' }, 'e')).toEqual({ kind: 'gone' })
  expect(await h.feeds.mapCode('lab', { ...row, concept: 'lactate', unit: '', was }, 'e')).toEqual({ kind: 'gone' })
  await send(h, 'P1 XPULS 80') // it means nothing any more, at once
  expect(h.feeds.feeds()[0]!.unmapped).toMatchObject([{ code: 'XPULS' }])
  expect(h.logged.filter(line => line.startsWith('a code was'))).toEqual(['a code was mapped {"feed":"lab","system":"L","code":"XPULS","concept":"respiratoryRate","unit":"","by":"e"}', 'a code was taken out of the table {"feed":"lab","system":"L","code":"XPULS","concept":"respiratoryRate","unit":"","by":"f"}'])
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

test('changed options start a feed again, a new file starts one, and a file that is gone ends one; what is counted goes on', async () => {
  const h = await opened({ 'lab.json': LAB, 'old.json': LAB })
  await send(h, 'P1 HR 80')
  h.put('lab.json', '{ "connector": "line", "options": { "port": 2 }, "mapping": { "zone": "Europe/Madrid" } }')
  h.put('new.json', LAB)
  rmSync(join(h.folder, 'old.json'))
  const { changed, refused } = await h.feeds.reload()
  expect([[...changed].sort(), refused]).toEqual([['lab', 'new', 'old'], []])
  expect([h.line.running('lab'), h.line.running('old'), h.line.running('new')]).toEqual([2, undefined, 1])
  await send(h, 'P1 HR 80')
  expect(h.feeds.feeds().map(({ name }) => name).sort()).toEqual(['lab', 'new'])
  expect(h.feeds.feeds()[0]).toMatchObject({ name: 'lab', zone: 'Europe/Madrid', configuration: { state: 'current' }, health: { state: 'up', why: '' }, counts: { published: 1, duplicates: 1 } })
  await h.feeds.reload()
  expect(h.line.started).toEqual(['lab 1', 'old 1', 'lab 2', 'new 1']) // what has not changed is left alone
})

test('a faulty file leaves the feed running with what it had, and a file that is gone is not one that is faulty', async () => {
  const h = await opened()
  h.put('lab.json', '{ "connector": "line", "options": { "port": "two" } }')
  const { refused } = await h.feeds.reload()
  expect([refused.length, h.line.started, h.line.running('lab')]).toEqual([1, ['lab 1'], 1])
  expect(h.feeds.feeds()[0]).toMatchObject({ configuration: { state: 'refused' }, health: { state: 'up' } })
})

test('a feed that cannot start with its newer options runs as before and says why; a new one that cannot start is told', async () => {
  const h = await opened({ 'lab.json': LAB, 'other.json': '{ "connector": "line", "options": { "port": 7 } }' })
  h.put('lab.json', '{ "connector": "line", "options": { "port": 7 } }')
  h.put('new.json', '{ "connector": "line", "options": { "port": 7 } }')
  const { refused } = await h.feeds.reload()
  expect(refused).toEqual(['lab.json: it cannot start: port 7 is taken', 'new.json: it cannot start: port 7 is taken'])
  expect([h.line.running('lab'), h.feeds.feeds().length]).toEqual([1, 2])
  expect(h.feeds.feeds()[0]).toMatchObject({ configuration: { state: 'refused' }, health: { state: 'up', why: 'lab.json: it cannot start: port 7 is taken' } })
  await send(h, 'P1 HR 80')
  rmSync(join(h.folder, 'other.json'))
  await h.feeds.reload() // the port is free, and goes from one feed to another
  expect(h.feeds.feeds().map(({ name, configuration }) => [name, configuration.state])).toEqual([['lab', 'current']])
  expect(h.line.running('lab')).toBe(7)
})

test('a feed that starts neither with its newer options nor with the old ones says so, and is tried again at the next reload', async () => {
  const h = await opened()
  h.line.broken = true
  h.put('lab.json', '{ "connector": "line", "options": { "port": 2 } }')
  await h.feeds.reload()
  expect(h.feeds.feeds()[0]).toMatchObject({ health: { state: 'failed' }, configuration: { state: 'refused' } })
  h.line.broken = false
  await h.feeds.reload()
  expect([h.line.running('lab'), h.feeds.feeds()[0]!.health.state]).toEqual([2, 'up'])
})

test('a busy feed is drained before it begins again, and of a sender that repeats what was not answered nothing is lost or twice', async () => {
  const h = await opened()
  const values = Array.from({ length: 200 }, (_, i) => 40 + i)
  let answered = 0
  const sender = (async () => {
    for (const value of values) {
      while (!await h.line.offer('lab', Buffer.from(`P1 HR ${value}`))) await new Promise(setImmediate)
      answered++
    }
  })()
  for (let round = 1; round <= 8; round++) {
    await expect.poll(() => answered, { interval: 1 }).toBeGreaterThanOrEqual(20 * round)
    h.put('lab.json', `{ "connector": "line", "options": { "port": ${1 + round % 2} } }`)
    await h.feeds.reload()
  }
  await sender
  expect(h.line.started.length).toBe(9)
  expect(h.line.overlaps).toBe(0)
  expect(await heartRates(h.house)).toEqual(values)
  expect(h.feeds.feeds()[0]!.counts.published).toBe(200)
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
