import type { Duration } from '../../streams/time/index.ts'
import { coalesce, constant, count, countMissing, featureView, first, last, max, min, minus, plus, ratio, sumOfPresent, times, when, type Feature, type FeatureView } from '../define/index.ts'
import { derivedMean } from './bedside-scores.ts'
import { inspired, overFraction } from './oxygen.ts'
import { absent } from './points.ts'
import { sofa } from './sofa.ts'
import { urineOver } from './urine.ts'

/** SOFA scores the worst value of a day (Vincent 1996). */
const DAY = '24 h'
/** A gas and the oxygen at which it was drawn are the newest of each: neither may be old. */
const GAS = '6 h'
/** A panel of one blood draw. */
const PANEL = '24 h'

const fio2 = inspired(GAS)
const pao2Fio2 = overFraction(last('pao2').within(GAS), fio2)
const spo2 = last('spo2').within(GAS)
const spo2Fio2 = when(spo2, '<=', 97, overFraction(spo2, fio2), absent('%'))
const urine24h = urineOver(24)

const parts = {
  sofaRespiration: sofa.respiration(pao2Fio2),
  sofaCoagulation: sofa.coagulation(min('platelets').overReadings(DAY)),
  sofaLiver: sofa.liver(max('bilirubinTotal').overReadings(DAY)),
  // Hourly means, so that a flushed line of some seconds is no hypotension; where only a cuff is there, its newest reading.
  sofaPressure: sofa.pressure(coalesce(min('meanPressure').overSamples(DAY), derivedMean(last('systolic').within(DAY), last('diastolic').within(DAY)))),
  sofaConsciousness: sofa.consciousness(min('gcs').overReadings(DAY)),
  sofaRenal: sofa.renal(max('creatinine').overReadings(DAY), urine24h),
}

/**
 * Percent by which lactate has fallen from the first result of the window to the newest (below 0: risen); absent with one result. Nguyen HB et
 * al., Early lactate clearance is associated with improved outcome in severe sepsis and septic shock, Crit Care Med 2004; 32: 1637: over 6 hours.
 */
function lactateClearance (window: Duration): Feature {
  const oldest = first('lactate').overReadings(window)
  const fallen = times(ratio(minus(oldest, last('lactate').within(window)), oldest), constant(100, '%'))
  return when(count('lactate').overReadings(window), '>=', 2, fallen, absent('%'))
}

/** Organ function: SOFA as far as it can be known, and what it rests on. */
export const organsView: FeatureView = featureView({
  name: 'organs', version: 1, owner: 'clinical', ttl: '24 h',
  description: 'SOFA without vasopressors and ventilation, oxygenation, lactate clearance, anion gap',
  emit: { every: '15 m', on: ['laboratory'] },
  features: {
    ...parts,
    /** A lower bound always (no vasopressors, no respiratory support), 0 to 19. */
    sofaPartial: sumOfPresent(...Object.values(parts)),
    sofaMissing: countMissing(...Object.values(parts)),
    sofaRespirationSupported: sofa.respirationSupported(pao2Fio2),
    sofaRespirationSpo2: sofa.respirationBySpo2(spo2Fio2),
    pao2Fio2,
    inspiredOxygen: fio2,
    urine24h,
    lactateClearance6h: lactateClearance('6 h'),
    lactateClearance24h: lactateClearance('24 h'),
    /** Sodium - (chloride + bicarbonate), without potassium and not corrected for albumin: Emmett M, Narins RG, Medicine 1977; 56: 38. */
    anionGap: minus(last('sodium').within(PANEL), plus(last('chloride').within(PANEL), last('bicarbonate').within(PANEL))),
  },
})
