import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '../../streams/time/index.ts'
import { describeWith, FaultProxy, startHapiHl7, startPythonHl7, type Hl7Peer } from '../kit/servers/index.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { admission, api, chartedSet, codeOf, DETERIORATED, MllpClient, pipelineOf, post, runCli, STABLE, startCli, until, type Cli, type WireAlert } from './kit/index.ts'

const WITHIN_MS = 60_000

const field = (message: string, n: number): string => message.split(/[\r\n]/)[0]!.split('|')[n - 1] ?? ''
/** What an alert's message tells of: phase and inactivation; empty for a score. */
const stateOf = (message: string): string => field(message, 9).startsWith('ORU^R40') ? [68481, 68483].map(code => new RegExp(`\\|${code}\\^[^|]*\\|[^|]*\\|([^|]*)`).exec(message)?.[1]).join(' ') : ''
const isEmergency = (message: string): boolean => message.includes('|news2-emergency^')
const NEWS2 = /\|SN\|1104051000000101\^[^|]*\^SCT\|1\|>=\^(\d+)\|\{score\}\^\^UCUM\|/

/** The product as a process of its own, real input, and a receiver of others behind a link that fails. */
function outSuite (startPeer: () => Promise<Hl7Peer>, how: string): void {
  let peer: Hl7Peer
  let dir: ReturnType<typeof tempDir>
  let link: FaultProxy
  let next = 0
  beforeEach(async () => { peer = await startPeer(); dir = tempDir() })
  afterEach(async () => { await link[Symbol.asyncDispose](); await peer[Symbol.asyncDispose](); dir.remove() })

  async function receive ({ errorEvery = 0, answerMs = 30_000 } = {}): Promise<void> {
    link = await FaultProxy.open(await peer.listen(how, { errorEvery }))
    writeFileSync(join(dir.path, 'hl7-out.json'), JSON.stringify({ host: '127.0.0.1', port: link.port, receivingApplication: 'ALARMS', answerMs, pauseMsMin: 50, pauseMsMax: 200, scores: false }))
  }
  const start = (): Promise<Cli> => startCli({ dataDir: join(dir.path, 'data'), flags: ['--offline', 'off', '--hl7-out', join(dir.path, 'hl7-out.json')] })

  async function sends (cli: Cli, ...messages: readonly Buffer[]): Promise<void> {
    using sender = await MllpClient.open(cli.mllpPort)
    for (const message of messages) expect(codeOf(await sender.exchange(message) ?? '')).toBe('AA')
  }
  const deteriorates = (patient: string): readonly Buffer[] => [admission(`O-${++next}`, patient, '01', systemClock.now()), chartedSet(`O-${++next}`, patient, DETERIORATED, systemClock.now())]
  const got = async (patient: string): Promise<readonly string[]> => (await peer.received()).filter(message => message.includes(`|${patient}^`))
  const once = (messages: readonly string[]): readonly string[] => [...new Map(messages.map(message => [field(message, 10), message])).values()]
  const emergencies = async (patient: string): Promise<readonly string[]> => once((await got(patient)).filter(isEmergency)).map(stateOf)
  const counter = async (cli: Cli, what: string): Promise<number> => (await pipelineOf(cli.url)).connectors.flatMap(({ counters }) => counters).filter(one => one.what === what).reduce((sum, one) => sum + one.count, 0)
  const alertOf = (cli: Cli, patient: string): Promise<WireAlert> => until('the alert', async () => (await api<WireAlert[]>(cli.url, '/api/alerts?state=open')).find(a => a.patientId === patient && a.rule === 'news2-emergency'))

  it('an alert comes with its score, its acknowledgement and its end, each once and in order', async () => {
    await receive()
    await using cli = await start()
    await sends(cli, ...deteriorates('OUT-1'))
    await until('the alert and the score', async () => (await emergencies('OUT-1')).length === 1 && (await got('OUT-1')).some(message => NEWS2.test(message)) ? true : undefined, WITHIN_MS)
    const alert = await alertOf(cli, 'OUT-1')
    expect(await post(cli.url, `/api/alerts/${alert.id}/acknowledge`, { by: 'nurse' })).toBe(202)
    await until('the acknowledgement', async () => (await emergencies('OUT-1')).length === 2 ? true : undefined, WITHIN_MS)
    await sends(cli, chartedSet(`O-${++next}`, 'OUT-1', STABLE, systemClock.now()))
    await until('the end', async () => (await emergencies('OUT-1')).length === 3 ? true : undefined, WITHIN_MS)
    expect(await emergencies('OUT-1')).toEqual(['start enabled', 'continue alert-acknowledged', 'end enabled'])
    const all = await got('OUT-1')
    expect(once(all)).toHaveLength(all.length)
    expect(all.map(message => NEWS2.exec(message)?.[1] ?? '').join('')).toBe('11')
    expect(all.join()).not.toContain('Invented')
    expect(all.every(message => message.includes(`${alert.id}^LATIDO`) || !isEmergency(message))).toBe(true)
  })

  it('what is answered with an error comes again with the same control id, until it is accepted', async () => {
    await receive({ errorEvery: 2 })
    await using cli = await start()
    await sends(cli, ...deteriorates('OUT-2'), ...deteriorates('OUT-3'))
    for (const patient of ['OUT-2', 'OUT-3']) await until(patient, async () => (await emergencies(patient)).length === 1 && (await got(patient)).some(message => NEWS2.test(message)) ? true : undefined, WITHIN_MS)
    await until('all to be accepted, and each that was not at first to have come again once', async () => { // scores go on changing while one looks
      const all = await peer.received()
      const again = all.length - once(all).length
      const delivered = await counter(cli, 'alert-delivered') + await counter(cli, 'clinical-score-delivered')
      return again > 0 && again === await counter(cli, 'attempt-failed') && delivered === once(all).length ? true : undefined
    }, WITHIN_MS)
    expect((await pipelineOf(cli.url)).deadLetters.total).toBe(0)
  })

  it('kill -9 while an answer is on its way loses nothing, and repeats it as what it was', async () => {
    await receive()
    {
      await using cli = await start()
      await link.set({ kind: 'hold', direction: 'down' })
      await sends(cli, ...deteriorates('OUT-4'))
      await until('it to arrive', async () => (await got('OUT-4')).length > 0 ? true : undefined, WITHIN_MS)
      await cli.end('SIGKILL')
    }
    const [first = ''] = await got('OUT-4')
    await link.set({ kind: 'open' })
    await using cli = await start()
    await until('the alert and the score', async () => (await emergencies('OUT-4')).length === 1 && (await got('OUT-4')).some(message => NEWS2.test(message)) ? true : undefined, WITHIN_MS)
    await until('what was not heard', async () => (await got('OUT-4')).filter(message => field(message, 10) === field(first, 10)).length > 1 ? true : undefined, WITHIN_MS)
    await sends(cli, chartedSet(`O-${++next}`, 'OUT-4', STABLE, systemClock.now()))
    await until('the next change', async () => (await emergencies('OUT-4')).length === 2 ? true : undefined, WITHIN_MS)
    expect((await emergencies('OUT-4'))[0]).toBe('start enabled')
  })

  it('a receiver that does not answer, closes, or is away, gets it when it is back', async () => {
    await receive({ answerMs: 2_000 })
    await using cli = await start()
    await link.set({ kind: 'hold', direction: 'down' })
    await sends(cli, ...deteriorates('OUT-5'))
    await until('it to wait', async () => await counter(cli, 'counterparty-away') > 0 ? true : undefined, WITHIN_MS)
    await link.set({ kind: 'closed' })
    await until('it to find nobody', async () => JSON.stringify(await pipelineOf(cli.url)).includes('nothing answers there') ? true : undefined, WITHIN_MS)
    expect(await counter(cli, 'alert-delivered')).toBe(0)
    await link.set({ kind: 'open' })
    await until('both', async () => await counter(cli, 'clinical-score-delivered') === 1 && await counter(cli, 'alert-delivered') > 0 ? true : undefined, WITHIN_MS)
    link.reset()
    await sends(cli, chartedSet(`O-${++next}`, 'OUT-5', STABLE, systemClock.now()))
    await until('the next change', async () => (await emergencies('OUT-5')).length === 2 ? true : undefined, WITHIN_MS)
    expect((await pipelineOf(cli.url)).deadLetters.total).toBe(0)
  })
}

