import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LatidoApiError, LatidoClient } from '../../clients/typescript/latido-client.ts'
import { startFeatureServer, type Dashboards } from '../../dashboards/server/index.ts'
import { generated } from '../../scripts/clients/generated.ts'
import { fakeFeatures, NOW } from '../dashboards/feature-kit.ts'
import { describeWith } from '../kit/servers/index.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const QUERY = { features: ['numerics', 'blood@2:lactateLast'], entities: ['anna', 'ben', 'nobody'] }
let server: Dashboards
beforeAll(async () => {
  server = await startFeatureServer({ host: '127.0.0.1', port: 0, features: fakeFeatures().features, version: '0.0.0-test', metrics: () => Promise.resolve('') })
})
afterAll(async () => { await server.close() })

it('the clients that are committed are those that the API of now makes', async () => {
  for (const [path, text] of Object.entries(await generated())) expect(readFileSync(ROOT + path, 'utf8'), `${path}: npm run clients`).toBe(text)
})

const refusal = (call: Promise<unknown>): Promise<unknown> => call.then(() => undefined, (e: unknown) => e instanceof LatidoApiError ? [e.status, e.code, e.message, e.action] : e)

describe('the TypeScript client', () => {
  it('reads the same by JSON and by the binary form', async () => {
    const client = new LatidoClient({ baseUrl: `${server.url}/` })
    const columns = await client.readFeatures(QUERY)
    expect(columns).toMatchObject({ now: NOW, entity: 'patient', views: [{ view: 'numerics', state: ['served', 'expired', 'never-stored'], values: [[80, null, 120.5], [null, null, null], [null, null, null]] }, { view: 'blood', values: [[6.5], [null], [null]] }] })
    const batch = await client.readFeaturesBinary(QUERY)
    expect(batch.toOnlineFeatures()).toEqual(columns)
    expect([batch.value(0, 'numerics:heartRateLast'), batch.eventTime(0, 'numerics:heartRateLast'), batch.ageMs(0, 'numerics:heartRateLast'), batch.value(0, 'numerics:spo2Last'), batch.ageMs(2, 'blood:lactateLast')]).toEqual([80, NOW - 6_000, 6_000, null, null])
    expect(() => batch.value(0, 'numerics:pulse')).toThrow('numerics:pulse is not in this batch')
  })

  it('reads one entity, and what there is', async () => {
    const client = new LatidoClient({ baseUrl: server.url })
    expect(await client.readEntityFeatures('anna', { features: 'blood:creatinineLast' })).toMatchObject({ key: 'anna', views: [{ features: [{ name: 'creatinineLast', present: true, reason: 'present', value: 1 / 3 }] }] })
    expect((await client.listFeatureViews()).map(v => `${v.name}@${v.version}`)).toEqual(['numerics@1', 'blood@2'])
    expect((await client.getFeatureView('blood')).features).toHaveLength(10)
    expect((await client.listFeatureServices())[0]!.name).toBe('both')
    expect(await client.getHealth()).toEqual({ status: 'ok', version: '0.0.0-test' })
  })

  it('throws what the API says, or that it says nothing', async () => {
    const client = new LatidoClient({ baseUrl: server.url })
    expect(await refusal(client.readFeatures({ features: ['blod'], entities: ['anna'] }))).toEqual([404, 'VIEW_UNKNOWN', 'there is no view "blod"', 'did you mean blood?'])
    expect(await refusal(client.readFeaturesBinary({ service: 'boht', entities: ['anna'] }))).toMatchObject({ 0: 404, 1: 'SERVICE_UNKNOWN' })
    expect(await refusal(client.readEntityFeatures('no/body?', { service: 'both' }))).toMatchObject({ 0: 404, 1: 'ENTITY_UNKNOWN' })
    expect(await refusal(new LatidoClient({ baseUrl: 'http://127.0.0.1:1' }).getHealth())).toMatchObject({ 0: 0, 1: 'UNREACHABLE' })
  })
})

const describePython = await describeWith('python')
describePython('the Python client', () => {
  it('reads and throws the same', async () => {
    const said = JSON.parse(await run('python3', `${ROOT}test/clients/check_client.py`, `${ROOT}clients/python`, server.url)) as Record<string, unknown>
    const client = new LatidoClient({ baseUrl: server.url })
    expect(said['columns']).toEqual(snaked(await client.readFeatures(QUERY)))
    expect(said['one']).toEqual(snaked(await client.readEntityFeatures('anna', { features: 'blood:creatinineLast' })))
    expect(said['views']).toEqual(snaked(await client.listFeatureViews()))
    expect(said['services']).toEqual(snaked(await client.listFeatureServices()))
    expect(said).toMatchObject({
      same: true, service: [[6.5]], batch: [80, NOW - 6_000, 6_000, null, null], view: 2, health: 'ok',
      refused: [404, 'VIEW_UNKNOWN', 'there is no view "blod"', 'did you mean blood?'], unknown: { 0: 404, 1: 'ENTITY_UNKNOWN' }, 'binary refused': { 0: 404, 1: 'SERVICE_UNKNOWN' },
      'not in it': { 0: 0, 1: 'FEATURE_UNKNOWN' }, away: { 0: 0, 1: 'UNREACHABLE' },
    } satisfies Partial<Record<string, unknown>>)
  })
})

/** Names as Python has them. */
function snaked (value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snaked)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`), snaked(inner)]))
}

function run (command: string, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk: Buffer) => { out += chunk.toString() })
    child.stderr.on('data', (chunk: Buffer) => { err += chunk.toString() })
    child.on('error', reject)
    child.on('close', code => { if (code === 0) resolve(out); else reject(new Error(err)) })
  })
}
