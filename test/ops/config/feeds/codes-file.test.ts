import fc from 'fast-check'
import { expect, test } from 'vitest'
import { IGNORE } from '../../../../connectors/kit/index.ts'
import { CODES_HEADER, readCodes, removeCode, writeCodes, type CodeRow } from '../../../../ops/config/feeds/index.ts'
import { CONCEPT_IDS } from '../../../../streams/events/index.ts'
import { NO_UNITS } from './toy-kind.ts'

const codesOf = (text: string): ReturnType<typeof readCodes> => readCodes('lab.codes.csv', text, NO_UNITS)
const faultsOf = (...lines: readonly string[]): readonly string[] => codesOf([CODES_HEADER, ...lines].join('\n')).faults.map(({ line, why }) => `${line}: ${why}`)

test('a table maps codes with and without a system, in any case, with comments, quotes and empty lines', () => {
  const { codes, faults } = codesOf(`# what the laboratory calls things\r\n${CODES_HEADER}\r\n\r\nL,krea,creatinine,umol/L\r\n"L, old","K ""1""",potassium,\r\n# by code alone\r\n,Puls,heartRate\r\n`)
  expect(faults).toEqual([])
  expect([...codes]).toEqual([['L|KREA', { concept: 'creatinine', unit: 'umol/L' }], ['L, OLD|K "1"', { concept: 'potassium' }], ['PULS', { concept: 'heartRate' }]])
})

test('every fault is told with its line', () => {
  expect(faultsOf('L,a,heartRat,', '# fine', 'L,b,heartRate,mg/dL', 'L,c,heartRate,', 'l,C,heartRate,', 'L,,heartRate,', 'L,d', 'L,"d,heartRate,', 'L,e"f,heartRate,')).toEqual([
    '2: there is no concept "heartRat"; docs/clinical-limits.md lists them',
    '4: "mg/dL" is no unit of heartRate, which is kept in /min',
    '6: code "C" of system "l" stands in line 5 already',
    '7: the code is empty',
    '8: 2 fields instead of 4',
    '9: a quote is never closed, or stands in the middle of a field',
    '10: a quote is never closed, or stands in the middle of a field',
  ])
})

test('a file without its header is refused', () => {
  expect(codesOf('L,a,heartRate,\n').faults).toEqual([{ file: 'lab.codes.csv', line: 1, why: `the header is not "${CODES_HEADER}"` }])
  expect(codesOf('# nothing yet\n').faults).toEqual([{ file: 'lab.codes.csv', line: 1, why: `the header "${CODES_HEADER}" is missing` }])
})

test('a unit may be one that the feed has given a meaning', () => {
  const own = new Map([['Schläge', '/min']])
  expect(readCodes('a', `${CODES_HEADER}\n,p,heartRate,Schläge`, own).faults).toEqual([])
  expect(readCodes('a', `${CODES_HEADER}\n,p,heartRate,Schläge`, NO_UNITS).faults).toHaveLength(1)
})

test('writing changes a code in its place, adds a new one at the end, and keeps comments', () => {
  const text = `# kept\n${CODES_HEADER}\nL,a,heartRate,\n# between\nL,b,spo2,\n`
  expect(writeCodes(text, [{ system: 'L', code: 'A', concept: 'respiratoryRate', unit: '/min' }, { system: '', code: 'x,y', concept: 'lactate', unit: '' }])).toBe(`# kept\n${CODES_HEADER}\nL,A,respiratoryRate,/min\n# between\nL,b,spo2,\n,"x,y",lactate,\n`)
  expect(writeCodes(`${CODES_HEADER}\r\nL,b,spo2,\r\n`, [{ system: 'L', code: 'a', concept: 'spo2', unit: '%' }])).toBe(`${CODES_HEADER}\r\nL,b,spo2,\r\nL,a,spo2,%\r\n`)
  expect(writeCodes('', [{ system: 'L', code: 'a', concept: 'spo2', unit: '%' }])).toBe(`${CODES_HEADER}\nL,a,spo2,%\n`)
})

test('a code may be ignored, and then has no unit', () => {
  expect(codesOf(`${CODES_HEADER}\nL,GLOSSE,ignore,\n`).codes.get('L|GLOSSE')).toBe(IGNORE)
  expect(faultsOf('L,GLOSSE,ignore,mg/dL')).toEqual(['2: a code that is ignored has no unit'])
})

test('a row is taken out alone, with the comments, the line ends and a last line without end as they were', () => {
  expect(removeCode(`# kept\r\n${CODES_HEADER}\r\nL,a,heartRate,\r\n\r\n# L,a,spo2,\r\nL,b,spo2,`, { system: 'l', code: 'A' })).toBe(`# kept\r\n${CODES_HEADER}\r\n\r\n# L,a,spo2,\r\nL,b,spo2,`)
  expect(removeCode(`${CODES_HEADER}\nL,a,heartRate,\nL,b,spo2,`, { system: 'L', code: 'b' })).toBe(`${CODES_HEADER}\nL,a,heartRate,\n`)
})

test('whatever code a feed sends, a row that was written is read back as it was', () => {
  const word = fc.string({ minLength: 1, maxLength: 20 }).map(text => text.replace(/[|\r\n\u2028\u2029]/g, '').trim()).filter(text => text !== '')
  const rows = fc.uniqueArray(fc.record({ system: fc.oneof(fc.constant(''), word), code: word, concept: fc.constantFrom(...CONCEPT_IDS, IGNORE), unit: fc.constant('') }), { selector: ({ system, code }) => `${system}|${code}`.toUpperCase(), maxLength: 8 })
  fc.assert(fc.property(rows, (all: readonly CodeRow[]) => {
    const { codes, faults } = codesOf(writeCodes('', all))
    expect(faults).toEqual([])
    expect([...codes.values()]).toEqual(all.map(({ concept }) => concept === IGNORE ? IGNORE : { concept }))
    const [first] = all
    if (first !== undefined) expect(removeCode(writeCodes('', all), first)).toBe(writeCodes('', all.slice(1)))
  }), { numRuns: 300 })
})
