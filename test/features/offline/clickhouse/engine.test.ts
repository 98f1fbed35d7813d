import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { ClickHouseLogLevel, createClient } from '@clickhouse/client'
import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startEngine } from '../../../../features/offline/index.ts'
import { systemClock } from '../../../../streams/time/index.ts'
import { until } from '../../../kit/servers/index.ts'
import { tempDir } from '../../../kit/temp-dir.ts'
import { describeWithEngine, startTestEngine } from './kit.ts'
import type { TestEngine } from './kit.ts'

const quiet = { log: { level: ClickHouseLogLevel.OFF } }

describeWithEngine('the embedded engine, by an unchanged @clickhouse/client', () => {
  let started: TestEngine
  let client: ClickHouseClient
  beforeAll(async () => {
    started = await startTestEngine()
    client = createClient({ url: started.engine.url, username: 'latido', password: started.engine.token, ...quiet })
  })
  afterAll(async () => { await client.close(); await started[Symbol.asyncDispose]() })

  async function rows (query: string, query_params: Record<string, unknown> = {}, clickhouse_settings: ClickHouseSettings = {}): Promise<readonly Record<string, unknown>[]> {
    return await (await client.query({ query, query_params, clickhouse_settings, format: 'JSONEachRow' })).json()
  }

  it('answers a ping', async () => { expect(await client.ping()).toEqual({ success: true }) })

  it('binds parameters of every kind, with quotes, line breaks, emoji and milliseconds', async () => {
    const text = "it's \\ \n\t'; DROP TABLE x -- é😀"
    const [row] = await rows('SELECT {a:String} a, {b:UInt32} b, {c:Array(String)} c, {d:DateTime64(3)} d, {e:Nullable(String)} e', { a: text, b: 7, c: ["x'y", 'b'], d: new Date(1_700_000_000_123), e: null })
    expect(row).toEqual({ a: text, b: 7, c: ["x'y", 'b'], d: '2023-11-14 22:13:20.123', e: null })
  })

  it('keeps parameters of parallel queries apart', async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => rows('SELECT {a:UInt32} a FROM numbers(1000) LIMIT 1', { a: i })))
    expect(answers.map(([row]) => row?.['a'])).toEqual(Array.from({ length: 60 }, (_, i) => i))
  })

  it('applies settings to their query alone, also when it fails', async () => {
    const setting = (): Promise<readonly Record<string, unknown>[]> => rows("SELECT value FROM system.settings WHERE name = 'max_block_size'")
    const [before] = await setting()
    expect((await rows("SELECT value FROM system.settings WHERE name = 'max_block_size'", {}, { max_block_size: '777' }))[0]).toEqual({ value: '777' })
    await expect(rows('SELEKT', {}, { max_block_size: '778' })).rejects.toThrow()
    expect((await setting())[0]).toEqual(before)
  })

  it('refuses to write, to set and to read files in a read-only query', async () => {
    await client.command({ query: 'CREATE TABLE IF NOT EXISTS guarded (a UInt8) ENGINE = MergeTree ORDER BY a' })
    const readonly = { readonly: '1' } as const
    for (const query of ['INSERT INTO guarded SELECT 1', 'DROP TABLE guarded', "SELECT * FROM file('engine.xml', 'LineAsString')", 'SELECT 1 SETTINGS max_threads = 9', "SELECT 1 INTO OUTFILE 'x'", 'SELECT 1; SELECT 2']) {
      await expect(client.exec({ query, clickhouse_settings: readonly }), query).rejects.toThrow()
    }
    expect(await rows('SELECT count() AS n FROM guarded')).toEqual([{ n: 0 }])
  })

  it('answers an error with its code and type', async () => {
    await expect(rows('SELECT * FROM nowhere')).rejects.toMatchObject({ code: '60', type: 'UNKNOWN_TABLE' })
    await expect(rows('SELEKT 1')).rejects.toMatchObject({ code: '62', type: 'SYNTAX_ERROR' })
    await expect(rows('SELECT {a:UInt8} a', { a: 'zz' })).rejects.toMatchObject({ code: '457' })
  })

  it('takes a binary body whole, whatever bytes it has', async () => {
    await client.command({ query: 'CREATE TABLE binary (a UInt32, s String) ENGINE = MergeTree ORDER BY a' })
    const body = Buffer.concat(Array.from({ length: 20_000 }, (_, i) => { const row = Buffer.alloc(9); row.writeUInt32LE(i, 0); row[4] = 4; row.write(";\n'\0", 5, 'latin1'); return row }))
    const { stream } = await client.exec({ query: 'INSERT INTO binary (a, s) FORMAT RowBinary', values: Readable.from([body], { objectMode: false }) })
    for await (const _ of stream) { /* empty */ }
    expect(await rows("SELECT count() AS n, uniqExact(a) AS u, countIf(s = ';\\n\\'\\0') AS same FROM binary")).toEqual([{ n: 20_000, u: 20_000, same: 20_000 }])
  })

  it('refuses a body that ends in the middle of a row, and keeps nothing of it', async () => {
    await client.command({ query: 'CREATE TABLE cut (a UInt32) ENGINE = MergeTree ORDER BY a' })
    await expect(client.exec({ query: 'INSERT INTO cut FORMAT RowBinary', values: Readable.from([Buffer.from([1, 0, 0, 0, 2, 0])], { objectMode: false }) })).rejects.toMatchObject({ code: '33' })
    expect(await rows('SELECT count() AS n FROM cut')).toEqual([{ n: 0 }])
  })

  it('takes JSON rows, compressed ones too, and answers compressed', async () => {
    await client.command({ query: 'CREATE TABLE json (a UInt32, s String) ENGINE = MergeTree ORDER BY a' })
    await using compressing = createClient({ url: started.engine.url, username: 'latido', password: started.engine.token, compression: { request: true, response: true }, ...quiet })
    await compressing.insert({ table: 'json', values: Array.from({ length: 1000 }, (_, a) => ({ a, s: 'é😀' })), format: 'JSONEachRow' })
    await client.insert({ table: 'json', values: [{ a: 1000, s: '' }], format: 'JSONEachRow' })
    const answer = await (await compressing.query({ query: "SELECT count() AS n, countIf(s = 'é😀') AS smiles FROM json", format: 'JSON' })).json()
    expect(answer.data).toEqual([{ n: 1001, smiles: 1000 }])
  })

  it('streams a large answer', async () => {
    const result = await client.query({ query: 'SELECT number AS n FROM numbers(300000)', format: 'JSONEachRow' })
    let count = 0
    for await (const some of result.stream()) count += some.length
    expect(count).toBe(300_000)
  })

  it('refuses a wrong token, and takes the right one as a bearer token', async () => {
    await using stranger = createClient({ url: started.engine.url, username: 'latido', password: 'wrong', ...quiet })
    await expect(stranger.query({ query: 'SELECT 1' })).rejects.toMatchObject({ code: '516' })
    await using bearer = createClient({ url: started.engine.url, access_token: started.engine.token, ...quiet })
    expect(await (await bearer.query({ query: 'SELECT 1', format: 'CSV' })).text()).toBe('1\n')
  })

  it('lets small queries by while a heavy one runs', async () => {
    // Three seconds are the longest that ClickHouse sleeps, and a slow machine may need more for the others: then it is tried again.
    await until('two to pass', 120_000, async () => {
      let heavy = true
      const long = rows('SELECT sleep(3)').then(() => { heavy = false })
      await rows('SELECT 1')
      await rows('SELECT 1')
      const passed = heavy
      await long
      return passed
    })
  })
})

