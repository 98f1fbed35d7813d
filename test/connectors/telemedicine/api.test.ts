import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Log } from '../../../streams/log/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { sealer } from '../kit/house.ts'
import { Clinic, deviceToken, heartRate, Issuer, AUDIENCE, ISSUER, NOW_MS } from './support.ts'

const HOUR_MS = 3_600_000
let directory: ReturnType<typeof tempDir>
let clock: ManualClock
let issuer: Issuer
let clinic: Clinic
let options: Readonly<Record<string, unknown>>
const tokensFile = (): string => join(directory.path, 'tokens.json')

beforeEach(async () => {
  directory = tempDir()
  clock = new ManualClock(NOW_MS)
  issuer = await Issuer.open(directory.path)
  options = { oauth: { issuer: ISSUER, audience: AUDIENCE, jwks: { file: issuer.jwksFile } } }
  clinic = await Clinic.open(directory.path, clock, options)
})
afterEach(async () => { await clinic.close(); directory.remove() })

async function restart (next: Readonly<Record<string, unknown>> = options, more: Parameters<typeof Clinic.open>[3] = {}): Promise<void> {
  await clinic.close()
  clinic = await Clinic.open(directory.path, clock, next, more)
}

const observe = (token: string, key: string, ...items: readonly unknown[]): ReturnType<Clinic['post']> => clinic.post('/v1/observations', { items }, { token, key })

