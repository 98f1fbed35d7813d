import type { ConceptId } from '../../streams/events/index.ts'
import { deviation, featureView, last, max, mean, min, ratio, slope, minus, type Feature, type FeatureView } from '../define/index.ts'

/** The numerics that a bedside monitor sends. */
export const VITALS: readonly ConceptId[] = ['heartRate', 'respiratoryRate', 'spo2', 'systolic', 'diastolic', 'meanPressure', 'temperature']

function ofVital (concept: ConceptId): Readonly<Record<string, Feature>> {
  return {
    [`${concept}Last`]: last(concept).within('1 h'),
    [`${concept}Mean5m`]: mean(concept).over('5 m'),
    [`${concept}Min15m`]: min(concept).over('15 m'),
    [`${concept}Max15m`]: max(concept).over('15 m'),
    [`${concept}Deviation15m`]: deviation(concept).over('15 m'),
    [`${concept}Slope1h`]: slope(concept).over('1 h'),
  }
}

/** Vital signs over minutes: fresh to the second. */
export const vitalsView: FeatureView = featureView({
  name: 'vitals', version: 1, owner: 'icu-data', ttl: '15 m',
  description: 'Vital signs: last values, and windows of 5, 15 and 60 minutes',
  emit: { every: '10 s', on: ['charted'] },
  features: {
    ...Object.assign({}, ...VITALS.map(ofVital)) as Readonly<Record<string, Feature>>,
    shockIndex: ratio(last('heartRate').within('10 m'), last('systolic').within('1 h')),
    pulsePressure: minus(last('systolic').within('1 h'), last('diastolic').within('1 h')),
  },
})
