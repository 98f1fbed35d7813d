import { featuresMachine, type FeatureOutput } from '../../../features/compute/index.ts'
import type { FeatureView } from '../../../features/define/index.ts'
import { KeyedMachine, type Emitted } from '../../../streams/engine/index.ts'
import type { ConceptId, EncounterEvent, Observation } from '../../../streams/events/index.ts'

export const AT: number = Date.UTC(2030, 0, 7, 12)
const HOUR_MS = 3_600_000

/** A value now, or values at hours before now: `{ creatinine: [[30, 1], [0, 1.6]] }`. */
export type Readings = Readonly<Partial<Record<ConceptId, number | readonly (readonly [hoursAgo: number, value: number])[]>>>
export type Scored = Readonly<Record<string, number>>
export interface About { readonly ageYears?: number }

/** One charted message through the machine of one view; answers its features by name, as of the message. */
export function scored (view: FeatureView, readings: Readings, { ageYears = -1 }: About = {}): Scored {
  const machine = new KeyedMachine(featuresMachine([{ ...view, emit: { ...view.emit, on: ['charted'] } }]))
  let answer: Scored = {}
  const keep = ({ out }: Emitted<FeatureOutput>): void => { if (out.type === 'vector') answer = Object.fromEntries(view.names.map((name, i) => [name, out.values[i]!])) }
  const admitted: EncounterEvent = { type: 'encounter', action: 'admit', eventTime: AT, source: 'test', ward: 'W', bed: '1', ageYears, sex: 'unknown', hoursSinceHospitalAdmission: -1 }
  machine.record(0, AT, 'p', admitted, keep)
  machine.record(1, AT, 'p', { type: 'observations', kind: 'charted', source: 'test', observations: observationsOf(readings) }, keep)
  return answer
}

function observationsOf (readings: Readings): readonly Observation[] {
  return (Object.entries(readings) as [ConceptId, Readings[ConceptId]][])
    .flatMap(([concept, of]) => (typeof of === 'number' ? [[0, of] as const] : of!).map(([hoursAgo, value]) => ({ concept, value, comparator: '=' as const, eventTime: AT - hoursAgo * HOUR_MS, status: 'final' as const, quality: 'valid' as const, resultId: '' })))
    .sort((a, b) => a.eventTime - b.eventTime)
}

/** The least number above, and the greatest below, at the precision in which a value is charted. */
export const beside = (value: number, step: number): readonly [below: number, above: number] => [Number((value - step).toFixed(6)), Number((value + step).toFixed(6))]
