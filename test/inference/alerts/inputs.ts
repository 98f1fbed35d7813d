import type { AlertInput, AlertOptions, Score } from '../../../inference/alerts/index.ts'
import { ALERT_DEFAULTS } from '../../../inference/alerts/index.ts'
import type { NamesOf } from '../../../inference/alerts/rules.ts'
import { NEWS2_PARTS, news2View, vitalsView } from '../../../features/views/index.ts'
import type { FeatureVector, Trigger } from '../../../features/vector.ts'
import type { EncounterAction } from '../../../streams/events/index.ts'

export const START: number = Date.UTC(2030, 0, 7, 8)
export const OPTIONS: AlertOptions = { ...ALERT_DEFAULTS, sepsisThreshold: 0.5, sepsisBasis: 'sepsis@1' }

export const namesOf: NamesOf = (view, version) => view === news2View.name && version === news2View.version ? news2View.names : undefined

/** Points by part, in the order of the chart: respiration, SpO2, oxygen, systolic, pulse, consciousness, temperature; NaN where missing. */
export type Points = readonly number[]

export function news2 (points: Points, asOf: number, trigger: Trigger = 'charted'): AlertInput {
  const present = points.filter(p => !Number.isNaN(p))
  const features = new Map<string, number>(NEWS2_PARTS.flatMap((part, i) => [[part, points[i] ?? NaN], [`${part}Value`, points[i] === undefined || Number.isNaN(points[i]) ? NaN : 100 + i]] as [string, number][]))
  features.set('news2', present.length === 0 ? NaN : present.reduce((a, b) => a + b, 0))
  features.set('news2Max', present.length === 0 ? NaN : Math.max(...present))
  features.set('news2Missing', NEWS2_PARTS.length - present.length)
  const values = Float64Array.from(news2View.names, name => features.get(name)!)
  return scored({ type: 'vector', view: news2View.name, version: news2View.version, asOf, trigger, values, times: values.map(v => Number.isNaN(v) ? NaN : asOf - 1_000) })
}

/** NEWS2 of `total` points, none red unless it must be. */
export function news2Of (total: number, asOf: number, trigger: Trigger = 'charted'): AlertInput {
  let left = total
  const limit = total > 14 ? 3 : 2
  return news2(NEWS2_PARTS.map(() => { const points = Math.min(left, limit); left -= points; return points }), asOf, trigger)
}

/** A vitals vector whose newest reading is of `newest`. */
export function vitals (newest: number, asOf: number, trigger: Trigger = 'device'): AlertInput {
  const values = new Float64Array(vitalsView.names.length).fill(NaN)
  const times = new Float64Array(vitalsView.names.length).fill(NaN)
  values[0] = 80
  times[0] = newest
  return scored({ type: 'vector', view: vitalsView.name, version: vitalsView.version, asOf, trigger, values, times })
}

export function risk (probability: number, asOf: number, trigger: Trigger = 'charted'): AlertInput {
  const score: Score = { model: 'sepsis', modelVersion: '1', view: 'sepsis', viewVersion: 1, asOf, probability, presentShare: 1, reasons: [{ feature: 'lactateLast', value: null, contribution: 0.4, eventTime: null }] }
  const empty = Float64Array.of(1)
  return { ...scored({ type: 'vector', view: 'sepsis', version: 1, asOf, trigger, values: empty, times: Float64Array.of(asOf) }), score }
}

function scored (vector: FeatureVector): AlertInput & { readonly type: 'scored' } { return { type: 'scored', vector, score: undefined } }

export function encounter (action: EncounterAction): AlertInput {
  return { type: 'encounter', action, eventTime: START, source: 'test', ward: 'W', bed: '1', ageYears: 60, sex: 'unknown', hoursSinceHospitalAdmission: -1 }
}
export function acknowledgement (alertId: string): AlertInput { return { type: 'acknowledgement', alertId, by: 'nurse' } }
