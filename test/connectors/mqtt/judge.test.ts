import { describe, expect, it } from 'vitest'
import { ARTEFACT_RULES, type ArtefactRules } from '../../../connectors/mqtt/index.ts'
import { decimalsOf, judge, NO_SERIES, type SeriesState } from '../../../connectors/mqtt/judge.ts'
import { mapNumerics } from '../../../connectors/mqtt/numerics.ts'

const NOW = Date.UTC(2031, 3, 6, 10)
type Numeric = readonly [code: string, value: number | null, unit: string]

/** Judges messages one after the other: the qualities of each. */
function said (rules: ArtefactRules, ...messages: readonly (readonly [atS: number, ...numerics: Numeric[]])[]): { readonly qualities: readonly string[], readonly counts: Record<string, number>, readonly state: SeriesState } {
  let state = NO_SERIES
  const counts: Record<string, number> = {}
  const qualities = messages.map(([atS, ...numerics]) => {
    const at = NOW + atS * 1_000
    const { readings, perfusionIndex } = mapNumerics(numerics.map(([code, value, unit]) => ({ code, value, unit })), at)
    const judged = judge(readings, perfusionIndex, at, state, rules, what => { counts[what] = (counts[what] ?? 0) + 1 })
    state = judged.state
    return judged.observations.map(o => o.quality[0]).join('')
  })
  return { qualities, counts, state }
}
const off = (rule: keyof ArtefactRules): ArtefactRules => ({ ...ARTEFACT_RULES, [rule]: { ...ARTEFACT_RULES[rule], on: false } })
const hr = (value: number): Numeric => ['147842', value, '/min']
const pr = (value: number): Numeric => ['149530', value, '/min']
const spo2 = (value: number): Numeric => ['150456', value, '%']
const pi = (value: number): Numeric => ['150488', value, '%']
const line = (systolic: number, diastolic: number, mean?: number): Numeric[] => [['150033', systolic, 'mmHg'], ['150034', diastolic, 'mmHg'], ...mean === undefined ? [] : [['150035', mean, 'mmHg'] as const]]
const cuff = (systolic: number, diastolic: number): Numeric[] => [['150021', systolic, 'mmHg'], ['150022', diastolic, 'mmHg']]

describe('jumps', () => {
  it('a heart rate may change by 60 /min in a second, and by no more', () => {
    expect(said(ARTEFACT_RULES, [0, hr(80)], [1, hr(140)]).qualities).toEqual(['v', 'v'])
    const jumped = said(ARTEFACT_RULES, [0, hr(80)], [1, hr(140.1)], [2, hr(82)])
    expect([jumped.qualities, jumped.counts]).toEqual([['v', 'a', 'v'], { 'artefact-heart-rate-jump': 1 }])
    expect(said(off('heartRateJump'), [0, hr(80)], [1, hr(200)]).qualities).toEqual(['v', 'v'])
  })
  it('SpO2 may change by 10 % in a second, and by no more', () => {
    expect(said(ARTEFACT_RULES, [0, spo2(98)], [1, spo2(88)]).qualities).toEqual(['v', 'v'])
    expect(said(ARTEFACT_RULES, [0, spo2(98)], [1, spo2(87.9)]).qualities).toEqual(['v', 'a'])
    expect(said(off('spo2Jump'), [0, spo2(98)], [1, spo2(70)]).qualities).toEqual(['v', 'v'])
  })
  it('a change that stays is believed as soon as it had the time to happen', () => {
    expect(said(ARTEFACT_RULES, [0, hr(80)], [1, hr(180)], [2, hr(180)], [3, hr(181)]).qualities).toEqual(['v', 'a', 'v', 'v'])
  })
  it('judges a message that comes again as the first time, and does not judge a late one', () => {
    expect(said(ARTEFACT_RULES, [0, hr(80)], [1, hr(130)], [1, hr(130)]).qualities).toEqual(['v', 'v', 'v'])
    expect(said(ARTEFACT_RULES, [0, hr(80)], [1, hr(150)], [1, hr(150)]).qualities).toEqual(['v', 'a', 'a'])
    expect(said(ARTEFACT_RULES, [5, hr(80)], [4, hr(200)], [6, hr(82)]).qualities).toEqual(['v', 'v', 'v'])
  })
})

describe('pressures', () => {
  it('a mean may be as low as the diastolic and as high as the systolic, and no more', () => {
    expect(said(ARTEFACT_RULES, [0, ...line(120, 80, 80)], [1, ...line(121, 80, 121)]).qualities).toEqual(['vvv', 'vvv'])
    expect(said(ARTEFACT_RULES, [0, ...line(120, 80, 79.9)], [1, ...line(120, 80, 120.1)]).qualities).toEqual(['aaa', 'aaa'])
    expect(said(off('meanOutside'), [0, ...line(120, 80, 130)]).qualities).toEqual(['vvv'])
  })
  it('a pulse pressure of 8 is believed, less is questionable', () => {
    expect(said(ARTEFACT_RULES, [0, ...line(88, 80)], [1, ...line(87.9, 80)], [2, ...line(80, 90)]).qualities).toEqual(['vv', 'qq', 'qq'])
    expect(said(off('pulsePressure'), [0, ...line(82, 80)]).qualities).toEqual(['vv'])
  })
  it('a line and a cuff in one message are judged apart', () => {
    expect(said(ARTEFACT_RULES, [0, ...line(84, 80, 82), ...cuff(120, 80)]).qualities).toEqual(['qqqvv'])
  })
})

