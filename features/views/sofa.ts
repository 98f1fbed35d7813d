import { banded, maxOfPresent, rounded, type Feature } from '../define/index.ts'
import { point, pointsBelow, pointsFrom } from './points.ts'

/**
 * SOFA: Vincent JL et al., The SOFA (Sepsis-related Organ Failure Assessment) score to describe organ dysfunction/failure, Intensive Care Med
 * 1996; 22: 707, table 3 (the same in Singer M et al., Sepsis-3, JAMA 2016; 315: 801, table 1). Limits in mg/dL, which are the table's own; its
 * micromoles are rounded (creatinine 110 umol/L is 1.24 mg/dL, not 1.2) and are not used. Where a value falls between two bands of the table
 * (bilirubin 1.95, or 12.0 itself) the band's lower limit decides.
 */
export const sofa = {
  /** PaO2 / FiO2 in mmHg. 3 and 4 need respiratory support, of which nothing is known here: at most 2, a lower bound. */
  respiration: (pao2Fio2: Feature): Feature => pointsBelow(pao2Fio2, [[400, 1], [300, 2]]),
  /** What the respiratory part is in a patient with respiratory support. */
  respirationSupported: (pao2Fio2: Feature): Feature => pointsBelow(pao2Fio2, [[400, 1], [300, 2], [200, 3], [100, 4]]),
  /** 10*3/uL. */
  coagulation: (platelets: Feature): Feature => pointsBelow(platelets, [[150, 1], [100, 2], [50, 3], [20, 4]]),
  /** mg/dL. */
  liver: (bilirubin: Feature): Feature => pointsFrom(bilirubin, [[1.2, 1], [2, 2], [6, 3], [12, 4]]),
  /** The mean pressure alone: 2 to 4 points are for doses of vasopressors, which are not known here. At most 1, a lower bound. */
  pressure: (meanPressure: Feature): Feature => point(meanPressure, '<', 70),
  consciousness: (gcs: Feature): Feature => banded(rounded(gcs), [[5, 4], [9, 3], [12, 2], [14, 1]], 0),
  /** mg/dL, and mL of 24 hours: whichever is worse, of what is known. */
  renal: (creatinine: Feature, urine24h: Feature): Feature =>
    maxOfPresent(pointsFrom(creatinine, [[1.2, 1], [2, 2], [3.5, 3], [5, 4]]), pointsBelow(urine24h, [[500, 3], [200, 4]])),
  /**
   * The respiratory part by SpO2 / FiO2 instead, its limits of 512 and 357 standing for 400 and 300: Pandharipande PP et al., Derivation and
   * validation of SpO2/FiO2 ratio to impute for PaO2/FiO2 ratio in the respiratory component of SOFA, Crit Care Med 2009; 37: 1317. At most 2,
   * as above. The caller leaves out saturations above 97 %, where the dissociation curve is flat (Rice TW et al., Chest 2007; 132: 410).
   */
  respirationBySpo2: (spo2Fio2: Feature): Feature => pointsBelow(spo2Fio2, [[512, 1], [357, 2]]),
}
