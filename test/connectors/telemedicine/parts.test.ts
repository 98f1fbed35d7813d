import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { KeptTable } from '../../../connectors/kit/index.ts'
import { AccessTokens } from '../../../connectors/telemedicine/access-tokens.ts'
import type { Answer } from '../../../connectors/telemedicine/answer.ts'
import { IdempotencyKeys, type KeptKey } from '../../../connectors/telemedicine/idempotency.ts'
import { KeySet } from '../../../connectors/telemedicine/key-set.ts'
import { RateLimit } from '../../../connectors/telemedicine/rate-limit.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { AUDIENCE, ISSUER, Issuer, NOW_MS } from './support.ts'

describe('an issuer\'s keys from its address', () => {
  const clock = new ManualClock(NOW_MS)
  let server: Server | undefined
  afterEach(() => { server?.closeAllConnections(); server?.close() })

  async function serve (answer: () => { readonly status: number, readonly body: string }): Promise<{ readonly tokens: AccessTokens, asked: number, readonly counts: string[] }> {
    const state = { asked: 0, counts: [] as string[] }
    server = createServer((_request, response) => { state.asked++; const { status, body } = answer(); response.writeHead(status).end(body) })
    await new Promise<void>(resolve => server?.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
    const tokens = new AccessTokens({ issuer: ISSUER, audience: AUDIENCE, jwks: { url }, algorithms: ['ES256'], patientClaim: 'sub', authority: '', clinicClaim: 'client_id', clinics: {}, clockToleranceMs: 30_000 }, new KeySet({ url }, clock, what => state.counts.push(what)), clock)
    return Object.assign(state, { tokens })
  }

  it('are kept, read again at an unknown key but seldom, and serve on while the issuer is away', async () => {
    const directory = tempDir()
    const first = await Issuer.open(directory.path, 'first')
    let keys = { status: 200, body: readFileSync(first.jwksFile, 'utf8') }
    const serving = await serve(() => keys)
    const kind = async (issuer: Issuer): Promise<string> => (await serving.tokens.authenticate(await issuer.token({}, clock.now()))).kind
    expect([await kind(first), await kind(first), serving.asked]).toEqual(['known', 'known', 1])
    const second = await Issuer.open(directory.path, 'second')
    expect([await kind(second), await kind(second), serving.asked]).toEqual(['refused', 'refused', 1]) // read a moment ago
    keys = { status: 200, body: readFileSync(second.jwksFile, 'utf8') }
    clock.advance(30_000)
    expect([await kind(second), await kind(first), serving.asked]).toEqual(['known', 'refused', 2])
    keys = { status: 500, body: '' }
    clock.advance(600_001)
    expect([await kind(second), serving.asked, serving.counts]).toEqual(['known', 3, ['key-set-unreadable']])
    clock.advance(86_400_000)
    expect(await kind(second)).toBe('unavailable')
    directory.remove()
  })

  it.each([['something else', '<html>'], ['no list', '{"keys":1}'], ['more than anybody has', `{"keys":[],"x":"${'x'.repeat(300_000)}"}`]])('are not taken from %s', async (_, body) => {
    const directory = tempDir()
    const issuer = await Issuer.open(directory.path)
    const serving = await serve(() => ({ status: 200, body }))
    expect((await serving.tokens.authenticate(await issuer.token({}, clock.now()))).kind).toBe('unavailable')
    directory.remove()
  })
})

describe('idempotency keys', () => {
  const limits = { keptMs: 1_000, keysMax: 3 }
  const items: Answer = { kind: 'items', count: 1, refused: [] }

  class Table implements KeptTable<KeptKey> {
    readonly rows = new Map<string, KeptKey>()
    failing = false
    load (): Iterable<readonly [string, KeptKey]> { return this.rows }
    save (key: string, value: KeptKey | undefined): Promise<void> {
      if (this.failing) return Promise.reject(new Error('disk full'))
      if (value === undefined) this.rows.delete(key)
      else this.rows.set(key, value)
      return Promise.resolve()
    }
  }

  it('are bound to their body before anything is published: after a crash before the answer the same request is carried out again, another is not', async () => {
    const table = new Table()
    const crashed = new IdempotencyKeys(table, new ManualClock(), limits)
    await expect(crashed.once('k', 'body', () => { table.failing = true; return Promise.resolve(items) })).rejects.toThrow('disk full')
    table.failing = false
    const next = new IdempotencyKeys(table, new ManualClock(), limits)
    expect(await next.once('k', 'other', () => Promise.reject(new Error('never')))).toEqual({ kind: 'reused' })
    expect(await next.once('k', 'body', () => Promise.resolve(items))).toEqual({ kind: 'answered', answer: items, replayed: false })
    expect(await next.once('k', 'body', () => Promise.reject(new Error('never')))).toEqual({ kind: 'answered', answer: items, replayed: true })
  })

  it('publish nothing where the binding cannot be kept', async () => {
    const table = new Table()
    table.failing = true
    let ran = 0
    await expect(new IdempotencyKeys(table, new ManualClock(), limits).once('k', 'body', () => { ran++; return Promise.resolve(items) })).rejects.toThrow('disk full')
    expect(ran).toBe(0)
  })

  it('are forgotten when they are old, and the oldest where there are too many', async () => {
    const [table, clock] = [new Table(), new ManualClock()]
    const keys = new IdempotencyKeys(table, clock, limits)
    for (const key of ['a', 'b', 'c', 'd']) { await keys.once(key, 'body', () => Promise.resolve(items)); clock.advance(100) }
    expect([...table.rows.keys()]).toEqual(['b', 'c', 'd'])
    clock.advance(701) // b is 1,001 ms old
    await keys.purge(10)
    expect([...table.rows.keys()]).toEqual(['c', 'd'])
  })

  it('do not keep a fault of ours as the answer', async () => {
    const keys = new IdempotencyKeys(new Table(), new ManualClock(), limits)
    expect(await keys.once('k', 'body', () => Promise.resolve({ kind: 'failed' }))).toMatchObject({ answer: { kind: 'failed' } })
    expect(await keys.once('k', 'body', () => Promise.resolve(items))).toEqual({ kind: 'answered', answer: items, replayed: false })
  })
})

it('a credential never gets more than its burst and its rate, and waits no longer than it is told', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.constantFrom(0, 100, 1_000, 2_500, 10_000), { maxLength: 60 }), (burst, pauses) => {
    const clock = new ManualClock()
    const limit = new RateLimit(clock, { requestsPerMinute: 60, burst }, 10)
    let taken = 0
    for (const pause of pauses) {
      clock.advance(pause)
      const waitMs = limit.take('a')
      if (waitMs === 0) taken++
      else { clock.advance(waitMs); expect(limit.take('a')).toBe(0); taken++ }
      expect(taken).toBeLessThanOrEqual(burst + clock.now() / 1_000 + 1e-6)
    }
  }))
})
