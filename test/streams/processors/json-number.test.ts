import fc from 'fast-check'
import { expect, it } from 'vitest'
import { NUMBER_BYTES_MAX, writeNumber } from '../../../streams/processors/json-number.ts'

const buffer = Buffer.alloc(64)
const written = (value: number): string => buffer.toString('latin1', 8, writeNumber(buffer, 8, value))
const check = (numbers: fc.Arbitrary<number>, runs: number): void => {
  fc.assert(fc.property(numbers, value => {
    const text = written(value)
    expect(text.length).toBeLessThanOrEqual(NUMBER_BYTES_MAX)
    expect(Number(JSON.parse(text))).toBe(value === 0 ? 0 : value)
  }), { numRuns: runs })
}

it('writes any finite double so that reading it gives the same', () => { check(fc.double({ noNaN: true, noDefaultInfinity: true }), 20_000) })
it('so too in the range of vital signs', () => { check(fc.double({ min: -1_000, max: 1_000, noNaN: true }), 50_000) })
it('so too just around powers of two, where doubles become sparser', () => {
  check(fc.tuple(fc.integer({ min: -10, max: 40 }), fc.integer({ min: -3, max: 3 })).map(([power, ulps]) => 2 ** power * (1 + ulps * 2 ** -52)), 5_000)
})
it('writes short decimals and integers as people do', () => {
  expect([0, -0, 7, -12, 82.5, 36.6, 1e15, 2 ** 53 - 1, 0.25, 1e21].map(written)).toEqual(['0', '0', '7', '-12', '82.5', '36.6', '1000000000000000', '9007199254740991', '0.25', '1e+21'])
})
it('writes null for what JSON cannot say', () => { expect([NaN, Infinity, -Infinity].map(written)).toEqual(['null', 'null', 'null']) })
