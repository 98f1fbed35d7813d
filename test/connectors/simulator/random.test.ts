import { expect, it } from 'vitest'
import { seededRandom } from '../../../connectors/simulator/index.ts'

it('a seeded generator is uniform, normal where asked, and repeats from its seed', () => {
  const random = seededRandom(42)
  const uniform = Array.from({ length: 20_000 }, () => random.next())
  expect(uniform.every(x => x >= 0 && x < 1)).toBe(true)
  expect(uniform.reduce((a, b) => a + b, 0) / uniform.length).toBeCloseTo(0.5, 2)
  const normal = Array.from({ length: 20_000 }, () => random.normal())
  expect(normal.reduce((a, b) => a + b, 0) / normal.length).toBeCloseTo(0, 1)
  expect(Math.sqrt(normal.reduce((a, b) => a + b * b, 0) / normal.length)).toBeCloseTo(1, 1)
  const again = seededRandom(42)
  expect(uniform.slice(0, 100)).toEqual(Array.from({ length: 100 }, () => again.next()))
})

it('a fork does not repeat its parent', () => {
  const parent = seededRandom(1)
  const fork = parent.fork()
  expect(Array.from({ length: 10 }, () => fork.next())).not.toEqual(Array.from({ length: 10 }, () => parent.next()))
})