describeWithEngine('the life of the embedded engine', () => {
  it('comes back with all its rows when its process is killed', async () => {
    await using started = await startTestEngine()
    const { engine } = started
    await using client = createClient({ url: engine.url, username: 'x', password: engine.token, ...quiet })
    await client.command({ query: 'CREATE TABLE kept (a UInt8) ENGINE = MergeTree ORDER BY a' })
    await client.insert({ table: 'kept', values: [{ a: 1 }], format: 'JSONEachRow' })
    const { pid } = engine
    process.kill(pid as number, 'SIGKILL')
    while (engine.pid === pid || engine.state !== 'on') await systemClock.sleep(10)
    expect(engine.restarts).toBe(1)
    await using again = createClient({ url: engine.url, username: 'x', password: engine.token, ...quiet }) // the same port, unless somebody has taken it meanwhile
    expect(await (await again.query({ query: 'SELECT count() AS n FROM kept', format: 'JSONEachRow' })).json()).toEqual([{ n: 1 }])
  })

  it('ends with its parent, even a killed one, and the directory opens again', async () => {
    const dir = tempDir()
    const parent = fork(fileURLToPath(new URL('./parent-process.ts', import.meta.url)), [dir.path], { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    const [{ url }] = await once(parent, 'message') as [{ url: string }]
    expect((await fetch(`${url}/ping`)).status).toBe(200)
    parent.kill('SIGKILL')
    // Ten times as patient with the lock: the one that has it hears of its parent's end when the machine lets it.
    const again = await startEngine({ directory: dir.path, clock: { now: () => systemClock.now(), monotonicMs: () => systemClock.monotonicMs() / 10, sleep: (ms, signal) => systemClock.sleep(ms, signal), every: (ms, run) => systemClock.every(ms, run) } })
    if (again.kind === 'off') throw new Error(again.why)
    if (again.engine.url !== url) await expect(fetch(`${url}/ping`)).rejects.toThrow()
    await again.engine[Symbol.asyncDispose]()
    dir.remove()
  })

  it('refuses a path that ClickHouse would read as a pattern', async () => {
    const dir = tempDir()
    await expect(startEngine({ directory: `${dir.path}/ward [1]`, clock: systemClock })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    dir.remove()
  })

  it('says that another one has the directory', async () => {
    await using started = await startTestEngine()
    const hurried = (() => { let ms = 0; return () => { ms += 20_000; return ms } })()

    await expect(startEngine({ directory: started.directory, clock: { ...systemClock, monotonicMs: hurried } })).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' })
    expect((await fetch(`${started.engine.url}/ping`)).status).toBe(200)
  })
})
