import fc from 'fast-check'
import { ENCOUNTER_ACTIONS, type BedsideEvent, type ConceptId, type EncounterAction, type EncounterEvent, type Observation, type ObservationKind, type ObservationSet, type Quality, type ResultStatus } from '../../../streams/events/index.ts'

/** A Monday; divisible by every tile and window of the tests. */
export const START: number = Date.UTC(2030, 0, 7)
const STEP_MS = 1_000
const HOUR_S = 3_600
/** With what clocks are wrong by it stays within the longest window of the tests, 72 h: a word about a reading that is no longer held would be a new one. */
const SILENCE_S_MAX = 50 * HOUR_S

export interface Arrival { readonly arrival: number, readonly set: ObservationSet }
export interface LatticeOptions {
  readonly concepts: readonly ConceptId[]
  readonly kinds: readonly ObservationKind[]
  /** Result identities that charted and laboratory readings draw from; 0: every reading has none. */
  readonly identities: number
  readonly records: number
}

interface Item { readonly concept: ConceptId, readonly lag: number, readonly value: number, readonly id: number, readonly status: ResultStatus, readonly quality: Quality }
interface Draw { readonly wait: number, readonly kind: ObservationKind, readonly again: number, readonly items: readonly Item[] }
/** One record of a patient, or time that passes. */
export interface Happening { readonly arrival: number, readonly event: BedsideEvent | undefined }

/** Around which a concept's values lie, so that all are possible; some are negative or 0 where the concept allows it. */
export function valueBase (concept: ConceptId): number { return ({ heartRate: 60, spo2: 90, systolic: 110, respiratoryRate: 14, temperature: 36, lactate: 3, baseExcess: 0 } as Partial<Record<ConceptId, number>>)[concept] ?? 20 }

function items (concepts: readonly ConceptId[], identities: number, lag: fc.Arbitrary<number>): fc.Arbitrary<Item> {
  return fc.record({
    concept: fc.constantFrom(...concepts),
    lag,
    value: fc.integer({ min: -4, max: 9 }),
    id: fc.nat(Math.max(identities - 1, 0)),
    status: fc.oneof({ weight: 6, arbitrary: fc.constant<ResultStatus>('final') }, { weight: 1, arbitrary: fc.constantFrom<ResultStatus>('corrected', 'withdrawn', 'preliminary') }),
    quality: fc.oneof({ weight: 9, arbitrary: fc.constant<Quality>('valid') }, { weight: 1, arbitrary: fc.constantFrom<Quality>('questionable', 'artefact') }),
  })
}

const NEAR = fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(150) })
/** Clocks that are wrong: quarter hours early up to beyond the horizon of dense readings, and ahead. */
const FAULTY = fc.oneof({ weight: 20, arbitrary: NEAR }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 80 }).map(n => n * HOUR_S / 4) }, { weight: 1, arbitrary: fc.integer({ min: -9, max: -1 }) }, { weight: 1, arbitrary: fc.constantFrom(0.05, 0.25, 0.3, HOUR_S, HOUR_S + 0.001, -5 * HOUR_S) })

/**
 * Messages on a lattice of whole seconds, so that ties and exact boundaries of tiles and windows are common. Disorder is built: arrival is drawn,
 * and the event time lies a drawn lag before it. Now and then an earlier message comes again.
 */
export function arrivals ({ concepts, kinds, identities, records }: LatticeOptions): fc.Arbitrary<readonly Arrival[]> {
  return fc.array(draw(concepts, kinds, identities, NEAR), { minLength: 1, maxLength: records, size: 'max' }).map(draws => lay(draws, identities))
}

function draw (concepts: readonly ConceptId[], kinds: readonly ObservationKind[], identities: number, lag: fc.Arbitrary<number>): fc.Arbitrary<Draw> {
  return fc.record({
    wait: fc.oneof({ weight: 4, arbitrary: fc.nat(4) }, { weight: 1, arbitrary: fc.nat(90) }),
    kind: fc.constantFrom(...kinds),
    again: fc.nat(30),
    items: fc.array(items(concepts, identities, lag), { minLength: 1, maxLength: 3 }),
  })
}

function lay (draws: readonly Draw[], identities: number): readonly Arrival[] {
  let arrival = START
  const laid: Arrival[] = []
  for (const { wait, kind, again, items } of draws) {
    arrival += wait * STEP_MS
    const earlier = again < 4 ? laid.at(-1 - again) : undefined
    laid.push({ arrival, set: earlier?.set ?? { type: 'observations', kind, source: 'test', observations: items.map(i => observation(i, kind, arrival, identities)) } })
  }
  return laid
}

function observation ({ concept, lag, value, id, status, quality }: Item, kind: ObservationKind, arrival: number, identities: number): Observation {
  // One in six numerics has an identity: those are kept, as results are.
  const named = identities > 0 && (kind !== 'device' || (id === 0 && value % 2 === 0))
  return { concept, value: valueBase(concept) + value / 2, comparator: '=', eventTime: arrival - lag * STEP_MS, status: named || status !== 'withdrawn' ? status : 'final', quality, resultId: named ? `r${id}` : '' }
}

export function encounter (action: EncounterAction, more: Partial<EncounterEvent> = {}): EncounterEvent {
  return { type: 'encounter', action, eventTime: START, source: 'test', ward: 'W', bed: '1', ageYears: -1, sex: 'unknown', hoursSinceHospitalAdmission: -1, ...more }
}

/**
 * A patient's records: messages as above with clocks that are wrong, admissions and discharges, long silences (a discharged patient is forgotten,
 * and readmitted), and times at which nothing comes but time.
 */
export function patientStories (options: LatticeOptions): fc.Arbitrary<readonly Happening[]> {
  const step = fc.record({
    draw: draw(options.concepts, options.kinds, options.identities, FAULTY),
    pause: fc.oneof({ weight: 30, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(HOUR_S / 2, HOUR_S, 5 * HOUR_S, 12 * HOUR_S, 25 * HOUR_S) }),
    stay: fc.oneof({ weight: 12, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.record({ action: fc.constantFrom<EncounterAction>(...ENCOUNTER_ACTIONS, 'discharge', 'admit'), ageYears: fc.constantFrom(-1, 50), sex: fc.constantFrom('unknown', 'male', 'other', 'female'), hours: fc.constantFrom(-1, 3) }) }),
    silent: fc.boolean(),
  })
  return fc.array(step, { minLength: Math.ceil(options.records / 3), maxLength: options.records, size: 'max' }).map(steps => {
    let arrival = START
    const laid: Happening[] = []
    let silence = 0
    for (const { draw: { wait, kind, again, items }, pause: drawn, stay, silent } of steps) {
      const pause = silence + drawn > SILENCE_S_MAX ? 0 : drawn
      silence += pause
      if (pause > 0 && silent) laid.push({ arrival: arrival += pause * STEP_MS, event: undefined })
      else arrival += pause * STEP_MS
      arrival += wait * STEP_MS
      const earlier = again < 4 ? laid.at(-1 - again)?.event : undefined
      const told = stay === undefined ? undefined : encounter(stay.action, { eventTime: arrival - items[0]!.value * 60_000, ageYears: stay.ageYears, sex: stay.sex, hoursSinceHospitalAdmission: stay.hours } as Partial<EncounterEvent>)
      laid.push({ arrival, event: earlier ?? told ?? { type: 'observations', kind, source: 'test', observations: items.map(i => observation(i, kind, arrival, options.identities)) } })
    }
    return laid
  })
}
