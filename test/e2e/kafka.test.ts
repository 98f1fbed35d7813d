import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { WireFeatures, WirePatient } from '../../dashboards/server/wire.ts'
import { systemClock } from '../../streams/time/index.ts'
import { describeWith, sharedApicurio, sharedKafka } from '../kit/servers/index.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { admission, api, chartedSet, codeOf, DETERIORATED, MllpClient, pipelineOf, runCli, startCli, STABLE, until, type Cli, type WireAlert } from './kit/index.ts'

const WITHIN_MS = 150_000
/** Causes that the engine gives: on records that this version wrote they would be faults. */
const FAULTS: readonly string[] = ['schema-unknown', 'payload-invalid', 'step-failed']
vi.setConfig({ testTimeout: 480_000, hookTimeout: 300_000 })
const describeServers = await describeWith('kafka', 'apicurio')

describeServers('latido on a real Kafka', () => {
  const dirs: { readonly path: string, remove (): void }[] = []
  let cluster: readonly string[] = []
  beforeAll(async () => {
    const [kafka, registry] = await Promise.all([sharedKafka(), sharedApicurio()])
    cluster = ['--kafka', kafka.bootstrap, '--kafka-replication', '1', '--schema-registry', registry.url]
  })
  afterAll(() => { for (const dir of dirs) dir.remove() })

  const newDir = (): string => { const dir = tempDir(); dirs.push(dir); return dir.path }
  const flagsOf = (prefix: string, ...more: readonly string[]): readonly string[] => [...cluster, '--topic-prefix', prefix, '--offline', 'off', ...more]
  const prepared = async (): Promise<string> => {
    const prefix = `e2e-${randomUUID().slice(0, 8)}.`
    const { code, stdout, stderr } = await runCli(['topics', 'apply', ...cluster, '--topic-prefix', prefix])
    expect([code, stderr], stdout).toEqual([0, ''])
    return prefix
  }
  const alertOf = async (cli: Cli, patient: string): Promise<WireAlert | undefined> => (await api<WireAlert[]>(cli.url, '/api/alerts?state=active')).find(a => a.patientId === patient && a.rule === 'news2-emergency')
  /** Partitions of the features that this instance has. */
  const partitionsOf = async (cli: Cli): Promise<number> => Number(/^latido_partitions\{group="latido-features"\} (\d+)$/m.exec(await (await fetch(new URL('/metrics', cli.url))).text())?.[1] ?? 0)
  const settled = async (cli: Cli): Promise<true | undefined> => (await pipelineOf(cli.url)).processors.every(p => p.lag === 0) ? true : undefined
  const deteriorate = async (cli: Cli, patient: string, bed: string): Promise<void> => {
    using sender = await MllpClient.open(cli.mllpPort)
    for (const message of [admission(`A-${patient}`, patient, bed, systemClock.now()), chartedSet(`C-${patient}`, patient, DETERIORATED, systemClock.now())]) expect(codeOf(await sender.exchange(message) ?? '')).toBe('AA')
  }

  it('starts only on topics that are there, and says how to make them', async () => {
    const { code, stderr } = await runCli(['start', '--data-dir', newDir(), '--http-port', '0', '--mllp-port', '0', '--mqtt-port', '0', ...flagsOf(`e2e-${randomUUID().slice(0, 8)}.`)])
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(stderr).toMatch(/NOT_PROVISIONED/)
    expect(stderr).toMatch(/latido topics apply/)
    expect(code).toBe(1)
  })

  it('takes a simulated ward from its monitors to vectors and alerts, stops, and goes on where it stopped', async () => {
    const prefix = await prepared()
    const dataDir = newDir()
    const first = await startCli({ dataDir, readyWithinMs: WITHIN_MS, flags: flagsOf(prefix) })
    let offset = 0
    try {
      expect((await pipelineOf(first.url)).log).toMatchObject({ driver: 'direct', state: 'on', why: expect.stringMatching(/\w/) as string })
      await deteriorate(first, 'KAFKA-1', '01')
      await until('the alert', () => alertOf(first, 'KAFKA-1'), WITHIN_MS)
      const { views } = await api<WireFeatures>(first.url, '/api/patients/KAFKA-1/features')
      expect(views.find(v => v.view === 'news2')?.features.find(f => f.name === 'news2')).toMatchObject({ present: true, value: 11 })
      await until('the lag to go', () => settled(first), WITHIN_MS)
      offset = (await pipelineOf(first.url)).topics.find(t => t.topic === 'latido.events')!.records
      expect(await first.end('SIGINT')).toMatchObject({ code: 0 })
    } finally {
      await first.end('SIGKILL')
    }
    await using second = await startCli({ dataDir, readyWithinMs: WITHIN_MS, flags: flagsOf(prefix, '--simulate', 'ward', '--speed', '2') })
    expect(await alertOf(second, 'KAFKA-1')).toBeDefined()
    await until('vectors of the simulated ward', async () => {
      const { topics } = await pipelineOf(second.url)
      return topics.find(t => t.topic === 'latido.events')!.records > offset + 20 ? true : undefined
    }, WITHIN_MS)
    await until('the simulated patients on the board', async () => (await api<WirePatient[]>(second.url, '/api/patients')).filter(p => p.readings.length > 0).length > 6 ? true : undefined, WITHIN_MS)
    const { byCause } = (await pipelineOf(second.url)).deadLetters
    expect(Object.keys(byCause).filter(cause => FAULTS.includes(cause)), JSON.stringify(byCause)).toEqual([]) // what connectors refuse is theirs: a monitor may speak before its patient is admitted
    expect(await second.end('SIGINT')).toMatchObject({ code: 0 })
  })

  it('shares its partitions with a second instance, and takes them back when that one goes', async () => {
    const prefix = await prepared()
    const dataDir = newDir()
    await using one = await startCli({ dataDir, readyWithinMs: WITHIN_MS, flags: flagsOf(prefix) })
    await until('all partitions', async () => await partitionsOf(one) === 4 ? true : undefined, WITHIN_MS)
    const two = await startCli({ dataDir: newDir(), readyWithinMs: WITHIN_MS, flags: flagsOf(prefix, '--connectors', 'off', ...keyOf(dataDir)) }) // no connectors: it says no ports of theirs
    try {
      await until('two partitions each', async () => await partitionsOf(one) === 2 && await partitionsOf(two) === 2 ? true : undefined, WITHIN_MS)
      const patients = Array.from({ length: 12 }, (_, i) => `SHARE-${i}`)
      using sender = await MllpClient.open(one.mllpPort)
      for (const [i, patient] of patients.entries()) expect(codeOf(await sender.exchange(chartedSet(`S-${i}`, patient, i % 2 === 0 ? DETERIORATED : STABLE, systemClock.now())) ?? '')).toBe('AA')
      const seen = async (cli: Cli): Promise<number> => (await api<WirePatient[]>(cli.url, '/api/patients')).length
      await until('every patient at one of the two', async () => await seen(one) + await seen(two) === 12 ? true : undefined, WITHIN_MS)
      expect(Math.min(await seen(one), await seen(two))).toBeGreaterThan(0)
      expect(await two.end('SIGINT')).toMatchObject({ code: 0 })
    } finally {
      await two.end('SIGKILL')
    }
    await until('all partitions again', async () => await partitionsOf(one) === 4 ? true : undefined, WITHIN_MS)
    for (let i = 0; i < 8; i++) await deteriorate(one, `AFTER-${i}`, `1${i}`)
    await until('an alert of each', async () => (await Promise.all(Array.from({ length: 8 }, (_, i) => alertOf(one, `AFTER-${i}`)))).every(a => a !== undefined) ? true : undefined, WITHIN_MS)
  })

  it('sends out and names on one instance whose messages came to another, and refuses one with another key', async () => {
    const prefix = await prepared()
    const dataDir = newDir()
    await using receiver = await openReceiver()
    const out = join(newDir(), 'hl7-out.json')
    writeFileSync(out, JSON.stringify({ host: '127.0.0.1', port: receiver.port, receivingApplication: 'ALARMS', scores: false, clinicalScores: [] }))
    await using one = await startCli({ dataDir, readyWithinMs: WITHIN_MS, flags: flagsOf(prefix) })
    await deteriorate(one, 'EARLY', '01')
    const stranger = await runCli(['start', '--data-dir', newDir(), '--http-port', '0', '--mllp-port', '0', '--mqtt-port', '0', '--simulate', 'off', ...flagsOf(prefix)])
    expect([stranger.code, stranger.stderr]).toEqual([1, expect.stringMatching(/--key-file.*\[KEY_MISMATCH\]/)])
    await using two = await startCli({ dataDir: newDir(), readyWithinMs: WITHIN_MS, flags: flagsOf(prefix, '--hl7-out', out, ...keyOf(dataDir)) }) // the only one that sends out
    await until('two partitions each', async () => await partitionsOf(one) === 2 && await partitionsOf(two) === 2 ? true : undefined, WITHIN_MS)
    const patients = Array.from({ length: 8 }, (_, i) => `HEARD-${i}`)
    for (const [i, patient] of patients.entries()) await deteriorate(one, patient, `2${i}`)
    await until('an alert of each from the other instance', () => patients.every(patient => receiver.messages.some(message => message.includes(`|${patient}^`) && message.includes('|news2-emergency^'))) ? true : undefined, WITHIN_MS)
    const shown = await until('names on its board', async () => {
      const all = await api<WirePatient[]>(two.url, '/api/patients')
      return all.length > 0 && all.every(({ identity }) => identity?.familyName === 'Invented') ? all : undefined
    }, WITHIN_MS)
    expect(shown.every(({ id }) => id === 'EARLY' || patients.includes(id))).toBe(true)
    expect((await pipelineOf(two.url)).connectors.flatMap(({ counters }) => counters).filter(({ what }) => what === 'patient-unknown')).toEqual([])
    expect(await two.end('SIGINT')).toMatchObject({ code: 0 })
  })

  it('keeps a data directory to its log', async () => {
    const dataDir = newDir()
    await using cli = await startCli({ dataDir, flags: ['--offline', 'off'] })
    await cli.end('SIGINT')
    const { code, stderr } = await runCli(['start', '--data-dir', dataDir, '--http-port', '0', ...flagsOf(await prepared())])
    expect([code, stderr]).toEqual([1, expect.stringMatching(/belongs to another log.*CONFIG_INVALID/)])
  })
})

/** All instances have the key of the first. */
function keyOf (dataDir: string): readonly string[] { return ['--key-file', join(dataDir, 'keys', 'master.key')] }

/** Takes HL7 over MLLP and accepts it. */
async function openReceiver (): Promise<{ readonly port: number, readonly messages: readonly string[], [Symbol.asyncDispose] (): Promise<void> }> {
  const messages: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    let text = ''
    sockets.add(socket)
    socket.on('error', () => {}) // the sender ends
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString()
      for (let end = text.indexOf('\x1c\r'); end >= 0; end = text.indexOf('\x1c\r')) {
        const message = text.slice(1, end)
        text = text.slice(end + 2)
        messages.push(message)
        socket.write(`\x0bMSH|^~\\&|ALARMS||LATIDO||20260101||ACK|${messages.length}|P|2.6\rMSA|AA|${message.split('|')[9]}\r\x1c\r`)
      }
    })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  return {
    port: (server.address() as AddressInfo).port, messages,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => { server.close(resolve) })
    },
  }
}
