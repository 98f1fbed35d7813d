import fc from 'fast-check'
import type { ConceptId, Observation, ObservationKind, ObservationSet, Quality, ResultStatus } from '../../../streams/events/index.ts'

/** A Monday; divisible by every tile and window of the tests. */
export const START: number = Date.UTC(2030, 0, 7)
const STEP_MS = 1_000

export interface Arrival { readonly arrival: number, readonly set: ObservationSet }
export interface LatticeOptions {
  readonly concepts: readonly ConceptId[]
  readonly kinds: readonly ObservationKind[]
  /** Result identities that charted and laboratory readings draw from; 0: every reading has none. */
  readonly identities: number
  readonly records: number
}

interface Draw { readonly wait: number, readonly kind: ObservationKind, readonly again: number, readonly items: readonly Item[] }
interface Item { readonly concept: ConceptId, readonly lag: number, readonly value: number, readonly id: number, readonly status: ResultStatus, readonly quality: Quality }

/**
 * Messages on a lattice of whole seconds, so that ties and exact boundaries of tiles and windows are common. Disorder is built: arrival is drawn,
 * and the event time lies a drawn lag before it. Now and then an earlier message comes again.
 */
export function arrivals ({ concepts, kinds, identities, records }: LatticeOptions): fc.Arbitrary<readonly Arrival[]> {
  const item: fc.Arbitrary<Item> = fc.record({
    concept: fc.constantFrom(...concepts),
    lag: fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(150) }),
    value: fc.integer({ min: -4, max: 9 }),
    id: fc.nat(Math.max(identities - 1, 0)),
    status: fc.oneof({ weight: 6, arbitrary: fc.constant<ResultStatus>('final') }, { weight: 1, arbitrary: fc.constantFrom<ResultStatus>('corrected', 'withdrawn', 'preliminary') }),
    quality: fc.oneof({ weight: 9, arbitrary: fc.constant<Quality>('valid') }, { weight: 1, arbitrary: fc.constantFrom<Quality>('questionable', 'artefact') }),
  })
  const draw: fc.Arbitrary<Draw> = fc.record({
    wait: fc.oneof({ weight: 4, arbitrary: fc.nat(4) }, { weight: 1, arbitrary: fc.nat(90) }),
    kind: fc.constantFrom(...kinds),
    again: fc.nat(30),
    items: fc.array(item, { minLength: 1, maxLength: 3 }),
  })
  return fc.array(draw, { minLength: 1, maxLength: records }).map(draws => lay(draws, identities))
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
  const named = kind !== 'device' && identities > 0
  return { concept, value: value / 2, comparator: '=', eventTime: arrival - lag * STEP_MS, status: named || status !== 'withdrawn' ? status : 'final', quality, resultId: named ? `r${id}` : '' }
}
