import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { CONCEPT_IDS, CONCEPTS, conceptOf, isConceptId, isPossible, toCanonical, type ConceptId } from '../../../streams/events/index.ts'
import { UNIT_ALIASES } from '../../../streams/events/units.ts'

it.each<[ConceptId, number, string, number]>([
  ['creatinine', 88.4, 'umol/L', 1], ['creatinine', 88.4, 'µmol/L', 1], ['creatinine', 1, 'mg/dL', 1], ['creatinine', 1, 'mg/dl', 1],
  ['temperature', 98.6, '[degF]', 37], ['temperature', 98.6, 'degF', 37], ['temperature', 98.6, 'F', 37], ['temperature', 37, 'C', 37], ['temperature', 310.15, 'K', 37],
  ['paco2', 5.33, 'kPa', 39.98], ['systolic', 16, 'kPa', 120.01], ['systolic', 120, 'mmHg', 120], ['systolic', 120, 'mm Hg', 120],
  ['wbc', 12.3, 'K/uL', 12.3], ['wbc', 12.3, '10^9/L', 12.3], ['wbc', 12.3, '10*9/L', 12.3], ['platelets', 250, 'G/L', 250], ['wbc', 12_300, '/uL', 12.3], ['wbc', 12_300, '{cells}/uL', 12.3],
  ['sodium', 140, 'mEq/L', 140], ['sodium', 140, 'meq/l', 140], ['hemoglobin', 135, 'g/L', 13.5], ['hemoglobin', 13.5, 'g/dL', 13.5],
  ['glucose', 5.5, 'mmol/L', 99.09], ['ureaNitrogen', 5, 'mmol/L', 14.01], ['bilirubinTotal', 17.1, 'umol/L', 1], ['calcium', 2.4, 'mmol/L', 9.62], ['lactate', 18, 'mg/dL', 2],
  ['fio2', 0.4, '1', 40], ['fio2', 0.4, 'fraction', 40], ['fio2', 40, '%', 40], ['heartRate', 80, 'bpm', 80], ['heartRate', 80, 'MDC_DIM_BEAT_PER_MIN', 80], ['heartRate', 80, '{beats}/min', 80],
  ['troponinI', 40, 'ng/L', 0.04], ['troponinI', 0.04, 'ug/L', 0.04], ['urineOutput', 0.5, 'L', 500], ['ph', 7.4, '', 7.4], ['oxygenFlow', 2, 'lpm', 2], ['fibrinogen', 3, 'g/L', 300],
])('%s %d %s is %d', (concept, value, unit, expected) => { expect(toCanonical(concept, value, unit)).toBeCloseTo(expected, 1) })

it('takes a value without a unit for canonical', () => { for (const concept of CONCEPT_IDS) expect(toCanonical(concept, 3, '')).toBe(3) })
it('leaves the canonical unit exactly alone', () => { for (const concept of CONCEPT_IDS) expect(toCanonical(concept, 0.1 + 0.2, CONCEPTS[concept].unit)).toBe(0.1 + 0.2) })

it('refuses a unit that nobody knows, and one that cannot be this concept\'s', () => {
  expect([toCanonical('heartRate', 80, 'furlongs'), toCanonical('heartRate', 80, 'mmHg'), toCanonical('temperature', 37, '%'), toCanonical('sodium', 140, 'mg/dL'), toCanonical('lactate', 2, '/min'), toCanonical('wbc', 5, '\u0000'), toCanonical('wbc', 5, 'constructor')]).toEqual(Array(7).fill(undefined))
})

it('prints nothing of what a feed wrote as a unit, and stands any text', () => {
  const log = vi.spyOn(console, 'log')
  fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.string({ unit: fc.constantFrom(...'mgL/(){}[]*.10-^% u'), maxLength: 12 })), unit => { toCanonical('creatinine', 1, unit) }), { numRuns: 200 })
  expect(toCanonical('creatinine', 1, '('.repeat(100_000))).toBeUndefined()
  expect(log).not.toHaveBeenCalled()
  log.mockRestore()
})

describe('every alias of the table', () => {
  it.each(Object.keys(UNIT_ALIASES))('%s is some concept\'s', alias => { expect(CONCEPT_IDS.some(concept => toCanonical(concept, 1, alias) !== undefined)).toBe(true) })
})

describe('concepts', () => {
  it('are found by LOINC, by MDC, by reference identifier and local name in any case', () => {
    expect([conceptOf('LN', '8867-4'), conceptOf('MDC', '147842'), conceptOf('', 'MDC_ECG_HEART_RATE'), conceptOf('99LOCAL', 'hr'), conceptOf('LN', '2524-7'), conceptOf('LN', '99999-9'), conceptOf('LN', '147842')])
      .toEqual(['heartRate', 'heartRate', 'heartRate', 'heartRate', 'lactate', undefined, undefined])
  })
  it('are found in a feed\'s own table first', () => { expect(conceptOf('LN', '8867-4', new Map([['8867-4', 'lactate']]))).toBe('lactate') })
  it('share no code', () => {
    const codes = CONCEPT_IDS.flatMap(id => [...CONCEPTS[id].loinc.map(c => `LN ${c}`), ...CONCEPTS[id].mdc.map(c => `MDC ${c}`), ...CONCEPTS[id].aliases.map(a => a.toUpperCase())])
    expect(codes.filter((code, i) => codes.indexOf(code) !== i)).toEqual([])
  })
  it('are what is in the table, not what every object has', () => { expect(['heartRate', 'toString', '__proto__', ''].map(isConceptId)).toEqual([true, false, false, false]) })
  it('have closed limits of what is possible', () => { expect([[20, true], [300, true], [19.9, false], [300.1, false], [NaN, false]].map(([v, is]) => isPossible('heartRate', v as number) === is)).toEqual(Array(5).fill(true)) })
})
