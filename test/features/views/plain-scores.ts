/**
 * The scores once more, as plain functions written from the published charts, for comparison. Nothing here is shared with the definitions.
 * Absent is undefined; units are those of the charts' own mg/dL, mmHg, percent and Celsius columns.
 */
type Known = number | undefined

const whole = (x: number): number => Math.floor(x + 0.5 + 1e-9)
const tenths = (x: number): number => Math.floor(x * 10 + 0.5 + 1e-9) / 10
function of<T> (x: T | undefined, f: (x: T) => number): Known { return x === undefined ? undefined : f(x) }
const present = (parts: readonly Known[]): readonly number[] => parts.filter(p => p !== undefined)
export const total = (parts: readonly Known[]): Known => present(parts).length === 0 ? undefined : present(parts).reduce((a, b) => a + b, 0)
export const worst = (...parts: readonly Known[]): Known => present(parts).length === 0 ? undefined : Math.max(...present(parts))

export interface Set { rate?: number, systolic?: number, diastolic?: number, pulse?: number, temperature?: number, acvpu?: number, gcs?: number, spo2?: number, oxygen?: number, scale?: number, wbc?: number, paco2?: number }

/** RCP 2017, chart 1: the columns from left to right. */
export function plainNews2 (s: Set): readonly Known[] {
  return [
    of(s.rate, x => { const v = whole(x); if (v <= 8) return 3; if (v <= 11) return 1; if (v <= 20) return 0; return v <= 24 ? 2 : 3 }),
    s.spo2 === undefined ? undefined : s.scale === 2 ? plainScale2(whole(s.spo2), s.oxygen) : plainScale1(whole(s.spo2)),
    of(s.oxygen, x => x === 1 ? 2 : 0),
    of(s.systolic, x => { const v = whole(x); if (v <= 90) return 3; if (v <= 100) return 2; if (v <= 110) return 1; return v <= 219 ? 0 : 3 }),
    of(s.pulse, x => { const v = whole(x); if (v <= 40) return 3; if (v <= 50) return 1; if (v <= 90) return 0; if (v <= 110) return 1; return v <= 130 ? 2 : 3 }),
    of(s.acvpu ?? of(s.gcs, g => g < 15 ? 1 : 0), x => x === 0 ? 0 : 3),
    of(s.temperature, x => { const v = tenths(x); if (v <= 35) return 3; if (v <= 36) return 1; if (v <= 38) return 0; return v <= 39 ? 1 : 2 }),
  ]
}

function plainScale1 (v: number): number { if (v <= 91) return 3; if (v <= 93) return 2; return v <= 95 ? 1 : 0 }
function plainScale2 (v: number, oxygen: Known): Known {
  if (v <= 83) return 3
  if (v <= 85) return 2
  if (v <= 87) return 1
  if (v <= 92) return 0
  if (oxygen === undefined) return undefined
  if (oxygen === 0) return 0
  if (v <= 94) return 1
  return v <= 96 ? 2 : 3
}

export function plainQsofa (s: Set): readonly Known[] {
  return [of(s.rate, x => Number(whole(x) >= 22)), of(s.systolic, x => Number(whole(x) <= 100)), worst(of(s.gcs, x => Number(x < 15)), of(s.acvpu, x => Number(x !== 0)))]
}

export function plainSirs (s: Set): readonly Known[] {
  return [
    of(s.temperature, x => Number(tenths(x) > 38 || tenths(x) < 36)),
    of(s.pulse, x => Number(whole(x) > 90)),
    worst(of(s.rate, x => Number(whole(x) > 20)), of(s.paco2, x => Number(x < 32))),
    of(s.wbc, x => Number(x > 12 || x < 4)),
  ]
}

export function plainMews (s: Set): readonly Known[] {
  return [
    of(s.systolic, x => { const v = whole(x); if (v >= 200) return 2; if (v >= 101) return 0; if (v >= 81) return 1; return v >= 71 ? 2 : 3 }),
    of(s.pulse, x => { const v = whole(x); if (v >= 130) return 3; if (v >= 111) return 2; if (v >= 101) return 1; if (v >= 51) return 0; return v >= 41 ? 1 : 2 }),
    of(s.rate, x => { const v = whole(x); if (v >= 30) return 3; if (v >= 21) return 2; if (v >= 15) return 1; return v >= 9 ? 0 : 2 }),
    of(s.temperature, x => { const v = tenths(x); return v >= 38.5 || v < 35 ? 2 : 0 }),
    of(s.acvpu, x => [0, 0, 1, 2, 3][x]!),
  ]
}

export interface Organs { pao2?: number, fio2?: number, onAir?: boolean, platelets?: number, bilirubin?: number, meanPressure?: number, gcs?: number, creatinine?: number, urine24h?: number }

/** Vincent 1996, table 3, without the columns that need a ventilator or a vasopressor. */
export function plainSofa (o: Organs): readonly Known[] {
  const fraction = o.fio2 ?? (o.onAir === true ? 21 : undefined)
  const pf = o.pao2 === undefined || fraction === undefined ? undefined : o.pao2 / (fraction / 100)
  return [
    of(pf, x => x >= 400 ? 0 : x >= 300 ? 1 : 2),
    of(o.platelets, x => x >= 150 ? 0 : x >= 100 ? 1 : x >= 50 ? 2 : x >= 20 ? 3 : 4),
    of(o.bilirubin, x => x < 1.2 ? 0 : x < 2 ? 1 : x < 6 ? 2 : x < 12 ? 3 : 4),
    of(o.meanPressure, x => x < 70 ? 1 : 0),
    of(o.gcs, x => x === 15 ? 0 : x >= 13 ? 1 : x >= 10 ? 2 : x >= 6 ? 3 : 4),
    worst(of(o.creatinine, x => x < 1.2 ? 0 : x < 2 ? 1 : x < 3.5 ? 2 : x < 5 ? 3 : 4), of(o.urine24h, x => x < 200 ? 4 : x < 500 ? 3 : 0)),
  ]
}

export interface Result { readonly hoursAgo: number, readonly value: number }

/** NHS England 2014 and KDIGO 2012, from a list of creatinine results in mg/dL. Adults. */
export function plainKdigo (results: readonly Result[]): Known {
  const [index, ...earlier] = [...results].sort((a, b) => a.hoursAgo - b.hoursAgo)
  if (index === undefined || index.hoursAgo > 48) return undefined
  const within = (fromHours: number, toHours: number): readonly number[] => earlier.filter(r => r.hoursAgo >= fromHours && r.hoursAgo <= toHours).map(r => r.value)
  const week = within(0, 8 * 24)
  const year = earlier.filter(r => r.hoursAgo > 8 * 24 && r.hoursAgo <= 366 * 24).map(r => r.value).sort((a, b) => a - b)
  const twoDays = within(0, 48)
  const median = year.length === 0 ? undefined : (year[Math.floor((year.length - 1) / 2)]! + year[Math.ceil((year.length - 1) / 2)]!) / 2
  const ratios = [...(week.length === 0 ? [] : [index.value / Math.min(...week)]), ...(median === undefined ? [] : [index.value / median])]
  if (ratios.length === 0 && twoDays.length === 0) return undefined
  const reaches = (x: number, limit: number): boolean => x > limit - 1e-9
  const highest = Math.max(0, ...ratios)
  const rises = twoDays.length > 0 && reaches(index.value - Math.min(...twoDays), 0.2995)
  if (!reaches(highest, 1.5) && !rises) return 0
  if (reaches(highest, 3) || reaches(index.value, 3.9995)) return 3
  return reaches(highest, 2) ? 2 : 1
}
