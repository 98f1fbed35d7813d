import { countMissing, featureView, maxOfPresent, type FeatureView } from '../define/index.ts'
import { anuria, kdigo } from './kdigo.ts'
import { urineOver } from './urine.ts'

const urine12h = urineOver(12)
const parts = { kdigoCreatinine: kdigo.stage, kdigoAnuria: anuria(urine12h) }

/** Acute kidney injury: KDIGO stage 0 to 3, and what it was compared with. Keeps creatinine of a year. */
export const kidneyView: FeatureView = featureView({
  name: 'kidney', version: 1, owner: 'clinical', ttl: '48 h',
  description: 'KDIGO stage of acute kidney injury by creatinine (baseline as NHS England 2014) and anuria',
  emit: { every: '1 h', on: ['creatinine'] },
  features: {
    ...parts,
    /** The worse of the two; a lower bound, since oliguria needs a weight. */
    kdigo: maxOfPresent(...Object.values(parts)),
    kdigoMissing: countMissing(...Object.values(parts)),
    creatinineLast: kdigo.newest,
    creatinineRise48h: kdigo.rise48h,
    creatinineRatio7d: kdigo.ratio7d,
    creatinineRatioYear: kdigo.ratioYear,
    creatinineRatio: kdigo.ratioHigher,
    creatinineAlone: kdigo.alone,
    urine12h,
  },
})
