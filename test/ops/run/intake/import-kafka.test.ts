import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { WireFeatures } from '../../../../dashboards/server/wire.ts'
import { prefixedLog } from '../../../../ops/run/log/prefixed-log.ts'
import { TOPICS, topicSpecs } from '../../../../streams/events/index.ts'
import { KAFKA_DEFAULTS, openKafkaLog } from '../../../../streams/log/index.ts'
import { systemClock } from '../../../../streams/time/index.ts'
import { read } from '../../../connectors/kit/house.ts'
import { admission, api, chartedSet, codeOf, MllpClient, runCli, STABLE, startCli, until } from '../../../e2e/kit/index.ts'
import { ROOT } from '../../../house/source-files.ts'
import { describeWith, sharedApicurio, sharedKafka, startRedis, type SharedKafka } from '../../../kit/servers/index.ts'
import { tempDir } from '../../../kit/temp-dir.ts'

const WITHIN_MS = 150_000
const MARK = 'latido-message'
vi.setConfig({ testTimeout: 480_000, hookTimeout: 300_000 })
const describeServers = await describeWith('kafka', 'apicurio', 'redis')

describeServers('latido import on a real Kafka', () => {
  const scratch = tempDir()
  let kafka: SharedKafka
  let cluster: readonly string[] = []
  beforeAll(async () => {
    const registry = await sharedApicurio()
    kafka = await sharedKafka()
    cluster = ['--kafka', kafka.bootstrap, '--kafka-replication', '1', '--schema-registry', registry.url]
  })
  afterAll(() => { scratch.remove() })

  interface Place { readonly prefix: string, readonly flags: readonly string[], path (name: string): string }

  function bare (): Place {
    const prefix = `import-${randomUUID().slice(0, 8)}.`
    const root = join(scratch.path, prefix)
    mkdirSync(join(root, 'feeds'), { recursive: true })
    return { prefix, flags: [...cluster, '--topic-prefix', prefix], path: name => join(root, name) }
  }

  async function place (): Promise<Place> {
    const here = bare()
    const { code, stderr } = await runCli(['topics', 'apply', ...here.flags])
    expect([code, stderr]).toEqual([0, ''])
    return here
  }

  /** The marks of the messages that connectors have published there. */
  async function marksOn (topic: string, prefix: string): Promise<readonly string[]> {
    await using cluster = (await openKafkaLog({ ...KAFKA_DEFAULTS, brokers: kafka.bootstrap.split(','), replication: 1, minInsyncReplicas: 1, clock: systemClock })).log
    const log = prefixedLog(cluster, prefix)
    await log.ensureTopics(topicSpecs({ partitions: 4, retentionMs: 7 * 86_400_000 }))
    const marks = await read(log, topic, record => record.headers().find(({ key }) => key === MARK)?.value?.toString('base64'))
    return marks.filter(mark => mark !== undefined)
  }

  const startAt = async ({ flags, path }: Place, ...more: readonly string[]): ReturnType<typeof startCli> => await startCli({ dataDir: path('instance'), readyWithinMs: WITHIN_MS, flags: [...flags, '--offline', 'off', ...more] })
  const importArgs = ({ flags, path }: Place, format: string, file: string, ...more: readonly string[]): readonly string[] => ['import', format, path(file), ...flags, '--data-dir', path('import'), '--key-file', path('instance/keys/master.key'), ...more]

  it('beside a running instance: killed in the middle it goes on, nothing is there twice, and its patients are those of the instance', async () => {
    const here = await place()
    await using instance = await startAt(here)
    {
      using sender = await MllpClient.open(instance.mllpPort)
      expect(codeOf(await sender.exchange(admission('A1', 'P0', '01', systemClock.now())) ?? '')).toBe('AA')
    }
    const rows = 30_000
    const at = systemClock.now() - 60_000
    writeFileSync(here.path('feeds/lab.json'), JSON.stringify({ connector: 'files', options: { format: 'csv', csv: { patient: 'mrn', authority: 'INVENTED', time: 'at', code: 'test', value: 'result', kind: 'charted' } } }))
    writeFileSync(here.path('a.csv'), `mrn,at,test,result\n${Array.from({ length: rows }, (_, i) => `P${i % 50},${new Date(at + i).toISOString()},HR,${60 + i % 100}\n`).join('')}`)
    const args = importArgs(here, 'csv', 'a.csv', '--feed', 'lab', '--feeds', here.path('feeds'))
    const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'ops/cli/main.ts'), ...args], { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] })
    const ended = new Promise(resolve => { child.once('exit', resolve) })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => { said += chunk.toString() })
    // Thousands of records were given to the log, few of which are on their way: it has kept its place by then.
    await until('it is in the middle, or through', () => /taking \d+ %, \d{4,} records/.test(said) || child.exitCode !== null ? true : undefined, WITHIN_MS)
    child.kill('SIGKILL')
    await ended
    const before = (await marksOn(TOPICS.events, here.prefix)).length
    const again = await runCli(args)
    expect([again.code, again.stderr.includes('LATIDO')], again.stderr).toEqual([0, false])
    expect(Number(/\((\d+) before them were taken earlier\)/.exec(again.stdout)?.[1] ?? 0), `${again.stdout} ${before}`).toBeGreaterThan(0)
    const marks = await marksOn(TOPICS.events, here.prefix)
    expect([marks.length, new Set(marks).size]).toEqual([rows + 1, rows + 1])
    await until('the imported readings of the admitted patient', async () => (await api<WireFeatures>(instance.url, '/api/patients/P0/features')).views.find(v => v.view === 'news2' && v.asOf !== null), WITHIN_MS)
    expect(await instance.end('SIGINT')).toMatchObject({ code: 0 })
  })

  it('with one Redis for all takes nothing that an instance has received, nor refuses it a second time', async () => {
    const here = await place()
    await using redis = await startRedis()
    const shared = ['--redis', `redis://127.0.0.1:${redis.port}`]
    await using instance = await startAt(here, ...shared)
    const at = systemClock.now()
    const messages = Array.from({ length: 40 }, (_, i) => chartedSet(`M${i}`, `Q${i % 5}`, STABLE, at - i))
    const refused = Buffer.from(messages[0]!.toString().replaceAll('M0', 'R0').replaceAll(/\|\d+-\d\^/g, '|NOBODY^'))
    writeFileSync(here.path('a.hl7'), Buffer.concat([...messages, refused]))
    using sender = await MllpClient.open(instance.mllpPort)
    for (const message of [...messages.slice(0, 20), refused]) await sender.exchange(message)
    const feed = ['--feed', 'hl7'] // as the instance calls it
    const [first] = await Promise.all([runCli(importArgs(here, 'hl7', 'a.hl7', ...shared, ...feed)), (async () => { for (const message of messages.slice(20)) await sender.exchange(message) })()])
    expect(first.stderr).not.toContain('Redis does not answer')
    const marks = await marksOn(TOPICS.events, here.prefix)
    expect([marks.length, new Set(marks).size], first.stdout).toEqual([40, 40])
    const letters = await marksOn(TOPICS.deadLetters, here.prefix)
    expect([letters.length > 0, letters.length], first.stdout).toEqual([true, new Set(letters).size])
    expect(await instance.end('SIGINT')).toMatchObject({ code: 0 })
  })

  it('does not make a key of its own, and says what to do on the data directory of an instance', async () => {
    const here = bare()
    writeFileSync(here.path('a.hl7'), '')
    const alone = await runCli(['import', 'hl7', here.path('a.hl7'), ...here.flags, '--data-dir', here.path('import')])
    expect([alone.code, alone.stderr]).toEqual([1, expect.stringMatching(/--key-file.*\[CONFIG_INVALID\]/)])
    const instance = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'latido'], { stdio: 'ignore' })
    try {
      mkdirSync(here.path('instance'), { recursive: true })
      writeFileSync(here.path('instance/latido.lock'), String(instance.pid))
      const busy = await runCli(['import', 'hl7', here.path('a.hl7'), ...here.flags, '--data-dir', here.path('instance')])
      expect([busy.code, busy.stderr]).toEqual([1, expect.stringMatching(/--data-dir.*--key-file.*\[DATA_DIR_IN_USE\]/)])
    } finally {
      instance.kill('SIGKILL')
    }
  })
})