describe('what is sent', () => {
  it('answers when the log has a home value, in the concept\'s unit, with its own time and its source', async () => {
    const answered = await observe(await issuer.token(), 'k1', { concept: 'temperature', value: 101.3, unit: '[degF]', takenAt: '2031-05-06T08:30:00+02:00', device: 'ear' }, { system: 'http://loinc.org', code: '8867-4', value: 71, unit: '/min', takenAt: '2031-05-06T06:31:00Z' })
    expect(answered).toMatchObject({ status: 200, body: { taken: 2, refused: 0, items: [{ index: 0, outcome: 'taken' }, { index: 1, outcome: 'taken' }] } })
    expect(await clinic.events()).toMatchObject([{
      type: 'observations', kind: 'charted', source: 'telemedicine:app',
      observations: [
        { concept: 'temperature', value: expect.closeTo(38.5, 1), eventTime: Date.UTC(2031, 4, 6, 6, 30), status: 'final', quality: 'valid', resultId: expect.stringMatching(/^[0-9a-f]{32}$/) },
        { concept: 'heartRate', value: 71, eventTime: Date.UTC(2031, 4, 6, 6, 31) },
      ],
    }])
  })

  it('takes symptoms as coded statements, with severity and onset', async () => {
    const items = [
      { system: 'http://snomed.info/sct', code: '267036007', presence: 'present', severity: 6, onset: '2031-05-05T20:00:00+02:00', reportedAt: '2031-05-06T10:00:00+02:00' },
      { system: 'http://human-phenotype-ontology.org', code: 'HP:0012735', presence: 'absent', reportedAt: '2031-05-06T10:00:00+02:00' },
      { system: 'http://snomed.info/sct', code: '267036008', presence: 'present', reportedAt: '2031-05-06T10:00:00+02:00' },
    ]
    const answered = await clinic.post('/v1/symptoms', { items }, { token: await issuer.token(), key: 's1' })
    expect(answered).toMatchObject({ status: 207, body: { taken: 2, refused: 1, items: [{ outcome: 'taken' }, { outcome: 'taken' }, { index: 2, outcome: 'refused', cause: 'code-unknown', path: '/items/2/code' }] } })
    expect(await clinic.events()).toMatchObject([
      { type: 'statement', kind: 'symptom', status: 'active', code: '267036007', eventTime: Date.UTC(2031, 4, 5, 18), endTime: -1, value: 6, unit: '{score}' },
      { type: 'statement', kind: 'symptom', status: 'absent', code: 'HP:0012735', eventTime: Date.UTC(2031, 4, 6, 8), value: NaN, unit: '' },
    ])
  })

  it('takes a scored questionnaire whole: its answers, and its total under its own code', async () => {
    const item = { questionnaire: { system: 'http://loinc.org', code: '44249-1' }, authored: '2031-05-06T09:00:00Z', answers: [{ system: 'http://loinc.org', code: '44250-9', score: 2 }, { system: 'http://loinc.org', code: '44255-8', score: 1 }], total: 3 }
    expect((await clinic.post('/v1/questionnaires', { items: [item] }, { token: await issuer.token(), key: 'q1' })).status).toBe(200)
    expect(await clinic.events()).toMatchObject([{ kind: 'symptom', code: '44250-9', value: 2 }, { kind: 'symptom', code: '44255-8', value: 1 }, { kind: 'report', code: '44249-1', value: 3 }])
    const twice = await clinic.post('/v1/questionnaires', { items: [{ ...item, answers: [item.answers[0], item.answers[0]] }] }, { token: await issuer.token(), key: 'q2' })
    expect(twice).toMatchObject({ status: 422, body: { items: [{ cause: 'duplicate', path: '/items/0/answers/1' }] } })
  })

  it.each([
    ['a value that is text', { value: 'seventy' }, 'value-unparsable', '/value'],
    ['a value that nobody has', { value: 700 }, 'value-impossible', '/value'],
    ['a unit of something else', { unit: 'mmol/L' }, 'unit-unknown', '/unit'],
    ['no unit', { unit: undefined }, 'unit-unknown', '/unit'],
    ['a concept that is not known', { concept: 'mood' }, 'code-unknown', '/concept'],
    ['a time without a zone', { takenAt: '2031-05-06T11:00:00' }, 'time-unparsable', '/takenAt'],
    ['a day that does not exist', { takenAt: '2031-02-30T11:00:00Z' }, 'time-unparsable', '/takenAt'],
    ['a time to come', { takenAt: '2031-05-06T10:05:01Z' }, 'time-in-future', '/takenAt'],
    ['a clock in 1970', { takenAt: '1970-01-01T00:00:03Z' }, 'time-implausible', '/takenAt'],
    ['a field that is not known', { note: 'call me' }, 'malformed', ''],
  ])('refuses %s by itself, with its cause and its place, and keeps it as a dead letter that can be read again', async (_, change, cause, path) => {
    const answered = await observe(await issuer.token(), 'k', heartRate(80), { ...heartRate(81, 1), ...change }, heartRate(82, 2))
    expect(answered.status).toBe(207)
    expect(answered.body.items?.map(i => i['outcome'])).toEqual(['taken', 'refused', 'taken'])
    expect(answered.body.items?.[1]).toMatchObject({ cause, path: `/items/1${path}` })
    expect(await clinic.values()).toEqual([80, 82])
    const [letter] = await clinic.deadLetters()
    expect(letter).toMatchObject({ cause, feed: 'phones', source: 'telemedicine:app' })
    expect(JSON.parse(sealer.open(Buffer.from(letter!.raw)).toString())).toMatchObject({ kind: 'observations', part: 1, patient: { id: 'MRN-1', authority: '' }, items: [JSON.parse(JSON.stringify({ ...heartRate(81, 1), ...change }))] })
  })

  it('clamps a phone\'s clock that leads within the tolerance', async () => {
    await observe(await issuer.token(), 'k', { ...heartRate(80), takenAt: '2031-05-06T10:04:59Z' })
    expect(await clinic.events()).toMatchObject([{ observations: [{ eventTime: NOW_MS }] }])
    expect(clinic.house.counts.get('time-clamped')).toBe(1)
  })

  it('counts once what stands twice in a request, and refuses the second of two that contradict each other', async () => {
    const answered = await observe(await issuer.token(), 'k', heartRate(80), heartRate(80), heartRate(90))
    expect(answered.body.items).toMatchObject([{ outcome: 'taken' }, { outcome: 'taken' }, { outcome: 'refused', cause: 'duplicate' }])
    expect(await clinic.values()).toEqual([80])
  })
})

