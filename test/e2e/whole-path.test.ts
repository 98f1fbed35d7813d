import { afterAll, beforeAll, expect, it } from 'vitest'
import type { WireFeatures, WirePatient } from '../../dashboards/server/wire.ts'
import { systemClock } from '../../streams/time/index.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { admission, api, chartedSet, codeOf, DETERIORATED, DeviceClient, MllpClient, post, startCli, until, type Cli, type WireAlert } from './kit/index.ts'

const dir = tempDir()
let cli: Cli
beforeAll(async () => { cli = await startCli({ dataDir: dir.path }) })
afterAll(async () => { await cli.end('SIGINT'); dir.remove() })

const active = async (patient: string): Promise<readonly WireAlert[]> => (await api<WireAlert[]>(cli.url, '/api/alerts?state=active')).filter(a => a.patientId === patient)

it('shows a deterioration that comes over HL7 as an alert, with its features, and takes the acknowledgement', async () => {
  using sender = await MllpClient.open(cli.mllpPort)
  const now = systemClock.now()
  expect(codeOf(await sender.exchange(admission('P-1', 'PATH-1', '01', now)) ?? '')).toBe('AA')
  expect(codeOf(await sender.exchange(chartedSet('P-2', 'PATH-1', DETERIORATED, now)) ?? '')).toBe('AA')
  const acknowledgedMs = sender.answeredMs[1]!
  const alert = await until('the alert', async () => (await active('PATH-1')).find(a => a.rule === 'news2-emergency'))
  console.log(`alert on the API ${(systemClock.monotonicMs() - acknowledgedMs).toFixed(0)} ms after the answer`) // the target is 2 s; a machine that does other work must not fail the test
  expect(alert).toMatchObject({ rule: 'news2-emergency', state: 'active', priority: 'high', value: 11, threshold: 7, ward: 'W1', bed: '01' })
  expect(alert.missing).toContain('news2Consciousness')
  expect(alert.reasons.map(r => r.feature)).toContain('news2Respiration')

  const features = await api<WireFeatures>(cli.url, '/api/patients/PATH-1/features')
  const news2 = features.views.find(v => v.view === 'news2')!.features
  expect(news2.find(f => f.name === 'news2')).toMatchObject({ present: true, value: 11 })
  expect(news2.find(f => f.name === 'news2SystolicValue')).toMatchObject({ value: 96 })

  const listed = (await api<WirePatient[]>(cli.url, '/api/patients')).find(p => p.id === 'PATH-1')
  expect(listed).toMatchObject({ bed: '01', ward: 'W1', admitted: true, news2: { score: 11, atLeast: true } })

  expect(await post(cli.url, `/api/alerts/${alert.id}/acknowledge`, { by: 'nurse' })).toBe(202)
  const acknowledged = await until('the acknowledgement', async () => (await api<WireAlert[]>(cli.url, '/api/alerts?state=acknowledged')).find(a => a.id === alert.id))
  expect(acknowledged).toMatchObject({ state: 'acknowledged', acknowledgedBy: 'nurse' })
  expect((await active('PATH-1')).filter(a => a.rule.startsWith('news2'))).toEqual([]) // the model may have its own alert
  expect(await post(cli.url, `/api/alerts/${alert.id}/acknowledge`, { by: 'nurse' })).toBe(409)
})

it('knows no other patient than those who were sent', async () => {
  const response = await fetch(new URL('/api/patients/NOBODY/features', cli.url))
  expect(response.status).toBe(404)
})

it('follows a monitor that stands at a bed: its numerics are features of who lies there', async () => {
  using sender = await MllpClient.open(cli.mllpPort)
  await using monitor = await DeviceClient.open(cli.mqttPort, 'monitor-path')
  await sender.exchange(admission('P-3', 'PATH-2', '02', systemClock.now()))
  await monitor.publish('association', { ward: 'W1', bed: '02' })
  await monitor.publish('numerics', { time: systemClock.now(), seq: 1, numerics: [{ code: '147842', value: 81, unit: '/min' }] })
  const value = await until('the heart rate', async () => {
    const { views } = await api<WireFeatures>(cli.url, '/api/patients/PATH-2/features')
    return views.find(v => v.view === 'vitals')?.features.find(f => f.name === 'heartRateLast' && f.present)?.value
  })
  expect(value).toBe(81)
})
