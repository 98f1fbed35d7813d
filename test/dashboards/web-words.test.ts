import { describe, expect, it } from 'vitest'
import { en } from '../../dashboards/web/src/i18n/en.ts'
import { es } from '../../dashboards/web/src/i18n/es.ts'
import { featureName, knownFeatureName, news2Feature, news2PartOf, NEWS2_PARTS as PAGE_PARTS, partName } from '../../dashboards/web/src/i18n/feature-names.ts'
import { formatter } from '../../dashboards/web/src/i18n/format.ts'
import { pickLanguage, translateName, translator } from '../../dashboards/web/src/i18n/translate.ts'
import { OWN_INDEX_REASONS } from '../../features/board/index.ts'
import { ALL_VIEWS, NEWS2_PARTS } from '../../features/views/index.ts'
import { ALERT_RULES, ALERT_STATES, PRIORITIES } from '../../inference/alerts/index.ts'
import { CONCEPT_IDS, REFUSAL_CAUSES, SEXES } from '../../streams/events/index.ts'

describe('both dictionaries', () => {
  it('have the same keys, none empty but what is said by silence', () => {
    expect(Object.keys(es).sort()).toEqual(Object.keys(en).sort())
    for (const [language, dictionary] of [['en', en], ['es', es]] as const) {
      const empty = Object.entries(dictionary).filter(([, text]) => text.trim() === '').map(([key]) => key)
      expect(empty, language).toEqual(['sex.unknown'])
    }
  })

  it('use the same parameters in each sentence', () => {
    const parameters = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(match => match[1]!).sort()
    for (const [key, text] of Object.entries(en)) expect(parameters(es[key as keyof typeof es]), key).toEqual(parameters(text))
  })

  it('name every concept, rule, state, priority, sex and cause of refusal, and what to do about each cause', () => {
    const wanted = [...CONCEPT_IDS.map(id => `concept.${id}`), ...ALERT_RULES.map(rule => `rule.${rule}`), ...ALERT_STATES.map(state => `alert.state.${state}`), ...PRIORITIES.map(p => `priority.${p}`), ...SEXES.map(sex => `sex.${sex}`), ...REFUSAL_CAUSES.flatMap(cause => [`cause.${cause}`, `advice.${cause}`]), ...OWN_INDEX_REASONS.map(why => `searchWhy.${why}`)]
    expect(wanted.filter(key => !Object.hasOwn(en, key))).toEqual([])
  })
})

describe('choosing a language', () => {
  it('takes what was chosen before, else the first that the browser wants and we have, else English', () => {
    expect(pickLanguage('es', ['en-GB'])).toBe('es')
    expect(pickLanguage(null, ['ca-ES', 'es-ES', 'en'])).toBe('es')
    expect(pickLanguage(null, ['fr-FR'])).toBe('en')
    expect(pickLanguage('xx', [])).toBe('en')
  })
})

describe('names of features', () => {
  it('are taken apart into concept, aggregate and window', () => {
    expect(featureName(translator('en'), 'heartRateMean5m')).toBe('Heart rate, mean 5 min')
    expect(featureName(translator('es'), 'lactateLast')).toBe('Lactato, último')
    expect(featureName(translator('en'), 'meanPressureSlope1h')).toBe('Mean arterial pressure, slope 1 h')
    expect(featureName(translator('en'), 'shockIndex')).toBe('Shock index')
  })

  it('say each feature of each view in both languages, no two of a view alike', () => {
    for (const language of ['en', 'es'] as const) {
      for (const { name, names } of ALL_VIEWS) {
        const said = names.map(feature => knownFeatureName(translator(language), feature) ?? `unknown: ${feature}`)
        expect(said.filter(text => text.startsWith('unknown')), `${language} ${name}`).toEqual([])
        expect(new Set(said).size, `${language} ${name}`).toBe(said.length)
      }
    }
  })

  it('of the parts of NEWS2 are those of the NEWS2 view', () => {
    expect(PAGE_PARTS.map(({ part }) => news2Feature(part, 'points'))).toEqual(NEWS2_PARTS)
  })

  it('are readable even where nobody has heard of them', () => {
    expect(featureName(translator('en'), 'capillaryRefillTime')).toBe('Capillary refill time')
    expect(translateName(translator('en'), 'rule', 'something-new')).toBe('something-new')
  })

  it('know a part of NEWS2 under each of its names', () => {
    for (const name of ['news2Respiration', 'respiration', 'respiratoryRate', 'news2RespiratoryRate']) expect(news2PartOf(name)).toBe('respiration')
    expect(partName(translator('es'), 'news2Consciousness')).toBe('Consciencia')
    expect(featureName(translator('en'), 'news2Spo2')).toBe('NEWS2, oxygen saturation')
    expect(featureName(translator('en'), 'news2Spo2Value')).toBe('NEWS2, oxygen saturation: value')
  })
})

describe('numbers, ages and units', () => {
  const english = formatter('en')
  const spanish = formatter('es')
  it('are written as the language writes them', () => {
    expect(english.reading('temperature', 39.2)).toBe('39.2')
    expect(spanish.reading('temperature', 39.2)).toBe('39,2')
    expect(english.percent(0.425)).toBe('43%')
    expect(english.number(1_284_552)).toBe('1,284,552')
    expect(spanish.number(1_284_552)).toBe('1.284.552')
  })

  it('show an age in its largest whole unit, and nothing younger than now', () => {
    const plain = (ms: number): string => english.age(ms).replaceAll('\u00a0', ' ')
    expect([-5_000, 999, 59_999, 60_000, 119 * 60_000, 120 * 60_000, 47 * 3_600_000, 48 * 3_600_000].map(plain)).toEqual(['0 s', '0 s', '59 s', '1 min', '119 min', '2 h', '47 h', '2 d'])
  })

  it('show UCUM units as people write them', () => {
    expect(['mm[Hg]', 'Cel', '10*3/uL', '[pH]', '1', 'mmol/L', '{points}', 'mm[Hg]/h'].map(english.unit)).toEqual(['mmHg', '°C', '×10³/µL', '', '', 'mmol/L', '', 'mmHg/h'])
  })
})
