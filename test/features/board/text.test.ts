import fc from 'fast-check'
import { expect, it } from 'vitest'
import { wordsOf } from '../../../features/board/index.ts'
import { asWord, ascii, beginningsOf, finds, fold, wordsAsked } from '../../../features/board/text.ts'

it('compares without case, diacritics and doubled spaces', () => {
  expect(['  ICÚ   2 ', 'Straße', 'ÅNGSTRÖM', 'İzmir', 'ＩＣＵ'].map(fold)).toEqual(['icu 2', 'strasse', 'angstrom', 'izmir', 'icu'])
})

it('splits at what is no letter and no digit, joins at an apostrophe, and counts 01 as 1', () => {
  expect(wordsOf('O\'Brien-2 *()|@{} O’Neil bed 010 病棟')).toEqual(['obrien', '2', 'oneil', 'bed', '10', '病棟'])
  expect(wordsAsked('a b c d e f g h i j a')).toHaveLength(8)
})

it('finds a word by exactly what is listed as its beginnings', () => {
  expect(beginningsOf('icu12b')).toEqual(['i', 'ic', 'icu', 'icu12', 'icu12b'])
  const word = fc.array(fc.constantFrom('a', 'b', '1', '2', '病', '𐐨'), { minLength: 1, maxLength: 6 }).map(letters => letters.join(''))
  fc.assert(fc.property(word, word, (asked, one) => { expect(finds(asked, one)).toBe(beginningsOf(one).includes(asked)) }), { numRuns: 2_000 })
})

it('writes each text as another one of plain letters', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
    expect(asWord(a)).toMatch(/^[a-z0-9_]*$/)
    expect(asWord(a) === asWord(b)).toBe(a === b)
    expect(ascii(a) === ascii(b)).toBe(a === b)
  }))
})
