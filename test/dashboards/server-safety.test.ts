import { afterEach, describe, expect, it } from 'vitest'
import { createServer } from 'node:net'
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { buildDashboards, startDashboards } from '../../dashboards/server/index.ts'
import { ManualClock } from '../../streams/time/index.ts'
import { FakeSources } from './fake-sources.ts'

const newSources = (): FakeSources => new FakeSources({ clock: new ManualClock(Date.UTC(2026, 0, 31, 12)) })
let open: FastifyInstance | undefined
afterEach(async () => { await open?.close(); open = undefined })

describe('who may ask', () => {
  it('refuses an acknowledgement that comes from a page of another site', async () => {
    const sources = newSources()
    open = await buildDashboards({ sources })
    const acknowledge = async (headers: Record<string, string>): Promise<number> => (await open!.inject({ method: 'POST', url: '/api/alerts/alert-1/acknowledge', headers: { host: '127.0.0.1:8080', ...headers } })).statusCode
    expect(await acknowledge({ origin: 'http://evil.example' })).toBe(403)
    expect(await acknowledge({ origin: 'null' })).toBe(403)
    expect(await acknowledge({ origin: 'http://127.0.0.1:9999' })).toBe(403)
    expect(await acknowledge({ 'sec-fetch-site': 'cross-site' })).toBe(403)
    expect(await acknowledge({ 'sec-fetch-site': 'same-site' })).toBe(403)
    expect(sources.acknowledged).toEqual([])
    expect(await acknowledge({ origin: 'http://127.0.0.1:8080', 'sec-fetch-site': 'same-origin' })).toBe(202)
  })

  it('refuses reads under a foreign host name, so that DNS rebinding shows nothing', async () => {
    open = await buildDashboards({ sources: newSources() })
    const read = async (host: string): Promise<number> => (await open!.inject({ url: '/api/patients', headers: { host } })).statusCode
    expect(await read('evil.example')).toBe(403)
    expect(await read('127.0.0.1.evil.example')).toBe(403)
    for (const host of ['localhost', 'localhost:8080', '127.0.0.1:8080', '[::1]:8080']) expect(await read(host)).toBe(200)
  })

  it('serves foreign host names once exposure is allowed, and still refuses cross-site writes', async () => {
    open = await buildDashboards({ sources: newSources(), allowExposed: true })
    expect((await open.inject({ url: '/api/patients', headers: { host: 'ward.hospital.example' } })).statusCode).toBe(200)
    expect((await open.inject({ method: 'POST', url: '/api/alerts/alert-1/acknowledge', headers: { host: 'ward.hospital.example', origin: 'http://evil.example' } })).statusCode).toBe(403)
  })

  it('sends the security headers with pages, answers and errors alike', async () => {
    open = await buildDashboards({ sources: newSources() })
    for (const url of ['/api/patients', '/api/nothing', '/api/patients/NOBODY']) {
      const { headers } = await open.inject({ url, headers: { host: 'localhost' } })
      expect(headers['content-security-policy']).toContain("default-src 'none'")
      expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'x-frame-options': 'DENY', 'cache-control': 'no-store' })
    }
  })
})

describe('starting', () => {
  it('refuses to listen beyond this machine unless that is allowed', async () => {
    await expect(startDashboards({ host: '0.0.0.0', port: 0, sources: newSources() })).rejects.toMatchObject({ code: 'UNSAFE_EXPOSURE' })
    await expect(startDashboards({ host: '192.168.1.10', port: 0, sources: newSources() })).rejects.toMatchObject({ code: 'UNSAFE_EXPOSURE' })
  })

  it('names LATIDO_HTTP_PORT when the port is in use', async () => {
    const other = createServer()
    const port = await new Promise<number>(resolve => { other.listen(0, '127.0.0.1', () => { resolve((other.address() as { port: number }).port) }) })
    await expect(startDashboards({ host: '127.0.0.1', port, sources: newSources() })).rejects.toMatchObject({ code: 'PORT_IN_USE', action: expect.stringContaining('LATIDO_HTTP_PORT') })
    other.close()
  })

  it('says that the pages are not built when they are not', async () => {
    await expect(startDashboards({ host: '127.0.0.1', port: 0, sources: newSources(), webRoot: join(tmpdir(), 'latido-no-such-folder') })).rejects.toMatchObject({ code: 'NOT_BUILT' })
  })
})

describe('pages', () => {
  it('serves hashed files for a year, the page itself afresh, and the page for every path of its own', async () => {
    const webRoot = await mkdtemp(join(tmpdir(), 'latido-web-'))
    await mkdir(join(webRoot, 'assets'))
    await writeFile(join(webRoot, 'index.html'), '<!doctype html><title>Latido</title>')
    await writeFile(join(webRoot, 'assets', 'page-abc123.js'), 'export {}')
    open = await buildDashboards({ sources: newSources(), webRoot })
    const get = (url: string): Promise<LightMyRequestResponse> => open!.inject({ url, headers: { host: 'localhost', accept: 'text/html,*/*' } })
    expect((await get('/')).headers['cache-control']).toBe('no-cache')
    expect((await get('/assets/page-abc123.js')).headers['cache-control']).toBe('public, max-age=31536000, immutable')
    for (const path of ['/', '/drift', '/patient/p01']) expect((await get(path)).body).toContain('<title>Latido</title>')
    expect((await get('/assets/gone.js')).statusCode).toBe(404)
    expect((await get('/api/nothing')).json()).toMatchObject({ error: { code: 'NOT_FOUND' } })
    expect((await get('/..%2f..%2fetc%2fpasswd')).body).not.toContain('root:')
    await rm(webRoot, { recursive: true })
  })
})

describe('the log', () => {
  it('holds the route and the class of a failure, and nothing of a patient', async () => {
    const lines: string[] = []
    const note = (fields: object, message: string): void => { lines.push(JSON.stringify({ ...fields, message })) }
    const sources = newSources()
    sources.failing = true
    sources.features = () => Promise.reject(new Error('Testova has no features'))
    open = await buildDashboards({ sources, logger: { info: note, warn: note } })
    const answer = await open.inject({ url: '/api/patients/TEST-1001/features', headers: { host: 'localhost' } })
    expect(answer.statusCode).toBe(500)
    expect(answer.json()).toMatchObject({ error: { code: 'INTERNAL' } })
    expect(lines.join()).toContain('/api/patients/:id/features')
    expect(lines.join() + answer.body).not.toMatch(/TEST-1001|Testova/)
  })
})
