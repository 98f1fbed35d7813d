import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../streams/time/index.ts'
import { freePorts } from '../kit/servers/index.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { admission, api, chartedSet, codeOf, DETERIORATED, MllpClient, pipelineOf, startCli, until, type Cli, type WireAlert } from './kit/index.ts'

const ISSUER = 'https://ehr.example.org'
const SYSTEM = 'urn:hospital:mrn'
const PUBLIC = 'https://latido.example.org'
const PATH = '/cds-services/latido-patient-view'
const MRN = 'CDS-1'

interface Card { readonly uuid: string, readonly summary: string, readonly detail: string, readonly indicator: string, readonly suggestions?: readonly { readonly uuid: string }[] }

describe('--cds-hooks in the running product', () => {
  const dir = tempDir()
  let cli: Cli
  let url = ''
  let keys: Awaited<ReturnType<typeof generateKeyPair>>
  let tokens = 0
  beforeAll(async () => {
    keys = await generateKeyPair('ES384')
    const [port = 0] = await freePorts(1)
    url = `http://127.0.0.1:${port}`
    writeFileSync(join(dir.path, 'jwks.json'), JSON.stringify({ keys: [{ ...await exportJWK(keys.publicKey), kid: 'k1', alg: 'ES384' }] }))
    writeFileSync(join(dir.path, 'cds.json'), JSON.stringify({ port, publicUrl: PUBLIC, clients: [{ issuer: ISSUER, jwks: { file: join(dir.path, 'jwks.json') } }], namespaces: { [SYSTEM]: '' } }))
    cli = await startCli({ dataDir: join(dir.path, 'data'), flags: ['--offline', 'off', '--cds-hooks', join(dir.path, 'cds.json')] })
    using sender = await MllpClient.open(cli.mllpPort)
    for (const message of [admission('C-1', MRN, '01', systemClock.now()), chartedSet('C-2', MRN, DETERIORATED, systemClock.now())]) expect(codeOf(await sender.exchange(message) ?? '')).toBe('AA')
    await until('the alert', async () => (await emergencies())[0])
  })
  afterAll(async () => { await cli.end('SIGINT'); dir.remove() })

  const emergencies = async (): Promise<readonly WireAlert[]> => (await api<WireAlert[]>(cli.url, '/api/alerts?state=open')).filter(a => a.patientId === MRN && a.rule === 'news2-emergency')
  const counter = async (what: string): Promise<number> => (await pipelineOf(cli.url)).connectors.flatMap(({ counters }) => counters).find(one => one.what === what)?.count ?? 0

  interface Claims { readonly aud: string, readonly kid: string, readonly jti: string, readonly iatS: number, readonly livesS: number, readonly iss: string }
  async function token (claims: Partial<Claims> = {}): Promise<string> {
    const { aud, kid, jti, iatS, livesS, iss }: Claims = { aud: `${PUBLIC}${PATH}`, kid: 'k1', jti: `t-${++tokens}`, iatS: Math.floor(systemClock.now() / 1_000), livesS: 240, iss: ISSUER, ...claims }
    return await new SignJWT({ jti }).setProtectedHeader({ alg: 'ES384', kid }).setIssuer(iss).setAudience(aud).setIssuedAt(iatS).setExpirationTime(iatS + livesS).sign(keys.privateKey)
  }

  async function post (path: string, body: object, bearer?: string): Promise<Response> {
    return await fetch(`${url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...bearer === undefined ? {} : { authorization: `Bearer ${bearer}` } }, body: JSON.stringify(body) })
  }
  const view = (mrn: string): object => ({ hook: 'patient-view', hookInstance: 'h-1', context: { userId: 'Practitioner/1', patientId: 'p1' }, prefetch: { patient: { resourceType: 'Patient', id: 'p1', identifier: [{ system: SYSTEM, value: mrn }] } } })

  it('opening the chart of a patient with an alert shows a card that explains it; accepting the card acknowledges the alert', async () => {
    const response = await post(PATH, view(MRN), await token())
    expect(response.status).toBe(200)
    const { cards } = await response.json() as { cards: readonly Card[] }
    const card = cards.find(({ summary }) => summary === 'NEWS2 at least 11: emergency response')
    expect(card?.indicator).toBe('critical')
    expect(card?.detail).toMatch(/- respiration: 27 \(\+3\)/)
    expect(card?.detail).toMatch(/Missing, so the score is at least this: .*consciousness/)
    expect(card?.detail).toContain('Basis: news2@1.')
    expect(JSON.stringify(cards)).not.toMatch(/Invented|CDS-1/)
    const feedback = { feedback: [{ card: card!.uuid, outcome: 'accepted', acceptedSuggestions: [{ id: card!.suggestions![0]!.uuid }], outcomeTimestamp: new Date(systemClock.now()).toISOString() }] }
    expect((await post(`${PATH}/feedback`, feedback, await token())).status).toBe(401) // a token names one endpoint
    expect((await post(`${PATH}/feedback`, feedback, await token({ aud: `${PUBLIC}${PATH}/feedback` }))).status).toBe(200)
    expect(await until('the acknowledgement', async () => (await emergencies()).find(({ state }) => state === 'acknowledged'))).toMatchObject({ acknowledgedBy: 'ehr' })
  })

  it('of a patient whom nobody knows nothing is shown', async () => {
    const response = await post(PATH, view('NOBODY'), await token())
    expect([response.status, await response.json()]).toEqual([200, { cards: [] }])
  })

  it.each<readonly [what: string, claims: Partial<Claims> | undefined, why: string]>([
    ['no token', undefined, 'unauthorised-token-missing'],
    ['a token for somebody else', { aud: 'https://other.example.org/cds-services/x' }, 'unauthorised-audience'],
    ['one that has run out', { iatS: Math.floor(systemClock.now() / 1_000) - 600 }, 'unauthorised-expired'],
    ['one of a key that is not known', { kid: 'k2' }, 'unauthorised-signature'],
    ['one that lives too long', { livesS: 3_600 }, 'unauthorised-claims'],
    ['one of an EHR that is not known', { iss: 'https://stranger.example.org' }, 'unauthorised-client-unknown'],
  ])('%s is answered 401 and counted by its reason', async (_what, claims, why) => {
    const before = await counter(why)
    const response = await post(PATH, view(MRN), claims === undefined ? undefined : await token(claims))
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
    expect(await response.json()).toEqual({ message: `no token that is accepted; it must be for ${PUBLIC}${PATH}, and the counter unauthorised-... of cds-hooks says what was wrong` }) // the same for all: who guesses learns nothing
    await until(why, async () => await counter(why) === before + 1 ? true : undefined)
  })

  it('a token that was used is refused when it comes again', async () => {
    const bearer = await token()
    expect((await post(PATH, view(MRN), bearer)).status).toBe(200)
    expect((await post(PATH, view(MRN), bearer)).status).toBe(401)
    await until('the count', async () => await counter('unauthorised-replayed') === 1 ? true : undefined)
  })
})