describe('who may send', () => {
  const refusedWith = async (claims: Readonly<Record<string, unknown>>): Promise<string | undefined> => (await observe(await issuer.token(claims), 'k', heartRate(80))).body.error?.code

  it.each([
    ['another audience', { aud: 'https://other.test' }, 'audience'],
    ['another issuer', { iss: 'https://other.test' }, 'issuer'],
    ['a token that has expired', { exp: NOW_MS / 1_000 - 31 }, 'expired'],
    ['a token that is not valid yet', { nbf: NOW_MS / 1_000 + 60 }, 'claims'],
    ['a token without an end', { exp: undefined }, 'claims'],
    ['a client that is no person', { sub: 'scheduler', client_id: 'scheduler' }, 'claims'],
  ])('refuses %s', async (_, claims, why) => {
    expect(await refusedWith(claims)).toBe('UNAUTHENTICATED')
    expect(clinic.house.counts.get(`credential-${why}`)).toBe(1)
    expect(await clinic.values()).toEqual([])
  })

  it('refuses a token that another key signed, one without a signature, and none at all', async () => {
    const stranger = await Issuer.open(tempDir().path)
    expect((await observe(await stranger.token(), 'k', heartRate(80))).status).toBe(401)
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    expect((await observe(`${part({ alg: 'none' })}.${part({ iss: ISSUER, aud: AUDIENCE, sub: 'MRN-1', exp: NOW_MS / 1_000 + 60, scope: 'latido/observations.write' })}.`, 'k', heartRate(80))).status).toBe(401)
    const none = await clinic.post('/v1/observations', { items: [heartRate(80)] }, { key: 'k' })
    expect([none.status, none.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
  })

  it('refuses a token without the scope of the route', async () => {
    const token = await issuer.token({ scope: 'openid latido/symptoms.write' })
    expect(await observe(token, 'k', heartRate(80))).toMatchObject({ status: 403, body: { error: { code: 'SCOPE_MISSING' } } })
  })

  it('lets a person\'s token write for that person alone', async () => {
    const token = await issuer.token({ sub: 'MRN-1' })
    const send = (id: string, authority?: string): ReturnType<Clinic['post']> => clinic.post('/v1/observations', { patient: { id, authority }, items: [heartRate(80)] }, { token, key: `${id}${authority ?? ''}` })
    expect(await send('MRN-22')).toMatchObject({ status: 403, body: { error: { code: 'PATIENT_FORBIDDEN' } } })
    expect((await send('MRN-1', 'ELSEWHERE')).status).toBe(403)
    expect((await send('MRN-1')).status).toBe(200)
    expect(await clinic.values()).toEqual([80])
  })

  it('lets a clinic\'s client write for the patient whom it names, within its authority', async () => {
    const oauth = { ...options['oauth'] as object, clinics: { 'night-clinic': '' } }
    await restart({ oauth })
    const token = await issuer.token({ sub: 'night-clinic', client_id: 'night-clinic' })
    expect((await clinic.post('/v1/observations', { items: [heartRate(80)] }, { token, key: 'a' })).body.error?.code).toBe('REQUEST_INVALID')
    expect((await clinic.post('/v1/observations', { patient: { id: 'MRN-7', authority: 'X' }, items: [heartRate(80)] }, { token, key: 'b' })).status).toBe(403)
    expect((await clinic.post('/v1/observations', { patient: { id: 'MRN-7' }, items: [heartRate(80)] }, { token, key: 'c' })).status).toBe(200)
  })

  it('knows device tokens by their hash, until they expire or are taken out of the file', async () => {
    const [phone, cuff, old] = [deviceToken('phone', { patient: { id: 'MRN-1' } }), deviceToken('cuff', { patient: { id: 'MRN-2' }, scopes: ['latido/symptoms.write'] }), deviceToken('old', { patient: { id: 'MRN-3' }, expires: '2031-05-06T09:59:59Z' })]
    writeFileSync(tokensFile(), JSON.stringify({ tokens: [phone.row, cuff.row, old.row] }))
    await restart({ tokensFile: tokensFile() })
    const statuses = async (): Promise<readonly number[]> => await Promise.all([phone, cuff, old, { token: 'ldt_unknownunknownunknownunknownunknown' }].map(async ({ token }, i) => (await observe(token, `k${i}`, heartRate(80))).status))
    expect(await statuses()).toEqual([200, 403, 401, 401])
    writeFileSync(tokensFile(), JSON.stringify({ tokens: [{ ...phone.row, revoked: true }] }))
    clock.advance(5_000)
    expect(await statuses()).toEqual([401, 401, 401, 401])
    writeFileSync(tokensFile(), 'not json')
    clock.advance(5_000)
    expect(clinic.connector.health()).toMatchObject({ state: 'failed', why: expect.stringContaining('tokens file') })
    writeFileSync(tokensFile(), JSON.stringify({ tokens: [phone.row] }))
    clock.advance(5_000)
    expect(await statuses()).toEqual([200, 401, 401, 401])
    expect(clinic.connector.health().state).toBe('up')
    await restart({ tokensFile: tokensFile() })
  })
})

describe('a key', () => {
  it('has one answer: what is sent again is answered as the first time, and is in the log once', async () => {
    const token = await issuer.token()
    const first = await observe(token, 'k', heartRate(80), { ...heartRate(81, 1), value: 'x' })
    const again = await observe(await issuer.token(), 'k', heartRate(80), { ...heartRate(81, 1), value: 'x' })
    expect([again.status, again.body, again.headers.get('idempotency-replayed')]).toEqual([207, first.body, 'true'])
    expect([await clinic.values(), (await clinic.deadLetters()).length]).toEqual([[80], 1])
  })

  it('is the same for a body whose fields stand in another order, and another for another person', async () => {
    await clinic.post('/v1/observations', '{"items":[{"concept":"heartRate","value":80,"unit":"/min","takenAt":"2031-05-06T09:00:00Z"}]}', { token: await issuer.token(), key: 'k' })
    const again = await clinic.post('/v1/observations', '{ "items": [{"value":80.0,"takenAt":"2031-05-06T09:00:00Z","unit":"/min","concept":"heartRate"}] }', { token: await issuer.token(), key: 'k' })
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true'])
    expect((await observe(await issuer.token({ sub: 'MRN-22' }), 'k', heartRate(90))).status).toBe(200)
    expect((await clinic.values()).toSorted()).toEqual([80, 90])
  })

  it('is refused with another body, also after a restart, for 72 hours', async () => {
    const token = await issuer.token({ exp: NOW_MS / 1_000 + 100 * 3_600 })
    await observe(token, 'k', heartRate(80))
    expect(await observe(token, 'k', heartRate(81))).toMatchObject({ status: 409, body: { error: { code: 'IDEMPOTENCY_KEY_REUSED' } } })
    await restart()
    clock.advance(72 * HOUR_MS)
    expect((await observe(token, 'k', heartRate(81))).status).toBe(409)
    expect((await observe(token, 'k', heartRate(80))).headers.get('idempotency-replayed')).toBe('true')
    clock.advance(1)
    expect((await observe(token, 'k', heartRate(81))).status).toBe(200)
    expect(await clinic.values()).toEqual([80, 81])
  })

  it('is carried out once, however many come with it at the same moment', async () => {
    const token = await issuer.token()
    const answers = await Promise.all([80, 80, 80, 99].map(value => observe(token, 'k', heartRate(value))))
    const bodies = new Set(answers.filter(a => a.status === 200).map(a => JSON.stringify(a.body)))
    expect(bodies.size).toBe(1)
    expect(answers.map(a => a.status).toSorted()).toEqual((await clinic.values())[0] === 80 ? [200, 200, 200, 409] : [200, 409, 409, 409])
    expect((await clinic.values()).length).toBe(1)
  })

  it('is needed', async () => {
    for (const key of [undefined, '', 'a b', 'ä', 'x'.repeat(129)]) {
      const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': Buffer.from(key).toString('latin1') }
      expect((await clinic.post('/v1/observations', { items: [heartRate(80)] }, { token: await issuer.token(), headers })).body.error?.code).toBe('IDEMPOTENCY_KEY_MISSING')
    }
  })
})

describe('when the log is away', () => {
  it('answers 503 and when to come again, binds the key to its body, and takes the request when the log is back, once', async () => {
    let down = true
    const failing = (log: Log): Log => new Proxy(log, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property, target)
        if (property !== 'producer') return typeof value === 'function' ? value.bind(target) as unknown : value
        return () => { const inner = target.producer(); return { ...inner, append: (...args: Parameters<typeof inner.append>) => down ? Promise.reject(new LatidoError('LOG_WRITE_FAILED', 'disk full', 'make room')) : inner.append(...args) } }
      },
    })
    await restart(options, { log: failing })
    const token = await issuer.token()
    const away = await observe(token, 'k', heartRate(80))
    expect([away.status, away.body.error?.code, away.headers.get('retry-after')]).toEqual([503, 'LOG_AWAY', '10'])
    expect(clinic.connector.health()).toMatchObject({ state: 'waiting', why: 'the log does not take messages' })
    expect((await observe(token, 'k', heartRate(81))).status).toBe(409)
    down = false
    const back = await observe(token, 'k', heartRate(80))
    expect([back.status, back.headers.get('idempotency-replayed')]).toEqual([200, null])
    expect(clinic.connector.health().state).toBe('up')
    expect(await clinic.values()).toEqual([80])
    expect(clinic.said).toEqual(['phones: waiting (the log does not take messages)', 'phones: up'])
  })
})

