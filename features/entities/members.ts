import type { Emit, StateMachine } from '../../streams/engine/index.ts'
import type { EncounterEvent, MergeEvent } from '../../streams/events/index.ts'
import { viewKey, type FeatureView } from '../define/index.ts'
import type { FeatureVector } from '../vector.ts'
import { nameOf, type SourceFeature } from './source-features.ts'

/** What a ward or a bed is told of one patient: the features that some view aggregates, or that the patient has left. */
export interface MemberUpdate {
  readonly patient: string
  readonly present: boolean
  /** Of the values: `news2@1:news2`. */
  readonly names: readonly string[]
  /** NaN where absent. */
  readonly values: readonly number[]
  readonly times: readonly number[]
}

/** An update with whom it is for: `ward:W1` or `bed:W1/4`. The patient is the key that it was emitted for. */
export interface MemberNews extends Omit<MemberUpdate, 'patient'> { readonly group: string }

export interface MemberState { ward: string, bed: string, readonly values: number[], readonly times: number[] }

/** What is read of `latido.features`. */
export type MemberInput = FeatureVector | EncounterEvent | MergeEvent

/** One patient's life in wards and beds: tells where the patient lies what of the patient is aggregated there, and where the patient lay that this is over. */
export function membersMachine (views: readonly FeatureView[], sources: readonly SourceFeature[], kinds: ReadonlySet<string>): StateMachine<MemberState, MemberInput, MemberNews> {
  const names = sources.map(nameOf)
  const places = new Map(views.map(view => [viewKey(view), sources.flatMap((s, i) => s.view === view.name && s.version === view.version ? [{ i, at: view.names.indexOf(s.feature) }] : [])]))
  const groupsOf = ({ ward, bed }: Pick<MemberState, 'ward' | 'bed'>): readonly string[] => [...(ward !== '' && kinds.has('ward') ? [`ward:${ward}`] : []), ...(bed !== '' && kinds.has('bed') ? [`bed:${ward}/${bed}`] : [])]
  const tell = (state: MemberState, groups: readonly string[], present: boolean, emit: Emit<MemberNews>): void => {
    for (const group of groups) emit({ group, present, names: present ? names : [], values: present ? [...state.values] : [], times: present ? [...state.times] : [] })
  }
  const move = (state: MemberState, ward: string, bed: string, emit: Emit<MemberNews>): void => {
    if (ward === state.ward && bed === state.bed) return
    const [before, after] = [groupsOf(state), groupsOf({ ward, bed })]
    tell(state, before.filter(g => !after.includes(g)), false, emit)
    state.ward = ward
    state.bed = bed
    tell(state, after.filter(g => !before.includes(g)), true, emit)
  }
  const forget = (state: MemberState): void => { state.values.fill(NaN); state.times.fill(NaN) }
  return {
    name: `members ${names.join(' ')} of ${[...kinds].sort().join(' ')}`,
    empty: () => ({ ward: '', bed: '', values: names.map(() => NaN), times: names.map(() => NaN) }),
    step: (state, input, emit) => {
      if (input.kind === 'tick') return
      const { value } = input
      if (value.type === 'vector') {
        let changed = false
        for (const { i, at } of places.get(viewKey(value)) ?? []) {
          changed ||= !Object.is(state.values[i], value.values[at])
          state.values[i] = value.values[at]!
          state.times[i] = value.times[at]!
        }
        if (changed) tell(state, groupsOf(state), true, emit)
        return
      }
      if (value.type === 'encounter' && value.action !== 'discharge') { move(state, value.ward, value.bed, emit); return }
      move(state, '', '', emit)
      forget(state)
    },
    nextDue: () => undefined,
    isEmpty: state => state.ward === '' && state.bed === '' && state.values.every(Number.isNaN),
    codec: {
      version: 1,
      encode: ({ ward, bed, values, times }) => Buffer.from(JSON.stringify([ward, bed, values.map(plain), times.map(plain)])),
      decode: bytes => {
        const [ward, bed, values, times] = JSON.parse(bytes.toString()) as [string, string, (number | null)[], (number | null)[]]
        return { ward, bed, values: values.map(v => v ?? NaN), times: times.map(t => t ?? NaN) }
      },
    },
  }
}

/** JSON has no NaN. */
function plain (value: number): number | null { return Number.isNaN(value) ? null : value }
