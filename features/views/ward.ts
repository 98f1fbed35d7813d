import { featureView, patients, ratio, type FeatureView } from '../define/index.ts'
import { news2View } from './news2.ts'

/** What a charge nurse asks of a ward: how many patients have a score, and how ill they are (thresholds of 5 and 7: RCP 2017). */
export const wardView: FeatureView = featureView({
  name: 'ward', version: 1, entity: 'ward', owner: 'clinical', ttl: '15 m',
  description: 'Acuity of a ward: NEWS2 over its patients',
  emit: { every: '10 s', onChange: ['news2AtLeast7'] },
  features: {
    patientsScored: patients.count(news2View, 'news2'),
    news2Mean: patients.mean(news2View, 'news2'),
    news2Max: patients.max(news2View, 'news2'),
    news2AtLeast5: patients.countAtLeast(news2View, 'news2', 5),
    news2AtLeast7: patients.countAtLeast(news2View, 'news2', 7),
    news2AtLeast5Share: ratio(patients.countAtLeast(news2View, 'news2', 5), patients.count(news2View, 'news2')),
  },
})
