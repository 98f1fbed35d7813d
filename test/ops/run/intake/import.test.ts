import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parseConfig } from '../../../../ops/config/index.ts'
import { importFile, type ImportRequest, type ImportSummary } from '../../../../ops/run/index.ts'
import { openEmbeddedLog } from '../../../../streams/log/index.ts'
import { openEventCodecs, SchemaBook, TOPICS } from '../../../../streams/events/index.ts'
import { systemClock } from '../../../../streams/time/index.ts'
import { read } from '../../../connectors/kit/house.ts'
import { ROOT } from '../../../house/source-files.ts'
import { until } from '../../../kit/servers/index.ts'
import { tempDir } from '../../../kit/temp-dir.ts'

const scratch = tempDir()
afterAll(() => { scratch.remove() })
let n = 0

const LAB = { connector: 'files', options: { format: 'csv', csv: { patient: 'mrn', time: 'at', code: 'test', value: 'result' } }, mapping: { site: 'north', zone: 'Europe/Madrid' } }

/** A data directory, a folder of feeds, and files. */
function place (): { readonly path: (name: string) => string, take (format: string, file: string, feed: string, more?: { readonly feeds?: string, readonly args?: readonly string[] }): Promise<ImportSummary> } {
  const root = join(scratch.path, String(n++))
  mkdirSync(join(root, 'feeds'), { recursive: true })
  writeFileSync(join(root, 'feeds', 'lab.json'), JSON.stringify(LAB))
  const path = (name: string): string => join(root, name)
  return {
    path,
    take: (format, file, feed, { feeds = path('feeds'), args = [] } = {}) => importFile({
      format, path: path(file), feed, clock: systemClock, signal: new AbortController().signal, say: () => {}, onProgress: () => {},
      config: parseConfig(['--data-dir', path('data'), ...feeds === '' ? [] : ['--feeds', feeds], ...args], {}),
    } satisfies ImportRequest),
  }
}

async function heartRates (directory: string): Promise<readonly number[]> {
  const log = await openEmbeddedLog({ directory: join(directory, 'log'), clock: systemClock })
  try {
    const codecs = await openEventCodecs(await SchemaBook.open({ url: 'mock://', storage: { load: () => [], add: () => Promise.resolve() } }))
    const events = await read(log, TOPICS.events, record => codecs.decode(record))
    return events.flatMap(event => event.kind === 'ok' && event.value.type === 'observations' ? event.value.observations.map(({ value }) => value) : [])
  } finally {
    await log[Symbol.asyncDispose]()
  }
}

describe('latido import', () => {
  it('takes a file by a feed\'s mapping and codes to a log of its own, once', async () => {
    const { path, take } = place()
    writeFileSync(path('a.csv'), 'mrn,at,test,result\nP1,2026-03-14 08:30,PULS,60\nP1,2026-03-14 08:31,PULS,61\nP1,2026-03-14 08:31,NOBODY,1\n')
    writeFileSync(path('feeds/lab.codes.csv'), 'system,code,concept,unit\n,PULS,heartRate,/min\n')
    const first = await take('csv', 'a.csv', 'lab')
    expect(first.imported).toEqual({ records: 3, before: 0 })
    expect(Object.fromEntries(first.counts)).toMatchObject({ published: 2, 'refused-code-unknown': 1 })
    expect((await take('csv', 'a.csv', 'lab')).imported).toEqual({ records: 3, before: 3 })
    appendFileSync(path('a.csv'), 'P2,2026-03-14 08:32,PULS,62\n')
    expect((await take('csv', 'a.csv', 'lab')).imported).toEqual({ records: 4, before: 3 })
    expect([...await heartRates(path('data'))].sort()).toEqual([60, 61, 62])
  })

  it('that is killed goes on in the middle of the file, and nothing is on the log twice', async () => {
    const { path, take } = place()
    const rows = 40_000
    writeFileSync(path('a.csv'), `mrn,at,test,result\n${Array.from({ length: rows }, (_, i) => `P${i % 50},2026-03-14 08:30:${String(i % 60).padStart(2, '0')},HR,${60 + i % 100}\n`).join('')}`)
    const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'ops/cli/main.ts'), 'import', 'csv', path('a.csv'), '--feed', 'lab', '--feeds', path('feeds'), '--data-dir', path('data')], { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] })
    const ended = new Promise(resolve => { child.once('exit', resolve) })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => { said += chunk.toString() })
    await until('it is in the middle, or through', 60_000, () => said.includes('taking') || child.exitCode !== null)
    child.kill('SIGKILL')
    await ended
    const { imported, counts } = await take('csv', 'a.csv', 'lab')
    expect(imported).toMatchObject({ records: rows })
    const there = await heartRates(path('data'))
    expect(there.length, JSON.stringify(Object.fromEntries(counts))).toBe(rows)
  })

  it('says what to do while an instance runs on the data directory', async () => {
    const { path, take } = place()
    writeFileSync(path('a.csv'), 'mrn,at,test,result\n')
    mkdirSync(path('data'))
    const instance = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'latido'], { stdio: 'ignore' })
    try {
      await once(instance, 'spawn')
      writeFileSync(path('data/latido.lock'), String(instance.pid))
      await expect(take('csv', 'a.csv', 'lab')).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE', action: expect.stringContaining('"files"') as string })
    } finally {
      instance.kill('SIGKILL')
    }
  })

  it('reads HL7 by the feed that also receives it, and by default without any feed', async () => {
    const { path, take } = place()
    const oru = (id: string, code: string): string => `MSH|^~\\&|LAB|N|LATIDO|N|20260314083000||ORU^R01|${id}|P|2.5.1\rPID|1||P1\rOBR|1|||VITALS\rOBX|1|NM|${code}||60|/min|||||F|||20260314083000+0000\r`
    writeFileSync(path('a.hl7'), oru('1', 'PULS^Puls^L') + oru('2', '8867-4^HR^LN'))
    writeFileSync(path('feeds/ward.json'), JSON.stringify({ connector: 'hl7', options: { port: 0 } }))
    writeFileSync(path('feeds/ward.codes.csv'), 'system,code,concept,unit\nL,PULS,heartRate,\n')
    expect(Object.fromEntries((await take('hl7', 'a.hl7', 'ward')).counts)).toMatchObject({ published: 2 })
    const plain = await take('hl7', 'a.hl7', 'hl7', { feeds: '' })
    expect(plain.imported).toEqual({ records: 2, before: 0 })
    expect(Object.fromEntries(plain.counts)).toMatchObject({ duplicate: 1 })
  })

  it('refuses what it cannot mean', async () => {
    const { path, take } = place()
    writeFileSync(path('a.csv'), 'mrn,at,test,result\n')
    writeFileSync(path('feeds/ward.json'), JSON.stringify({ connector: 'hl7', options: { port: 0 } }))
    await expect(take('xlsx', 'a.csv', 'lab')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(take('hl7', 'a.csv', 'lab')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(take('csv', 'a.csv', 'ward')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(take('csv', 'a.csv', 'csv', { feeds: '' })).rejects.toMatchObject({ code: 'CONFIG_INVALID', action: expect.stringContaining('feed') as string })
    await expect(take('csv', 'nowhere.csv', 'lab')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
    await expect(take('csv', 'a.csv', 'nobody')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})