describe('limits', () => {
  it('gives each credential its rate, by the injected clock', async () => {
    await restart({ ...options, rate: { requestsPerMinute: 6, burst: 2 } })
    const [anna, ben] = [await issuer.token({ sub: 'MRN-1' }), await issuer.token({ sub: 'MRN-22' })]
    const send = async (token: string): Promise<number> => (await observe(token, `k${Math.floor(clock.now())}`, heartRate(80))).status
    expect([await send(anna), await send(anna), await send(anna), await send(ben)]).toEqual([200, 200, 429, 200])
    const refused = await observe(anna, 'more', heartRate(80))
    expect([refused.body.error?.code, refused.headers.get('retry-after')]).toEqual(['RATE_LIMITED', '10'])
    clock.advance(9_999)
    expect(await send(anna)).toBe(429)
    clock.advance(1)
    expect([await send(anna), await send(anna)]).toEqual([200, 429])
  })

  it.each([
    ['nothing', '', 400], ['no JSON', '{"items":', 400], ['bytes that are no UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400], ['a list', '[]', 400], ['no items', '{"items":[]}', 400],
    ['something else beside the items', '{"items":[{}],"to":"x"}', 400], ['too many items', JSON.stringify({ items: Array.from({ length: 501 }, () => 0) }), 400],
    ['a hundred thousand brackets', `{"items":[${'['.repeat(100_000)}${']'.repeat(100_000)}]}`, 400], ['more than 256 KB', JSON.stringify({ items: ['x'.repeat(262_144)] }), 413],
    ['items that are nothing', '{"items":[null,1,"x",[],{"__proto__":{"concept":"heartRate"}}]}', 422],
  ])('refuses %s', async (_, body, status) => {
    expect((await clinic.post('/v1/observations', body, { token: await issuer.token(), key: 'k' })).status).toBe(status)
    expect(await clinic.events()).toEqual([])
  })

  it('takes JSON alone, at three routes', async () => {
    const token = await issuer.token()
    expect((await clinic.post('/v1/observations', 'x=1', { token, key: 'k', headers: { 'content-type': 'application/x-www-form-urlencoded' } })).status).toBe(415)
    expect((await clinic.post('/v1/observations', 'x', { token, key: 'k', headers: { 'content-encoding': 'gzip' } })).body.error?.code).toBe('BODY_NOT_JSON')
    expect((await clinic.post('/v1/nothing', {}, { token, key: 'k' })).body.error?.code).toBe('NOT_FOUND')
    const options = await fetch(`${clinic.connector.endpoint}/v1/observations`, { method: 'OPTIONS', headers: { origin: 'https://page.test', 'access-control-request-method': 'POST' } })
    expect([options.status, options.headers.get('access-control-allow-origin')]).toEqual([404, null])
  })
})

describe('where it listens', () => {
  const opening = async (more: Readonly<Record<string, unknown>>): Promise<unknown> => {
    const other = tempDir()
    try { const opened = await Clinic.open(other.path, clock, more); await opened.close(); return 'opened' } catch (e) { return (e as LatidoError).code } finally { other.remove() }
  }

  it('never listens beyond this machine without credentials, nor in the clear', async () => {
    expect(await opening({ host: '0.0.0.0', tls: { certFile: 'c', keyFile: 'k' } })).toBe('UNSAFE_EXPOSURE')
    expect(await opening({ ...options, host: '0.0.0.0' })).toBe('UNSAFE_EXPOSURE')
    expect(await opening({})).toBe('CONFIG_INVALID')
    expect(await opening({ oauth: { ...options['oauth'] as object, jwks: { url: 'http://login.hospital.test/jwks' } } })).toBe('CONFIG_INVALID')
    expect(await opening({ ...options, port: Number(new URL(clinic.connector.endpoint).port) })).toBe('PORT_IN_USE')
    expect(await opening({ tokensFile: join(directory.path, 'none.json') })).toBe('FILE_UNREADABLE')
  })
})

it('describes itself', async () => {
  const description = await (await fetch(`${clinic.connector.endpoint}/openapi.json`)).json() as { openapi: string, paths: Record<string, { post: { responses: Record<string, unknown> } }> }
  expect(description.openapi).toBe('3.1.0')
  expect(Object.keys(description.paths)).toEqual(['/v1/observations', '/v1/symptoms', '/v1/questionnaires'])
  expect(Object.keys(description.paths['/v1/observations']!.post.responses)).toEqual(['200', '207', '400', '401', '403', '404', '409', '413', '415', '422', '429', '500', '503'])
})
