import { expect, it } from 'vitest'
import { ManualClock } from '../../../streams/time/index.ts'
import { openWorkerPool, WORKER_POOL_DEFAULTS, type FromWorker, type WorkerPoolOptions, type WorkerThread } from '../../../streams/workers/index.ts'

const MODULE = new URL('./echo-member.ts', import.meta.url)
const settle = async (): Promise<void> => { for (let i = 0; i < 10; i++) await Promise.resolve() }

class FakeThread implements WorkerThread {
  load = 0
  stopped = false
  terminated = false
  deaf = false
  #message: (m: FromWorker) => void = () => {}
  #exit: () => void = () => {}
  readonly onMessage = (listener: (m: FromWorker) => void): void => { this.#message = listener }
  readonly onExit = (listener: () => void): void => { this.#exit = listener }
  stop (): void { this.stopped = true; if (!this.deaf) this.#exit() }
  terminate (): Promise<void> { this.terminated = true; this.#exit(); return Promise.resolve() }
  utilisation (): number { return this.load }
  say (message: FromWorker): void { this.#message(message) }
  die (reason: string): void { this.say({ kind: 'failed', reason }); this.#exit() }
}

function fakePool (options: Partial<WorkerPoolOptions>): { readonly clock: ManualClock, readonly threads: FakeThread[], readonly said: string[], readonly pool: ReturnType<typeof openWorkerPool> } {
  const clock = new ManualClock(1)
  const threads: FakeThread[] = []
  const said: string[] = []
  const pool = openWorkerPool(MODULE, {}, { clock, onChange: what => { said.push(what) }, spawn: () => { const t = new FakeThread(); threads.push(t); return t } }, { threadsMin: 1, threadsMax: 3, ...options })
  return { clock, threads, said, pool }
}

it('adds a thread only when all have been full for long enough, up to the limit', () => {
  const { clock, threads, pool } = fakePool({})
  threads[0]!.load = 0.9
  for (let s = 0; s < 4; s++) clock.advance(1_000)
  expect(pool.threads).toBe(1)
  threads[0]!.load = 0.5 // a pause starts the count anew
  clock.advance(1_000)
  threads[0]!.load = 0.95
  for (let s = 0; s < 6; s++) clock.advance(1_000)
  expect(pool.threads).toBe(2)
  for (let s = 0; s < 30; s++) clock.advance(1_000) // the second is idle
  expect(pool.threads).toBe(2)
  for (const t of threads) t.load = 1
  for (let s = 0; s < 60; s++) { for (const t of threads) t.load = 1; clock.advance(1_000) }
  expect(pool.threads).toBe(3)
})

it('replaces a thread that fails, counts what it had done, and gives up when they fail too often', async () => {
  const { clock, threads, said, pool } = fakePool({ restartsMax: 2 })
  threads[0]!.say({ kind: 'statistics', statistics: { records: 5, outputs: 4, refused: 1, keys: 3, commits: 2 } })
  threads[0]!.die('the broker is away')
  expect(said).toContain('worker-1 failed: the broker is away')
  expect(pool.statistics).toEqual({ records: 5, outputs: 4, refused: 1, keys: 0, commits: 2 })
  for (let i = 1; i <= 2; i++) {
    clock.advance(WORKER_POOL_DEFAULTS.restartAfterMs)
    await settle()
    threads[i]!.die('again')
  }
  await expect(pool.failed).rejects.toMatchObject({ code: 'WORKER_FAILED' })
  clock.advance(60_000)
  await settle()
  expect(threads).toHaveLength(3)
})

it('stops in good order, and ends a thread that does not hear', async () => {
  const { clock, threads, pool } = fakePool({ threadsMin: 2 })
  threads[1]!.deaf = true
  const stopping = pool[Symbol.asyncDispose]()
  await settle()
  clock.advance(WORKER_POOL_DEFAULTS.stopTimeoutMs)
  await stopping
  expect(threads.map(t => [t.stopped, t.terminated])).toEqual([[true, false], [true, true]])
})

it('runs a member in a real thread, hears its statistics, and stops it', async () => {
  const said: string[] = []
  const { systemClock } = await import('../../../streams/time/index.ts')
  const pool = openWorkerPool(MODULE, { records: 7 }, { clock: systemClock, onChange: what => { said.push(what) } }, { threadsMin: 2, threadsMax: 2 })
  await expect.poll(() => said.filter(s => s.includes('runs')).length).toBe(2)
  await pool[Symbol.asyncDispose]()
  expect(pool.statistics.records).toBe(14)
  expect(pool.threads).toBe(0)
})

it('says why a module could not be opened', async () => {
  const said: string[] = []
  const { systemClock } = await import('../../../streams/time/index.ts')
  const pool = openWorkerPool(MODULE, { refuse: 'no such topic' }, { clock: systemClock, onChange: what => { said.push(what) } }, { restartsMax: 0 })
  await expect(pool.failed).rejects.toMatchObject({ code: 'WORKER_FAILED', message: expect.stringContaining('no such topic') as unknown })
  await pool[Symbol.asyncDispose]()
})