describe('the oximeter', () => {
  it('SpO2 is believed at a perfusion index of 0.3 %, and questionable below', () => {
    expect(said(ARTEFACT_RULES, [0, spo2(97), pi(0.3)], [1, spo2(97), pi(0.29)]).qualities).toEqual(['v', 'q'])
    expect(said(off('perfusion'), [0, spo2(97), pi(0.1)]).qualities).toEqual(['v'])
  })
  it('a pulse that differs from the ECG by 15 is believed, by more it is questionable, and so is SpO2', () => {
    expect(said(ARTEFACT_RULES, [0, hr(80), pr(95), spo2(97)], [60, hr(80), pr(95.1), spo2(97)]).qualities).toEqual(['vvv', 'vqq'])
    expect(said(off('pulseMismatch'), [0, hr(80), pr(120), spo2(97)]).qualities).toEqual(['vvv'])
  })
  it('values of other messages count for ten seconds', () => {
    expect(said(ARTEFACT_RULES, [0, hr(80)], [10, pr(110), spo2(97)]).qualities).toEqual(['v', 'qq'])
    expect(said(ARTEFACT_RULES, [0, hr(80)], [10.001, pr(110), spo2(97)]).qualities).toEqual(['v', 'vv'])
  })
})

describe('what does not change', () => {
  const each = (everyS: number, untilS: number, ...numerics: Numeric[]): readonly (readonly [number, ...Numeric[]])[] => Array.from({ length: Math.floor(untilS / everyS) + 1 }, (_, i) => [i * everyS, ...numerics] as const)
  it('a line that is the same to the last digit for 60 s is questionable, and not before', () => {
    const { qualities, counts } = said(ARTEFACT_RULES, ...each(1, 60, ...line(120, 80, 93)))
    expect([qualities.at(-2), qualities.at(-1), counts['artefact-flatline']]).toEqual(['vvv', 'qqq', 3])
    expect(said(off('flatline'), ...each(1, 90, ...line(120, 80, 93))).qualities.at(-1)).toBe('vvv')
    expect(said(ARTEFACT_RULES, ...each(1, 50, ...line(120, 80, 93)), [51, ...line(121, 80, 93)], [65, ...line(121, 80, 93)]).qualities.at(-1)).toBe('vvv')
  })
  it('a cuff says the same until its next reading, and an oximeter of whole numbers may', () => {
    expect(said(ARTEFACT_RULES, ...each(1, 120, ...cuff(120, 80), spo2(98), pr(60))).qualities.at(-1)).toBe('vvvv')
  })
  it('an oximeter with decimals that says the same for 60 s is questionable', () => {
    expect(said(ARTEFACT_RULES, ...each(1, 60, spo2(98), pi(1.27))).qualities.slice(-2)).toEqual(['v', 'q'])
    expect(said(ARTEFACT_RULES, ...each(1, 59, spo2(98), pi(1.27)), [60, spo2(98), pi(1.31)]).qualities.at(-1)).toBe('v')
  })
  it('a temperature in hundredths is questionable after more than ten minutes, in tenths never', () => {
    const temperature = (value: number): Numeric => ['150344', value, 'Cel']
    const { qualities } = said(ARTEFACT_RULES, ...each(60, 660, temperature(36.72)))
    expect(qualities.slice(-2)).toEqual(['v', 'q'])
    expect(said(ARTEFACT_RULES, ...each(60, 3_600, temperature(36.7))).qualities.at(-1)).toBe('v')
    expect(said(off('flatTemperature'), ...each(60, 3_600, temperature(36.72))).qualities.at(-1)).toBe('v')
  })
  it('a silence is not a time without change', () => {
    expect(said(ARTEFACT_RULES, [0, ...line(120, 80, 93)], [31, ...line(120, 80, 93)], [60, ...line(120, 80, 93)]).qualities.at(-1)).toBe('vvv')
  })
})

it('never raises a quality that the device gave', () => {
  const { readings } = mapNumerics([{ code: '150033', value: 82, unit: 'mmHg', quality: 'artefact' }, { code: '150034', value: 80, unit: 'mmHg' }], NOW)
  expect(judge(readings, undefined, NOW, NO_SERIES, ARTEFACT_RULES, () => {}).observations.map(o => o.quality)).toEqual(['artefact', 'questionable'])
})

it('counts the digits behind the point', () => { expect([36, 36.7, 36.72, 0.1 + 0.2, 1 / 3].map(decimalsOf)).toEqual([0, 1, 2, 1, 3]) })
