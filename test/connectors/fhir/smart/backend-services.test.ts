import { generateKeyPairSync } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openFhirClient, type FhirClient } from '../../../../connectors/fhir/index.ts'
import { backendServices, readKey, type Algorithm } from '../../../../connectors/fhir/smart/index.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { FakeFhirServer } from '../fake-server/index.ts'
import { NOW_MS, patient } from '../support.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const pem = (key: typeof rsa.publicKey): string => key.export({ type: 'spki', format: 'pem' }).toString()
const secret = (key: typeof rsa.privateKey): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

let clock: ManualClock
let server: FakeFhirServer
const counts: string[] = []

beforeEach(async () => {
  clock = new ManualClock(NOW_MS)
  counts.length = 0
  server = await FakeFhirServer.start({ clock, tokens: { clientId: 'latido', keys: { rsa: pem(rsa.publicKey), ec: pem(ec.publicKey) }, lifeSeconds: 300 } })
  server.store.put(patient('p1'))
})
afterEach(async () => { await server[Symbol.asyncDispose]() })

async function open (algorithm: Algorithm, keyText: string, keyId: string, clientId = 'latido'): Promise<FhirClient> {
  const client = { baseUrl: server.baseUrl, limits: { requestsPerMinute: 1_000_000, attemptsMax: 1 } }
  const auth = backendServices({ clientId, key: await readKey(keyText, algorithm, keyId), scope: 'system/Patient.rs', clock, client })
  return openFhirClient({ ...client, clock, auth, count: what => { counts.push(what) } })
}
/** The pace asks for a moment between two requests; so little that no token ends, however long a request takes. */
const next = (): void => { clock.advance(0.1) }
async function reads (client: FhirClient): Promise<string> {
  const reading = client.read('Patient', 'p1').then(outcome => outcome.kind)
  const ticking = setInterval(next, 1)
  return await reading.finally(() => { clearInterval(ticking) })
}

it.each([['RS384', secret(rsa.privateKey), 'rsa'], ['ES384', secret(ec.privateKey), 'ec'], ['ES384', JSON.stringify({ ...ec.privateKey.export({ format: 'jwk' }), kid: 'ec' }), '']] as const)('signs with %s, and the server verifies it', async (algorithm, key, keyId) => {
  expect(await reads(await open(algorithm, key, keyId))).toBe('found')
  expect(server.tokens!.refusals).toEqual([])
  expect(server.tokens!.given).toBe(1)
})

it('asks for one token for many requests, and renews it before it ends', async () => {
  const client = await open('ES384', secret(ec.privateKey), 'ec')
  await Promise.all([reads(client), reads(client), reads(client)])
  expect(server.tokens!.given).toBe(1)
  clock.advance(230_000)
  await reads(client)
  expect(server.tokens!.given).toBe(1)
  clock.advance(15_000)
  await reads(client)
  expect(server.tokens!.given).toBe(2)
  expect(counts).not.toContain('http-401')
})

it('renews once on a 401, and gives up where the new one is refused too', async () => {
  const client = await open('ES384', secret(ec.privateKey), 'ec')
  await reads(client)
  server.tokens!.revoke()
  expect(await reads(client)).toBe('found')
  expect(counts).toEqual(['http-401'])
  server.tokens!.isValid = () => false
  await expect(reads(client)).rejects.toMatchObject({ code: 'FHIR_REFUSED' })
  expect(server.tokens!.given).toBe(3)
})

it('looks again for the token endpoint where that has moved', async () => {
  const client = await open('ES384', secret(ec.privateKey), 'ec')
  await reads(client)
  server.tokenPath = 'oauth2/token'
  server.tokens!.revoke()
  await expect(reads(client)).rejects.toMatchObject({ code: 'FHIR_REFUSED' })
  expect(await reads(client)).toBe('found')
})

it('says that a client is not known, with the code and without the server\'s text', async () => {
  await expect(reads(await open('ES384', secret(ec.privateKey), 'ec', 'stranger'))).rejects.toMatchObject({ code: 'FHIR_REFUSED', message: 'the FHIR server gives no token (400, invalid_client)' })
  await expect(reads(await open('ES384', secret(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey), 'ec'))).rejects.toMatchObject({ code: 'FHIR_REFUSED' })
})

it('refuses a key that is none, or that does not fit, before it asks anybody', async () => {
  await expect(readKey('not a key', 'RS384', 'k')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  await expect(readKey(secret(rsa.privateKey), 'ES384', 'k')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  await expect(readKey(secret(ec.privateKey), 'ES384', '')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})
