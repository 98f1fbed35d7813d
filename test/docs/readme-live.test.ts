import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import mqtt from 'mqtt'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseConfig } from '../../ops/config/index.ts'
import { startLatido, type RunningLatido } from '../../ops/run/index.ts'
import { systemClock } from '../../streams/time/index.ts'
import { ROOT } from '../house/source-files.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { document, snippetsOf } from './documents.ts'

/** What README tells a reader to type, line by line, against an instance of our own. */
const LINES = snippetsOf(document('README.md')).filter(s => s.language === 'sh' && s.words.includes('live')).flatMap(s => s.code.trim().split('\n'))
const dir = tempDir()
let latido: RunningLatido
let ports: Readonly<Record<string, string>>

beforeAll(async () => {
  latido = await startLatido(parseConfig(['--data-dir', dir.path, '--http-port', '0', '--mllp-port', '0', '--mqtt-port', '0', '--simulate', 'off', '--offline', 'off', '--model', 'off'], {}), systemClock, () => {})
  ports = { 8080: new URL(latido.url).port, 2575: new URL(latido.endpoints[0]!).port, 1883: new URL(latido.endpoints[1]!).port }
})
afterAll(async () => { await latido[Symbol.asyncDispose](); dir.remove() })

interface Feature { readonly name: string, readonly value: number | null }
interface AlertOnTheWire { readonly id: string, readonly patientId: string, readonly bed: string, readonly value: number, readonly state: string }

async function get<T> (path: string): Promise<T> {
  const response = await fetch(latido.url + path)
  expect(response.status, path).toBe(200)
  return await response.json() as T
}

async function feature (name: string): Promise<number | null | undefined> {
  const { views } = await get<{ views: readonly { readonly features: readonly Feature[] }[] }>('/api/patients/DEMO-1001/features')
  return views.flatMap(view => view.features).find(f => f.name === name)?.value
}

describe('a reader of README', () => {
  test('has nothing to type that this test does not know', () => {
    expect(LINES.filter(line => !/^(?:npx latido replay hl7 |mosquitto_pub |curl -s )/.test(line))).toEqual([])
  })

  test('admits a patient and lets her get worse', async () => {
    for (const line of LINES.filter(l => l.startsWith('npx latido '))) {
      const command = spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'ops/cli/main.ts'), ...line.replace('npx latido ', '').split(' '), '--mllp-port', ports[2575]!], { cwd: ROOT, stdio: 'ignore' })
      expect((await once(command, 'close'))[0], line).toBe(0)
    }
    await expect.poll(() => get<readonly AlertOnTheWire[]>('/api/alerts?state=active')).toMatchObject([{ patientId: 'DEMO-1001', bed: '12', value: 17, state: 'active' }])
  })

  test('sends numerics of the bed over MQTT', async () => {
    const line = LINES.find(l => l.startsWith('mosquitto_pub'))!
    const [, topic, payload] = /-t (\S+) -m "(.*)"$/.exec(line)!
    // To the millisecond: within the second of the charted set, a whole second would be the older reading.
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${ports[1883]}`)
    await client.publishAsync(topic!, payload!.replaceAll('\\"', '"').replace('$(date +%s)000', String(systemClock.now())), { qos: 1 })
    await client.endAsync()
    await expect.poll(() => feature('heartRateLast')).toBe(131) // the view speaks at most each 10 s
  })

  test('asks the API, and acknowledges', async () => {
    for (const line of LINES.filter(l => l.startsWith('curl'))) await get(/http:\/\/127\.0\.0\.1:8080([^\s']*)/.exec(line)![1]!)
    const [alert] = await get<readonly AlertOnTheWire[]>('/api/alerts?state=active')
    expect((await fetch(`${latido.url}/api/alerts/${alert!.id}/acknowledge`, { method: 'POST' })).status).toBe(202)
    await expect.poll(() => get<readonly AlertOnTheWire[]>('/api/alerts?state=acknowledged')).toMatchObject([{ id: alert!.id }])
  })
})
