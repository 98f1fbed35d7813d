import { appendFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { appendFile, rename, truncate, writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { World } from '../../../../connectors/conformance/world.ts'
import { FILES_OPTIONS, runImport, formatOf } from '../../../../connectors/files/index.ts'
import { Feed, fixedMapping, PLAIN_MAPPING, type ConnectorKind } from '../../../../connectors/kit/index.ts'
import type { FilesOptions } from '../../../../connectors/files/index.ts'
import { filesConnector, FILES_PARTS } from '../../../../ops/run/intake/files-connector.ts'
import { systemClock } from '../../../../streams/time/index.ts'
import { until } from '../../../kit/servers/index.ts'
import { TemporaryFolder } from '../folder.ts'
import { FakeIntake } from '../../kit/fake-intake.ts'
import { LONG, NOW_MS, Tables, trial, valuesOf } from '../support.ts'

const HEADER = 'mrn,at,test,result,unit'
const row = (n: number, patient = 'P1'): string => `${patient},2026-03-14T08:${String(n % 60).padStart(2, '0')}:00Z,HR,${60 + n},/min`
const rows = (n: number): string => Array.from({ length: n }, (_, i) => `${row(i, `P${i % 3}`)}\n`).join('')

describe('a file that is imported', () => {
  it('is taken whole once, also when the process is killed before or after any effect, packed or not', async () => {
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.array(fc.record({ crashAt: fc.integer({ min: 1, max: 60 }), afterEffect: fc.boolean() }), { maxLength: 4 }), fc.boolean(), async (n, plans, packed) => {
      const name = packed ? 'a.csv.gz' : 'a.csv'
      await using folder = await TemporaryFolder.of({ [name]: `${HEADER}\n${rows(n)}` })
      const world = new World(systemClock)
      const options = FILES_OPTIONS.parse(LONG)
      for (const plan of [...plans, {}]) {
        const life = world.life(filesConnector as ConnectorKind<FilesOptions>, options, PLAIN_MAPPING, plan)
        const { connector, done } = runImport(life.context, { path: folder.file(name), format: formatOf(options, FILES_PARTS), inFlightMax: 8 })
        await Promise.race([done, life.crashed])
        life.kill()
        await Promise.race([connector[Symbol.asyncDispose](), systemClock.sleep(5)])
      }
      expect(world.published.length).toBe(n)
      expect(new Set(world.published.map(message => message.messageId)).size).toBe(n)
    }), { numRuns: 60 })
  }, 120_000)

  it('is not taken again, and goes on where it ended when it has grown', async () => {
    await using folder = await TemporaryFolder.of({ 'a.csv': `${HEADER}\n${rows(3)}` })
    const tables = new Tables()
    expect(await trial(LONG, { tables }).take(folder.file('a.csv'))).toEqual({ records: 3, before: 0 })
    expect(await trial(LONG, { tables }).take(folder.file('a.csv'))).toEqual({ records: 3, before: 3 })
    await appendFile(folder.file('a.csv'), `${row(7)}\n${row(8)}\n`)
    const later = trial(LONG, { tables })
    expect(await later.take(folder.file('a.csv'))).toEqual({ records: 5, before: 3 })
    expect(valuesOf(later.intake)).toEqual([67, 68])
  })

  it('that was replaced under its name is another file', async () => {
    await using folder = await TemporaryFolder.of({ 'a.csv': `${HEADER}\n${rows(3)}` })
    const tables = new Tables()
    await trial(LONG, { tables }).take(folder.file('a.csv'))
    await writeFile(folder.file('a.csv'), `${HEADER}\n${row(30)}\n${row(31)}\n${row(32)}\n${row(33)}\n`)
    const later = trial(LONG, { tables })
    expect(await later.take(folder.file('a.csv'))).toEqual({ records: 4, before: 0 })
    expect(valuesOf(later.intake)).toEqual([90, 91, 92, 93])
  })

  it('gives only complete records while somebody still writes to it, and the rest later', async () => {
    await using folder = await TemporaryFolder.of({ 'a.csv': `${HEADER}\n${rows(2)}P1,2026-03-14T08:30:00Z,HR,1` })
    const tables = new Tables()
    const first = trial(LONG, { tables })
    let grew = false
    const path = folder.file('a.csv')
    await first.take(path, ({ step }) => {
      if (step === 'taking' && !grew) appendFileSync(path, '20,/min\n')
      grew ||= step === 'taking'
    })
    expect(valuesOf(first.intake)).toEqual([60, 61])
    const second = trial(LONG, { tables })
    expect(await second.take(path)).toEqual({ records: 3, before: 2 })
    expect(valuesOf(second.intake)).toEqual([120])
  })

  it.each([['over', (path: string) => { writeFileSync(path, `${HEADER}\n${rows(5).replaceAll('HR', 'RR')}`) }], ['shorter', (path: string) => { truncateSync(path, 60) }]])('that is written %s while it is read is told, and taken as another when it is given again', async (_, change) => {
    await using folder = await TemporaryFolder.of({ 'a.csv': `${HEADER}\n${rows(5)}` })
    const path = folder.file('a.csv')
    utimesSync(path, 1_900_000_000, 1_900_000_000) // times of files are coarse
    let changed = false
    const tables = new Tables()
    await expect(trial(LONG, { tables }).take(path, ({ step }) => {
      if (step === 'taking' && !changed) change(path)
      changed ||= step === 'taking'
    })).rejects.toMatchObject({ code: 'FILE_INVALID' })
    await writeFile(path, `${HEADER}\n${row(9)}\n`)
    const again = trial(LONG, { tables })
    expect(await again.take(path)).toEqual({ records: 1, before: 0 })
    expect(valuesOf(again.intake)).toEqual([69])
  })

  it('whose last record had no end is read again from there when it has grown: nothing is lost', async () => {
    await using folder = await TemporaryFolder.of({ 'a.csv': `${HEADER}\n${rows(2)}P1,2026-03-14T08:30:00Z,HR` })
    const tables = new Tables()
    const first = trial(LONG, { tables })
    await first.take(folder.file('a.csv'))
    expect(first.intake.refused.map(({ cause }) => cause)).toEqual(['malformed'])
    await appendFile(folder.file('a.csv'), ',120,/min\n')
    const second = trial(LONG, { tables })
    await second.take(folder.file('a.csv'))
    expect(valuesOf(second.intake)).toEqual([120])
  })

  it('that is cut off in the middle of its packing is told, and what stood before was taken; the mended one goes on', async () => {
    const text = `${HEADER}\n${Array.from({ length: 30_000 }, (_, i) => `${row(i % 60, `P${i}`)}\n`).join('')}`
    await using folder = await TemporaryFolder.of({ 'a.csv.gz': text })
    const path = folder.file('a.csv.gz')
    await truncate(path, Math.floor(gzipSync(text).length / 2))
    const tables = new Tables()
    const first = trial(LONG, { tables })
    await expect(first.take(path)).rejects.toMatchObject({ code: 'FILE_INVALID' })
    const taken = first.intake.published.length
    expect(taken).toBeGreaterThan(0)
    await writeFile(path, gzipSync(text))
    const second = trial(LONG, { tables, intake: first.intake })
    expect(await second.take(path)).toEqual({ records: 30_000, before: taken })
    expect(first.intake.published.length).toBe(30_000)
    expect(first.intake.duplicates).toBe(0)
  })

  it('of a million rows is taken in bounded memory', async () => {
    await using folder = await TemporaryFolder.of({ 'a.csv': `${HEADER}\n` })
    const part = Array.from({ length: 10_000 }, (_, i) => `P${i % 100},2026-03-14T08:30:00Z,HR,${60 + i % 60},/min\n`).join('')
    for (let i = 0; i < 100; i++) await appendFile(folder.file('a.csv'), part)
    const { intake, take } = trial(LONG)
    let published = 0
    intake.publish = () => { published++; return Promise.resolve({ kind: 'published', arrival: 0 }) } // one that keeps nothing
    let most = 0
    const before = process.memoryUsage().rss
    const startedMs = systemClock.monotonicMs()
    await take(folder.file('a.csv'), () => { most = Math.max(most, process.memoryUsage().rss) })
    const seconds = (systemClock.monotonicMs() - startedMs) / 1_000
    console.info(`a million rows, without a log: ${Math.round(published / seconds)} a second, ${Math.round((most - before) / 2 ** 20)} MiB more`)
    expect(published).toBe(1_000_000)
    expect(most - before).toBeLessThan(512 * 2 ** 20)
  }, 240_000)
})

