import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { WireDrift, WireFeatures, WirePatient } from '../../dashboards/server/wire.ts'
import { SEPSIS_MODEL_DIRECTORY } from '../../inference/models/index.ts'
import { systemClock } from '../../streams/time/index.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { admission, api, chartedSet, codeOf, DETERIORATED, DeviceClient, MllpClient, pipelineOf, post, STABLE, startCli, until, type Cli, type WireAlert } from './kit/index.ts'

interface Seen { readonly alerts: readonly Pick<WireAlert, 'patientId' | 'rule'>[], readonly board: readonly unknown[], readonly drift: readonly unknown[] }

/** What must be the same after a restart: everything that is not an age. */
async function seenOn (cli: Cli): Promise<Seen> {
  const alerts = await api<WireAlert[]>(cli.url, '/api/alerts?state=open')
  const patients = await api<WirePatient[]>(cli.url, '/api/patients')
  const drift = await api<WireDrift[]>(cli.url, '/api/drift')
  return {
    alerts: alerts.map(({ id, patientId, rule, state, raisedAt, changedAt, acknowledgedBy, value }) => ({ id, patientId, rule, state, raisedAt, changedAt, acknowledgedBy, value })).sort((a, b) => a.id < b.id ? -1 : 1),
    board: patients.map(({ id, ward, bed, admitted, sex, news2, identity }) => ({ id, ward, bed, admitted, sex, news2: news2?.score, identity })).sort((a, b) => a.id < b.id ? -1 : 1),
    drift: drift.map(({ feature, view }) => `${view} ${feature}`).sort(),
  }
}

const openAlert = async (cli: Cli, patient: string): Promise<WireAlert> =>
  await until('the alert', async () => (await api<WireAlert[]>(cli.url, '/api/alerts?state=open')).find(a => a.patientId === patient && a.rule === 'news2-emergency'))

it('a second start goes on where the first stopped: alerts, board, beds, offsets, duplicates', async () => {
  const dir = tempDir()
  const now = systemClock.now()
  const flags = ['--drift-window', '1 s']
  const last = chartedSet('R-5', 'RES-2', STABLE, now)
  let before: Seen
  let records: number
  {
    await using cli = await startCli({ dataDir: dir.path, flags })
    using sender = await MllpClient.open(cli.mllpPort)
    for (const message of [admission('R-1', 'RES-1', '01', now), chartedSet('R-2', 'RES-1', DETERIORATED, now), admission('R-3', 'RES-2', '02', now), chartedSet('R-4', 'RES-2', DETERIORATED, now - 1_000), last]) {
      expect(codeOf(await sender.exchange(message) ?? '')).toBe('AA')
    }
    const alert = await openAlert(cli, 'RES-1')
    expect(await post(cli.url, `/api/alerts/${alert.id}/acknowledge`, { by: 'nurse' })).toBe(202)
    await until('the acknowledgement', async () => (await openAlert(cli, 'RES-1')).state === 'acknowledged' ? true : undefined)
    await until('the latch', async () => (await openAlert(cli, 'RES-2')).state === 'latched' ? true : undefined)
    if (existsSync(join(SEPSIS_MODEL_DIRECTORY, 'manifest.json'))) await until('a window of the drift monitor', async () => (await seenOn(cli)).drift.length > 0 ? true : undefined) // the model gives references
    expect(existsSync(join(dir.path, 'latido.lock'))).toBe(true)
    before = await seenOn(cli)
    expect(await cli.end('SIGINT')).toEqual({ code: 0, signal: null })
    records = 5
  }
  expect(existsSync(join(dir.path, 'latido.lock'))).toBe(false)

  await using cli = await startCli({ dataDir: dir.path, flags })
  console.log(`ready again in ${cli.readyMs.toFixed(0)} ms`) // the target is 15 s
  const after = await seenOn(cli)
  expect(after.alerts).toEqual(expect.arrayContaining([...before.alerts])) // what has to last for a while may have been raised since
  expect(new Set(after.alerts.map(({ patientId, rule }) => `${patientId} ${rule}`)).size).toBe(after.alerts.length)
  expect(after.board).toEqual(before.board)
  expect(after.drift).toEqual(expect.arrayContaining([...before.drift]))

  // Offsets and duplicates: what was sent before is known, and nothing is worked off again.
  using sender = await MllpClient.open(cli.mllpPort)
  expect(codeOf(await sender.exchange(last) ?? '')).toBe('AA')
  const { connectors, topics } = await pipelineOf(cli.url)
  const counters = connectors.find(c => c.name === 'hl7')!.counters
  expect(counters.find(c => c.what === 'duplicate')?.count).toBe(1)
  expect(counters.find(c => c.what === 'published')).toBeUndefined()
  expect(topics.find(t => t.topic === 'latido.events')!.records).toBeGreaterThan(records)

  // Beds: a monitor that names its bed finds who lies there.
  await using monitor = await DeviceClient.open(cli.mqttPort, 'monitor-restart')
  await monitor.publish('numerics', { time: systemClock.now(), seq: 1, ward: 'W1', bed: '01', numerics: [{ code: '147842', value: 77, unit: '/min' }] })
  await until('the heart rate', async () => (await api<WireFeatures>(cli.url, '/api/patients/RES-1/features')).views.find(v => v.view === 'vitals')?.features.find(f => f.name === 'heartRateLast')?.value === 77 ? true : undefined)

  // The alert that was latched is the same alert: acknowledged now, it is gone.
  const latched = await openAlert(cli, 'RES-2')
  expect(await post(cli.url, `/api/alerts/${latched.id}/acknowledge`, { by: 'nurse' })).toBe(202)
  await until('the end of the alert', async () => (await api<WireAlert[]>(cli.url, '/api/alerts?state=open')).every(a => a.id !== latched.id) ? true : undefined)
  expect(await cli.end('SIGINT')).toEqual({ code: 0, signal: null })
  dir.remove()
})

it('a device that named its patient once is still known after kill -9', async () => {
  const dir = tempDir()
  const flags = ['--offline', 'off']
  const numerics = (seq: number): unknown => ({ time: systemClock.now(), seq, numerics: [{ code: '147842', value: 70, unit: '/min' }] })
  {
    await using cli = await startCli({ dataDir: dir.path, flags })
    await using monitor = await DeviceClient.open(cli.mqttPort, 'monitor-again')
    await monitor.publish('association', { patient: 'AGAIN-1' })
    await monitor.publish('numerics', numerics(1))
    await cli.end('SIGKILL')
  }
  await using cli = await startCli({ dataDir: dir.path, flags })
  await using monitor = await DeviceClient.open(cli.mqttPort, 'monitor-again')
  await monitor.publish('numerics', numerics(2))
  await monitor.publish('association', {})
  await monitor.publish('numerics', numerics(3))
  const { deadLetters, connectors } = await until('the dead letter', async () => { const status = await pipelineOf(cli.url); return status.deadLetters.total > 0 ? status : undefined })
  expect(deadLetters.byCause).toEqual({ 'device-unmapped': 1 })
  expect(connectors.find(c => c.name === 'mqtt')?.counters.find(c => c.what === 'published')?.count).toBe(1)
  dir.remove()
})
