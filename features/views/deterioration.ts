import { coalesce, countMissing, featureView, last, ratio, sumOfPresent, type FeatureView } from '../define/index.ts'
import { derivedMean, mews, qsofa, shockIndex, sirs } from './bedside-scores.ts'
import { inspired, overFraction } from './oxygen.ts'

/** As in NEWS2: the longest interval between two ward sets. */
const SET = '12 h'
/** Two numbers that are divided must be of about the same time. */
const NOW = '1 h'

const rate = last('respiratoryRate').within(SET)
const systolic = last('systolic').within(SET)
const pulse = last('heartRate').within(SET)
const temperature = last('temperature').within(SET)
const acvpu = last('consciousness').within(SET)

const qsofaParts = {
  qsofaRespiration: qsofa.respiration(rate),
  qsofaSystolic: qsofa.systolic(systolic),
  qsofaMentation: qsofa.mentation(last('gcs').within(SET), acvpu),
}
const sirsParts = {
  sirsTemperature: sirs.temperature(temperature),
  sirsHeartRate: sirs.heartRate(pulse),
  sirsRespiration: sirs.respiration(rate, last('paco2').within(SET)),
  sirsLeukocytes: sirs.leukocytes(last('wbc').within('24 h')),
}
const mewsParts = {
  mewsSystolic: mews.systolic(systolic),
  mewsHeartRate: mews.heartRate(pulse),
  mewsRespiration: mews.respiration(rate),
  mewsTemperature: mews.temperature(temperature),
  mewsConsciousness: mews.consciousness(acvpu),
}

const heartRateNow = last('heartRate').within(NOW)
const systolicNow = last('systolic').within(NOW)
const derived = derivedMean(systolicNow, last('diastolic').within(NOW))
const meanNow = coalesce(last('meanPressure').within(NOW), derived)
const spo2Fraction = overFraction(last('spo2').within(NOW), inspired('4 h'))

/** Bedside scores other than NEWS2. With parts missing a sum is a lower bound, and `...Missing` counts them. */
export const deteriorationView: FeatureView = featureView({
  name: 'deterioration', version: 1, owner: 'clinical', ttl: '12 h',
  description: 'Bedside scores: qSOFA, SIRS, MEWS, shock indices, ROX',
  emit: { every: '1 m', on: ['charted'] },
  features: {
    ...qsofaParts,
    qsofa: sumOfPresent(...Object.values(qsofaParts)),
    qsofaMissing: countMissing(...Object.values(qsofaParts)),
    ...sirsParts,
    sirs: sumOfPresent(...Object.values(sirsParts)),
    sirsMissing: countMissing(...Object.values(sirsParts)),
    ...mewsParts,
    mews: sumOfPresent(...Object.values(mewsParts)),
    mewsMissing: countMissing(...Object.values(mewsParts)),
    shockIndex: shockIndex(heartRateNow, systolicNow),
    modifiedShockIndex: shockIndex(heartRateNow, meanNow),
    derivedMeanPressure: derived,
    spo2OverFio2: spo2Fraction,
    /** (SpO2 / FiO2) / respiratory rate: Roca O et al., Am J Respir Crit Care Med 2019; 199: 1368. FiO2 is a fraction: a hundred times the `rox` of the view `sepsis`. */
    roxIndex: ratio(spo2Fraction, last('respiratoryRate').within(NOW)),
  },
})
