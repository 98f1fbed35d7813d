import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DetectedIssue, Observation } from 'fhir/r4.js'
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { systemClock } from '../../streams/time/index.ts'
import { describeWith, sharedHapiFhir } from '../kit/servers/index.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { HttpMiddle } from './kit/http-middle.ts'
import { admission, api, chartedSet, codeOf, DETERIORATED, MllpClient, pipelineOf, post, STABLE, startCli, until, type Cli, type WireAlert } from './kit/index.ts'

const START_MS = 300_000
const WITHIN_MS = 60_000
const SYSTEM = 'urn:latido-test:mrn'

;(await describeWith('hapiFhir'))('--fhir-out to a real HAPI FHIR server', () => {
  let base = ''
  let middle: HttpMiddle
  let dir: ReturnType<typeof tempDir>
  let mrn = ''
  let next = 0
  beforeAll(async () => { base = (await sharedHapiFhir()).url }, START_MS)
  beforeEach(async () => {
    middle = await HttpMiddle.open(base)
    dir = tempDir()
    mrn = `M-${randomUUID().slice(0, 8)}`
    writeFileSync(join(dir.path, 'fhir-out.json'), JSON.stringify({ server: { baseUrl: middle.url, requestsPerMinute: 10_000 }, write: { alerts: ['high', 'medium', 'low'] }, namespaces: { [SYSTEM]: '' } }))
    await register(mrn)
  })
  afterEach(async () => { await middle[Symbol.asyncDispose](); dir.remove() })

  const start = (): Promise<Cli> => startCli({ dataDir: join(dir.path, 'data'), flags: ['--offline', 'off', '--fhir-out', join(dir.path, 'fhir-out.json')] })

  async function hapi (method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const response = await fetch(`${base}/${path}`, { method, headers: { 'content-type': 'application/fhir+json', 'cache-control': 'no-cache' }, ...body === undefined ? {} : { body: JSON.stringify(body) } })
    if (response.status >= 300) throw new Error(`${method} ${path} answered ${response.status}`)
    return await response.json() as Record<string, unknown>
  }

  async function register (id: string): Promise<void> { await hapi('PUT', `Patient/${id}`, { resourceType: 'Patient', id, identifier: [{ system: SYSTEM, value: id }] }) }

  async function of<T> (type: 'DetectedIssue' | 'Observation', patient: string): Promise<readonly T[]> {
    const bundle = await hapi('GET', `${type}?patient=${patient}&_count=50`)
    return ((bundle['entry'] ?? []) as readonly { resource: T }[]).map(({ resource }) => resource)
  }
  const issues = (patient: string): Promise<readonly DetectedIssue[]> => of('DetectedIssue', patient)
  const emergency = (all: readonly DetectedIssue[]): DetectedIssue | undefined => all.find(({ code }) => code?.coding?.[0]?.code === 'news2-emergency')
  const scores = async (patient: string): Promise<readonly Observation[]> => (await of<Observation>('Observation', patient)).filter(({ code }) => code.coding?.[0]?.code === '1104051000000101')

  async function sends (cli: Cli, ...messages: readonly Buffer[]): Promise<void> {
    using sender = await MllpClient.open(cli.mllpPort)
    for (const message of messages) expect(codeOf(await sender.exchange(message) ?? '')).toBe('AA')
  }
  const deteriorates = (patient: string): readonly Buffer[] => [admission(`F-${++next}`, patient, '01', systemClock.now()), chartedSet(`F-${++next}`, patient, DETERIORATED, systemClock.now())]
  const alertOf = (cli: Cli, patient: string): Promise<WireAlert> => until('the alert', async () => (await api<WireAlert[]>(cli.url, '/api/alerts?state=open')).find(a => a.patientId === patient && a.rule === 'news2-emergency'))
  const counter = async (cli: Cli, what: string): Promise<number> => (await pipelineOf(cli.url)).connectors.flatMap(({ counters }) => counters).filter(one => one.what === what).reduce((sum, one) => sum + one.count, 0)

  it('an alert and the score behind it stand on the server, and follow what happens at the bedside, though somebody else writes at the same time', async () => {
    await using cli = await start()
    await sends(cli, ...deteriorates(mrn))
    const raised = await until('the issue', async () => emergency(await issues(mrn)), WITHIN_MS)
    expect(raised).toMatchObject({ status: 'final', severity: 'high', patient: { reference: `Patient/${mrn}` }, author: { display: 'Latido' } })
    expect(raised.detail).toMatch(/^At least 11 \(alert at 7\), by news2@1\. Missing: .*Reasons: /)
    const [score] = await until('the score', async () => { const all = await scores(mrn); return all.length > 0 ? all : undefined }, WITHIN_MS)
    expect(score).toMatchObject({ status: 'final', valueQuantity: { value: 11, comparator: '>=', code: '{score}' }, method: { text: 'news2@1' } })
    expect(score!.component?.length).toBe(7)
    expect(JSON.stringify([raised, score])).not.toContain('Invented')

    // Between our read and our write somebody else changes it: HAPI answers 409, and it is read and written again.
    let meddled = 0
    middle.before = async method => { if (method === 'PUT' && meddled++ === 0) await hapi('PUT', `DetectedIssue/${raised.id}`, { ...raised, meta: undefined, evidence: [{ code: [{ text: 'seen by a person' }] }] }) }
    const alert = await alertOf(cli, mrn)
    expect(await post(cli.url, `/api/alerts/${alert.id}/acknowledge`, { by: 'nurse' })).toBe(202)
    await until('the acknowledgement', async () => emergency(await issues(mrn))?.mitigation, WITHIN_MS)
    expect(middle.passed.filter(call => call.startsWith('PUT DetectedIssue') || call.startsWith('PUT /DetectedIssue')).map(call => call.slice(-3))).toEqual(['409', '200'])

    await sends(cli, chartedSet(`F-${++next}`, mrn, STABLE, systemClock.now()))
    const over = await until('the end', async () => { const one = emergency(await issues(mrn)); return one?.status === 'cancelled' ? one : undefined }, WITHIN_MS)
    expect([over.id, over.identifiedPeriod?.end === undefined, (await issues(mrn)).filter(({ code }) => code?.coding?.[0]?.code === 'news2-emergency').length]).toEqual([raised.id, false, 1])
    expect(await counter(cli, 'attempt-failed')).toBe(0)
  })

  it('what was raised while the server was away is there when it is back; the health says so meanwhile', async () => {
    await using cli = await start()
    middle.away = true
    await sends(cli, ...deteriorates(mrn))
    await until('the connector to wait', async () => JSON.stringify(await pipelineOf(cli.url)).includes('waiting') ? true : undefined, WITHIN_MS)
    expect(await issues(mrn)).toEqual([])
    middle.away = false
    await until('the issue', async () => emergency(await issues(mrn)), WITHIN_MS)
    await until('the score', async () => (await scores(mrn))[0], WITHIN_MS)
    expect((await pipelineOf(cli.url)).deadLetters.total).toBe(0)
  })

  it('nothing stands there twice though the product was killed after the server had it and before it knew', async () => {
    let held = 0
    middle.after = (method, _path, status) => method === 'POST' && status === 201 ? new Promise(() => { held++ }) : undefined
    {
      await using cli = await start()
      await sends(cli, ...deteriorates(mrn))
      await until('both lanes to be held', () => held >= 2 ? true : undefined, WITHIN_MS)
      await cli.end('SIGKILL')
    }
    middle.after = () => {}
    const before = middle.passed.length
    await using cli = await start()
    await sends(cli, chartedSet(`F-${++next}`, mrn, STABLE, systemClock.now()))
    await until('the score to be found there', async () => await counter(cli, 'clinical-score-delivered') > 0 ? true : undefined, WITHIN_MS)
    await until('the newest change', async () => { const [one, { changedAt }] = [emergency(await issues(mrn)), await alertOf(cli, mrn)]; return one?.identifier?.[1]?.value === String(changedAt) ? true : undefined }, WITHIN_MS) // latched, until a person has seen it
    const all = await issues(mrn)
    expect(all.length).toBe(new Set(all.map(({ identifier }) => identifier?.[0]?.value)).size)
    expect(all.filter(one => emergency([one]) !== undefined)).toHaveLength(1)
    expect((await scores(mrn)).map(({ valueQuantity }) => valueQuantity?.value)).toEqual([11])
    expect(middle.passed.slice(before)).toContain('POST /DetectedIssue 200') // it was found there
  })

  it('what the server refuses is a dead letter after one try, and others go on', async () => {
    const other = `M-${randomUUID().slice(0, 8)}`
    const stranger = `M-${randomUUID().slice(0, 8)}`
    await register(other)
    await using cli = await start()
    await sends(cli, ...deteriorates(mrn), ...deteriorates(stranger))
    const raised = await until('the issue', async () => emergency(await issues(mrn)), WITHIN_MS)
    const { id: _, meta: __, ...copy } = raised
    await hapi('POST', 'DetectedIssue', copy) // somebody copied it: our identifier is there twice, and a conditional create is 412
    const before = middle.passed.length
    const alert = await alertOf(cli, mrn)
    expect(await post(cli.url, `/api/alerts/${alert.id}/acknowledge`, { by: 'nurse' })).toBe(202)
    await until('the dead letters', async () => { const { byCause } = (await pipelineOf(cli.url)).deadLetters; return (byCause['identifier-conflict'] ?? 0) > 0 && (byCause['patient-missing'] ?? 0) > 0 ? true : undefined }, WITHIN_MS)
    await sends(cli, ...deteriorates(other))
    await until('the other patient', async () => emergency(await issues(other)), WITHIN_MS)
    expect(middle.passed.slice(before).filter(call => call.endsWith('412'))).toHaveLength(1)
    expect((await pipelineOf(cli.url)).deadLetters.byCause['identifier-conflict']).toBe(1)

    // The server knows the stranger by now: a person sends again what was refused for it.
    await register(stranger)
    expect(await post(cli.url, '/api/deadletters/retry', { cause: 'patient-missing', limit: 50, by: 'engineer' })).toBe(200)
    expect(emergency(await until('the issue', async () => { const all = await issues(stranger); return emergency(all) === undefined ? undefined : all }, WITHIN_MS))).toMatchObject({ status: 'final' })
  })
})
