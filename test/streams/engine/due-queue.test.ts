import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DueQueue } from '../../../streams/engine/due-queue.ts'

it('gives keys in order of time, and of name at the same time', () => {
  const queue = new DueQueue()
  for (const [key, at] of [['b', 5], ['a', 5], ['c', 1]] as const) queue.set(key, at)
  expect(queue.earliest()).toBe(1)
  expect([queue.take(5), queue.take(5), queue.take(5), queue.take(5)]).toEqual([{ key: 'c', at: 1 }, { key: 'a', at: 5 }, { key: 'b', at: 5 }, undefined])
})

it('keeps what is not yet due', () => {
  const queue = new DueQueue()
  queue.set('a', 10)
  expect(queue.take(9)).toBeUndefined()
  expect(queue.take(10)).toEqual({ key: 'a', at: 10 })
})

const step = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), at: fc.option(fc.nat(8), { nil: undefined }), take: fc.boolean() })

it('equals a plain map, whatever is set, moved and taken back', () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), steps => {
    const queue = new DueQueue()
    const plain = new Map<string, number>()
    const first = (): readonly { key: string, at: number }[] => [...plain].map(([key, at]) => ({ key, at })).sort((x, y) => x.at - y.at || (x.key < y.key ? -1 : 1)).slice(0, 1)
    for (const { key, at, take } of steps) {
      if (take) {
        const expected = first().filter(d => d.at <= (at ?? 4))[0]
        expect(queue.take(at ?? 4)).toEqual(expected)
        if (expected !== undefined) plain.delete(expected.key)
      } else {
        queue.set(key, at)
        if (at === undefined) plain.delete(key)
        else plain.set(key, at)
      }
      expect(queue.earliest()).toBe(first()[0]?.at)
    }
  }), { numRuns: 500 })
})
