import { expect, it } from 'vitest'
import { Refresher } from '../../../../../../streams/log/kafka/direct/cluster/refresher.ts'
import { ManualClock } from '../../../../../../streams/time/index.ts'

const NONE: ReadonlyMap<string, number> = new Map()
const settle = (): Promise<void> => new Promise(resolve => { setImmediate(resolve) })

interface Question { readonly topics: readonly string[], readonly answer: () => void, readonly fail: (e: Error) => void }
function recorded (): { readonly clock: ManualClock, readonly refresher: Refresher, readonly asked: Question[] } {
  const clock = new ManualClock(1_000)
  const asked: Question[] = []
  const refresher = new Refresher(clock, 100, topics => new Promise((resolve, reject) => { asked.push({ topics, answer: () => { resolve(NONE) }, fail: reject }) }))
  return { clock, refresher, asked }
}

it('asks once, however many ask for the same', async () => {
  const { refresher, asked } = recorded()
  const all = Promise.all([refresher.refresh(['a', 'b']), refresher.refresh(['a']), refresher.refresh(['b'])])
  await settle()
  expect(asked.map(q => q.topics)).toEqual([['a', 'b']])
  const joins = refresher.refresh(['b'])
  asked[0]!.answer()
  await all
  await joins
  expect(asked).toHaveLength(1)
})

it('gathers what comes meanwhile into one next question', async () => {
  const { clock, refresher, asked } = recorded()
  const first = refresher.refresh(['a'])
  await settle()
  const rest = Promise.all([refresher.refresh(['b']), refresher.refresh(['c', 'a'])])
  asked[0]!.answer()
  await first
  await settle()
  expect(asked).toHaveLength(1) // `a` was asked for just now
  clock.advance(100)
  await settle()
  expect(asked.map(q => q.topics)).toEqual([['a'], ['b', 'c', 'a']])
  asked[1]!.answer()
  await rest
})

it('asks for the same topic at most once each backoff, and for another at once', async () => {
  const { clock, refresher, asked } = recorded()
  const ask = async (topic: string): Promise<void> => { void refresher.refresh([topic]); await settle(); asked.at(-1)?.answer(); await settle() }
  await ask('a')
  await ask('b')
  expect(asked.map(q => q.topics)).toEqual([['a'], ['b']])
  const again = refresher.refresh(['a'])
  clock.advance(99)
  await settle()
  expect(asked).toHaveLength(2)
  clock.advance(1)
  await settle()
  asked[2]!.answer()
  await again
})

it('tells a failure to those who asked, and asks again for the next', async () => {
  const { refresher, asked } = recorded()
  const failing = refresher.refresh(['a'])
  await settle()
  const next = refresher.refresh(['b'])
  asked[0]!.fail(new Error('lost'))
  await expect(failing).rejects.toThrow('lost')
  await settle()
  asked[1]!.answer()
  await expect(next).resolves.toBe(NONE)
})