describe('a drop folder', () => {
  it('takes files in order of name, leaves the unfinished alone, and goes on behind one that is damaged', async () => {
    await using folder = await TemporaryFolder.of({ 'b.csv': `${HEADER}\n${row(2)}\n`, 'a.csv': `${HEADER}\n${row(1)}\n`, 'c.csv': 'not;the;table\n1;2;3\n', 'd.csv': `${HEADER}\n${row(4)}\n`, 'e.csv.part': `${HEADER}\n${row(5)}\n`, 'notes.md': 'x' })
    const intake = new FakeIntake(NOW_MS)
    const tables = new Tables()
    const said: string[] = []
    const options = FILES_OPTIONS.parse({ ...LONG, folder: folder.path, settleMs: 0, pollEveryMs: 100 })
    const feed = new Feed({ name: 'drop', kind: 'files', intake, mapping: fixedMapping(), map: filesConnector.mapper(options) })
    await using connector = await filesConnector.start({ feed, clock: systemClock, table: name => tables.table(name), secret: () => '', say: line => { said.push(line) } }, options)
    await intake.until(() => intake.published.length === 3)
    await until('the health says so', 20_000, () => Promise.resolve(connector.health().why !== ''))
    expect(valuesOf(intake)).toEqual([61, 62, 64])
    expect(intake.refused).toMatchObject([{ cause: 'malformed', feed: 'drop' }])
    expect(connector.health()).toMatchObject({ state: 'up', why: '1 file could not be read to the end' })
    expect(intake.counts.get('file-damaged')).toBe(1)
    await writeFile(folder.file('c.csv.part'), `${HEADER}\n${row(3)}\n`)
    await rename(folder.file('c.csv.part'), folder.file('c.csv')) // an empty file, looked at before it is written, would be mended too
    await until('the mended one is taken', 20_000, () => Promise.resolve(connector.health().why === ''))
    expect(valuesOf(intake)).toEqual([61, 62, 64, 63])
    for (const line of said) expect(line).not.toContain('.csv')
  })
})
