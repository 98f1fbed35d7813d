import { banded, constant, maxOfPresent, minus, plus, ratio, rounded, type Feature } from '../define/index.ts'
import { charted, point } from './points.ts'

/**
 * qSOFA: Seymour CW et al., Assessment of clinical criteria for sepsis, JAMA 2016; 315: 762, with the limits of Singer M et al., Sepsis-3,
 * JAMA 2016; 315: 801, box 4: respiration 22 or more, systolic 100 or less, altered mentation (Glasgow below 15, or not alert on ACVPU).
 */
export const qsofa = {
  respiration: (rate: Feature): Feature => point(rounded(rate), '>=', 22),
  systolic: (pressure: Feature): Feature => point(rounded(pressure), '<=', 100),
  mentation: (gcs: Feature, acvpu: Feature): Feature => maxOfPresent(point(gcs, '<', 15), point(acvpu, '>', 0)),
}

/**
 * SIRS: Bone RC et al., Definitions for sepsis and organ failure, Chest 1992; 101: 1644, table 1. Immature forms over 10 % are not known here.
 * PaCO2 below 32 mmHg (4.3 kPa), leukocytes in 10*3/uL (12,000 and 4,000 per cubic millimetre).
 */
export const sirs = {
  temperature: (celsius: Feature): Feature => maxOfPresent(point(rounded(celsius, 1), '>', 38), point(rounded(celsius, 1), '<', 36)),
  heartRate: (rate: Feature): Feature => point(rounded(rate), '>', 90),
  respiration: (rate: Feature, paco2: Feature): Feature => maxOfPresent(point(rounded(rate), '>', 20), point(paco2, '<', 32)),
  leukocytes: (wbc: Feature): Feature => maxOfPresent(point(wbc, '>', 12), point(wbc, '<', 4)),
}

/**
 * MEWS: Subbe CP et al., Validation of a modified Early Warning Score in medical admissions, QJM 2001; 94: 521, table 1. The table leaves out a
 * heart rate of 40 (below 40, 41-50): it counts as below, as the later prints of the table have it. AVPU: new confusion (the C of ACVPU) is not
 * in it; who is confused and awake is alert there.
 */
export const mews = {
  systolic: (pressure: Feature): Feature => charted(pressure, [[70, 3], [80, 2], [100, 1], [199, 0]], 2),
  heartRate: (rate: Feature): Feature => charted(rate, [[40, 2], [50, 1], [100, 0], [110, 1], [129, 2]], 3),
  respiration: (rate: Feature): Feature => charted(rate, [[8, 2], [14, 0], [20, 1], [29, 2]], 3),
  temperature: (celsius: Feature): Feature => charted(celsius, [[34.9, 2], [38.4, 0]], 2, 1),
  consciousness: (acvpu: Feature): Feature => banded(acvpu, [[1, 0], [2, 1], [3, 2]], 3),
}

/** Heart rate over systolic pressure: Allgöwer M, Burri C, Schockindex, Dtsch Med Wochenschr 1967; 92: 1947. Over the mean pressure it is "modified": Liu YC et al., World J Emerg Med 2012; 3: 114. */
export const shockIndex: (heartRate: Feature, pressure: Feature) => Feature = ratio

/** Mean arterial pressure where two pressures are known: diastolic plus a third of the pulse pressure. */
export const derivedMean = (systolic: Feature, diastolic: Feature): Feature => plus(diastolic, ratio(minus(systolic, diastolic), constant(3)))
