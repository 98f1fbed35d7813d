import { expect, it } from 'vitest'
import { runSource, type Source } from '../../../connectors/kit/index.ts'
import { ManualClock, type Clock } from '../../../streams/time/index.ts'

/** Waiting takes no time; it still lets others in. */
const clock: Clock = Object.assign(new ManualClock(1_000), { sleep: () => new Promise<void>(resolve => { setImmediate(resolve) }) })

it('gives a message up that fails in us, also where its first dead letter finds the log away, and goes on behind it', async () => {
  const saved: (string | undefined)[] = []
  const source: Source = {
    endpoint: 'test',
    async * read ({ position }) { if (position === undefined) { yield { raw: Buffer.from('bad'), position: '1' }; yield { raw: Buffer.from('good'), position: '2' } } },
  }
  const tries: string[] = []
  let refusals = 0
  const feed = {
    name: 'test', count: () => {},
    take: (raw: Buffer) => { tries.push(raw.toString()); return raw.toString() === 'bad' ? Promise.reject(new Error('a fault of ours')) : Promise.resolve({ kind: 'taken' as const, published: 1, duplicates: 0, refused: [] }) },
    fail: () => ++refusals === 1 ? Promise.reject(new Error('the log is away')) : Promise.resolve({ kind: 'failed' as const, fault: { cause: 'step-failed' as const, detail: '' } }),
  }
  await using connector = runSource(source, { feed, clock, positions: { load: () => [], save: (_, position) => { saved.push(position); return Promise.resolve() } } })
  await expect.poll(() => saved.at(-1)).toBe('2')
  expect(tries.filter(what => what === 'bad')).toHaveLength(4)
  expect(refusals).toBe(2)
  expect(connector.health().state).toBe('up')
})

it('says by the code of the system why nothing answers, never by a text', async () => {
  const source: Source = { endpoint: 'test', async * read () { await Promise.reject(new TypeError('fetch failed at http://patient-7', { cause: Object.assign(new Error('connect 10.0.0.7'), { code: 'ECONNREFUSED' }) })); yield * [] } }
  const feed = { name: 'test', count: () => {}, take: () => Promise.reject(new Error('nothing comes')), fail: () => Promise.reject(new Error('nothing comes')) }
  await using connector = runSource(source, { feed, clock, positions: { load: () => [], save: () => Promise.resolve() } })
  await expect.poll(() => connector.health()).toMatchObject({ state: 'waiting', why: 'the connection failed (ECONNREFUSED)' })
})
