import type { ConceptId } from '../../streams/events/index.ts'
import { age, delta, featureView, last, max, min, ratio, type Feature, type FeatureView } from '../define/index.ts'

const LABS: readonly ConceptId[] = ['lactate', 'creatinine', 'ureaNitrogen', 'wbc', 'platelets', 'hemoglobin', 'bilirubinTotal', 'glucose', 'sodium', 'potassium', 'bicarbonate', 'ph']

function ofLab (concept: ConceptId): Readonly<Record<string, Feature>> {
  return {
    [`${concept}Last`]: last(concept).within('72 h'),
    [`${concept}Age`]: age(concept),
    [`${concept}Delta`]: delta(concept),
    [`${concept}Min48h`]: min(concept).overReadings('48 h'),
    [`${concept}Max48h`]: max(concept).overReadings('48 h'),
  }
}

/** Laboratory results over days; a corrected result replaces, a withdrawn one is taken out. */
export const labsView: FeatureView = featureView({
  name: 'labs', version: 1, owner: 'laboratory', ttl: '72 h',
  description: 'Laboratory results: last, age, change, extremes of 48 hours',
  emit: { every: '1 m', on: ['laboratory'] },
  features: {
    ...Object.assign({}, ...LABS.map(ofLab)) as Readonly<Record<string, Feature>>,
    ureaCreatinine: ratio(last('ureaNitrogen').within('72 h'), last('creatinine').within('72 h')),
  },
})