it('a simulated ward is never sent to a receiver, also where no feed listens for it', async () => {
  const heard: string[] = []
  const receiver = createServer(socket => { socket.on('error', () => {}); socket.on('data', bytes => { heard.push(bytes.toString('latin1')) }) }).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const dir = tempDir()
  const file = (name: string, content: object): string => { writeFileSync(join(dir.path, name), JSON.stringify(content)); return join(dir.path, name) }
  mkdirSync(join(dir.path, 'feeds'))
  file('feeds/ward.json', { connector: 'mqtt', options: { port: 0 } })
  const out = file('out.json', { host: '127.0.0.1', port: (receiver.address() as { readonly port: number }).port, receivingApplication: 'ALARMS' })
  const { code, stderr } = await runCli(['start', '--data-dir', join(dir.path, 'data'), '--http-port', '0', '--offline', 'off', '--simulate', 'ward', '--feeds', join(dir.path, 'feeds'), '--hl7-out', out])
  expect(code).toBe(1)
  expect(stderr).toContain('the simulated ward has nowhere to send to: no feed listens on mllp://')
  receiver.close()
  dir.remove()
  expect(heard).toEqual([])
})

const describeHapi = await describeWith('hapiHl7')
describeHapi('--hl7-out to HAPI HL7v2', () => { outSuite(startHapiHl7, 'msh18') })

const describePython = await describeWith('pythonHl7')
describePython('--hl7-out to python-hl7', () => { outSuite(startPythonHl7, 'hl7') })
