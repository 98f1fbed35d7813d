import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isMissing, numberOf, timeOf } from '../../../connectors/files/fields.ts'
import { RowScanner } from '../../../connectors/files/row-scanner.ts'

function read<T> (text: string, how: (row: RowScanner, field: number) => T): T {
  const answers: T[] = []
  const scanner = new RowScanner('|', { row: row => { answers.push(how(row as RowScanner, 1)) }, broken: () => {} })
  scanner.push(Buffer.from(`x|${text}\n`))
  return answers[0] as T
}

const number = (text: string): number => read(text, numberOf)
const time = (text: string): number => read(text, timeOf)

describe('numbers', () => {
  test('are what Number makes of the same digits, to the last bit', () => {
    const digits = (max: number): fc.Arbitrary<string> => fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: max }).map(d => d.join(''))
    fc.assert(fc.property(fc.constantFrom('', '-'), digits(12), fc.option(digits(9)), (sign, whole, decimals) => {
      const text = sign + whole + (decimals === null ? '' : `.${decimals}`)
      expect(number(text)).toBe(Number(text))
    }))
  })

  test('may have an exponent, a plus sign, blanks around', () => {
    expect([number('1e3'), number('+4'), number(' 7.5 '), number('.5'), number('5.')]).toEqual([1000, 4, 7.5, 0.5, 5])
  })

  test('are not words, hexadecimal, infinity or nothing', () => {
    for (const text of ['', '-', '.', 'abc', '0x10', 'Infinity', '1,5', '12:30', '--1', '33%']) expect(number(text), text).toBeNaN()
  })

  test('are missing where the field is empty, NA or NaN', () => {
    expect(['', 'NA', 'NaN', '0', 'N', 'NAP', 'None'].map(text => read(text, isMissing))).toEqual([true, true, true, false, false, false, false])
  })
})

describe('times', () => {
  test('are read as UTC', () => {
    expect(time('2171-10-30 18:21:05')).toBe(Date.UTC(2171, 9, 30, 18, 21, 5))
    expect(time('2171-10-30')).toBe(Date.UTC(2171, 9, 30))
  })

  test('that cannot be are no times', () => {
    for (const text of ['', 'NA', '2171-02-30 00:00:00', '2171-13-01 00:00:00', '2171-00-10 00:00:00', '2171-10-30 24:00:00', '2171-10-30 10:60:00', '30/10/2171']) expect(time(text), text).toBeNaN()
  })
})
