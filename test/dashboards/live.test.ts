import { afterEach, expect, it } from 'vitest'
import { get, type IncomingMessage } from 'node:http'
import { startDashboards, type Dashboards, type DashboardOptions } from '../../dashboards/server/index.ts'
import type { WireBoard } from '../../dashboards/server/wire.ts'
import { ManualClock } from '../../streams/time/index.ts'
import { FakeSources } from './fake-sources.ts'

/** Reads server-sent events one by one; `next` waits for the next that fits. */
class EventReader {
  readonly response: IncomingMessage
  readonly ended: Promise<void>
  #buffer = ''
  #blocks: string[] = []
  #wake = (): void => {}
  constructor (response: IncomingMessage) {
    this.response = response
    response.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = (this.#buffer + chunk).split('\n\n')
      this.#buffer = parts.pop() ?? ''
      this.#blocks.push(...parts)
      this.#wake()
    })
    response.on('error', () => {})
    this.ended = new Promise(resolve => { response.on('close', resolve) })
  }

  async next (prefix: string): Promise<string> {
    for (;;) {
      while (this.#blocks.length > 0) {
        const block = this.#blocks.shift()!
        if (block.startsWith(prefix)) return block.slice(prefix.length)
      }
      await new Promise<void>(resolve => { this.#wake = resolve })
    }
  }

  async ward (): Promise<WireBoard> { return JSON.parse(await this.next('event: ward\ndata: ')) as WireBoard }
}

const clock = new ManualClock(Date.UTC(2026, 0, 31, 12))
let server: Dashboards | undefined
afterEach(async () => { await server?.close(); server = undefined })

async function serve (live: NonNullable<DashboardOptions['live']> = {}): Promise<FakeSources> {
  const sources = new FakeSources({ clock })
  server = await startDashboards({ host: '127.0.0.1', port: 0, sources, live })
  return sources
}

function watch (path = '/api/live'): Promise<EventReader> {
  return new Promise((resolve, reject) => { get(server!.url + path, response => { resolve(new EventReader(response)) }).on('error', reject) })
}

it('sends the board on connecting, with those of most concern first', async () => {
  await serve()
  const board = await (await watch()).ward()
  expect(board.patients.map(p => p.id).slice(0, 3)).toEqual(['TEST-1001', 'TEST-1003', 'TEST-1005'])
  expect(board).toMatchObject({ total: 8, wards: [{ ward: 'ICU', patients: 5 }, { ward: 'MED', patients: 3 }] })
})

it('sends a change without being asked', async () => {
  const sources = await serve()
  const page = await watch()
  await page.ward()
  sources.change('alert-1', 'acknowledged', 'nurse')
  sources.announce()
  clock.advance(500)
  let board = await page.ward()
  while (board.patients.find(p => p.id === 'TEST-1001')?.alerts[0]?.state !== 'acknowledged') board = await page.ward()
  expect(board.patients[0]?.id).toBe('TEST-1003')
})

it('sends many changes in a row as one, at the end of the interval', async () => {
  const sources = await serve({ wardIntervalMs: 500, wardRefreshMs: 1e9 })
  const page = await watch()
  await page.ward()
  clock.advance(500)
  sources.announce()
  await page.ward()
  const reads = sources.reads
  for (let i = 0; i < 50; i++) sources.announce()
  expect(sources.reads).toBe(reads)
  clock.advance(500)
  await page.ward()
  expect(sources.reads).toBe(reads + 1)
})

it('sends one ward alone when asked to', async () => {
  await serve()
  const board = await (await watch('/api/live?ward=MED')).ward()
  expect(board.patients.map(p => p.ward)).toEqual(['MED', 'MED', 'MED'])
  expect(board.wards).toHaveLength(2)
})

it('sends the pipeline on connecting and each two seconds, a heartbeat each fifteen, and no NaN', async () => {
  await serve()
  const page = await watch()
  expect(await page.next('event: pipeline\ndata: ')).not.toContain('NaN')
  clock.advance(2_000)
  expect(JSON.parse(await page.next('event: pipeline\ndata: '))).toMatchObject({ late: 231 })
  clock.advance(15_000)
  await page.next(': heartbeat')
})

it('sends the board every five seconds even when nothing has changed, since ageing is a change', async () => {
  await serve()
  const page = await watch()
  const first = await page.ward()
  clock.advance(5_000)
  let again = await page.ward()
  while (again.now === first.now) again = await page.ward()
  expect(again.now - first.now).toBeGreaterThanOrEqual(5_000)
})

it('refuses one page more than the limit', async () => {
  await serve({ clientsMax: 1 })
  await (await watch()).ward()
  const second = await fetch(`${server!.url}/api/live`)
  expect(second.status).toBe(503)
  expect(await second.json()).toMatchObject({ error: { code: 'TOO_MANY_CLIENTS' } })
})

it('reads nothing while nobody watches, and lets go of its listener when the last page closes', async () => {
  const sources = await serve()
  expect(sources.listeners).toBe(0)
  const page = await watch()
  await page.ward()
  expect(sources.listeners).toBe(1)
  page.response.destroy()
  while (sources.listeners > 0) await new Promise(resolve => { setImmediate(resolve) })
  const reads = sources.reads
  clock.advance(60_000)
  expect(sources.reads).toBe(reads)
})

it('stays up when its sources cannot be read, and sends again when they can', async () => {
  const sources = await serve()
  const page = await watch()
  await page.ward()
  sources.failing = true
  clock.advance(10_000)
  await new Promise(resolve => { setImmediate(resolve) })
  sources.failing = false
  clock.advance(10_000)
  await page.ward()
})

it('closes every stream when the server closes', async () => {
  await serve()
  const page = await watch()
  await page.ward()
  await server!.close()
  await page.ended
})
