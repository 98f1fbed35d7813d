import { coalesce, constant, countMissing, featureView, last, maxOfPresent, sumOfPresent, when, type Feature, type FeatureView } from '../define/index.ts'
import { news2, onOxygen } from './scores.ts'

/** A ward set is due every 12 hours at the latest (RCP 2017); an older value says nothing of now. */
const WITHIN = '12 h'

const spo2 = last('spo2').within(WITHIN)
const oxygen = onOxygen(last('oxygenTherapy').within(WITHIN), last('oxygenFlow').within(WITHIN), last('fio2').within(WITHIN))
/** ACVPU; where only a Glasgow score is charted, 15 is alert. */
const consciousness = coalesce(last('consciousness').within(WITHIN), when(last('gcs').within(WITHIN), '<', 15, constant(1), constant(0)))
const scale: Feature = coalesce(last('spo2Scale'), constant(1))

const parts = {
  news2Respiration: news2.respiration(last('respiratoryRate').within(WITHIN)),
  news2Spo2: when(scale, '=', 2, news2.spo2Scale2(spo2, oxygen), news2.spo2Scale1(spo2)),
  news2Oxygen: news2.air(oxygen),
  news2Systolic: news2.systolic(last('systolic').within(WITHIN)),
  news2Pulse: news2.pulse(last('heartRate').within(WITHIN)),
  news2Consciousness: news2.consciousness(consciousness),
  news2Temperature: news2.temperature(last('temperature').within(WITHIN)),
}

/** What was measured, under each part: an alert shows both. */
const measured = {
  news2RespirationValue: last('respiratoryRate').within(WITHIN),
  news2Spo2Value: spo2,
  news2OxygenValue: oxygen,
  news2SystolicValue: last('systolic').within(WITHIN),
  news2PulseValue: last('heartRate').within(WITHIN),
  news2ConsciousnessValue: consciousness,
  news2TemperatureValue: last('temperature').within(WITHIN),
}

/** NEWS2 with its seven parts. With parts missing the sum is a lower bound: `news2Missing` counts them, and absent parts say which. */
export const news2View: FeatureView = featureView({
  name: 'news2', version: 1, owner: 'clinical', ttl: '12 h',
  description: 'National Early Warning Score 2 and its parts (RCP 2017)',
  emit: { every: '1 m', on: ['charted'], onChange: ['news2', 'news2Max', 'news2Missing'] },
  features: {
    ...parts,
    news2: sumOfPresent(...Object.values(parts)),
    news2Max: maxOfPresent(...Object.values(parts)),
    news2Missing: countMissing(...Object.values(parts)),
    ...measured,
  },
})

/** The parts by feature name, in the order of the chart; `${part}Value` is what was measured. */
export const NEWS2_PARTS: readonly string[] = Object.keys(parts)
