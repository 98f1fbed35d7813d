import v8 from 'node:v8'
import type { Emit, StateMachine } from '../../streams/engine/index.ts'
import type { ArrivalTimeMs } from '../../streams/time/index.ts'
import { derive, type Evaluate } from '../compute/index.ts'
import { viewKey, type Expression, type FeatureView } from '../define/index.ts'
import { emptyVector, type FeatureVector } from '../vector.ts'
import type { MemberUpdate } from './members.ts'
import { nameOf } from './source-features.ts'

const NEVER = -1

interface Member { readonly values: Record<string, number>, readonly times: Record<string, number> }
interface ViewState { lastEmit: ArrivalTimeMs, emitDue: ArrivalTimeMs, watched: number[] }
export interface GroupState { kind: string, readonly members: Map<string, Member>, views: ViewState[] }

interface Context { time: number, members: ReadonlyMap<string, Member> }
type Members = Extract<Expression, { op: 'members' }>

/** The views of wards and beds, one state a ward or a bed: what each of its patients brings, and when each view spoke last. */
export function groupMachine (views: readonly FeatureView[]): StateMachine<GroupState, MemberUpdate, FeatureVector> {
  const planned = views.map(view => ({ view, evaluates: view.expressions.map(compile), watched: view.emit.onChange.map(name => view.names.indexOf(name)) }))
  const context: Context = { time: 0, members: new Map() }

  const emitView = (state: GroupState, v: number, asOf: ArrivalTimeMs, emit: Emit<FeatureVector>): void => {
    const { view, evaluates, watched } = planned[v]!
    const vector: FeatureVector = { type: 'vector', view: view.name, version: view.version, asOf, trigger: 'timer', ...emptyVector(view.names.length) }
    context.members = state.members
    evaluates.forEach((evaluate, i) => {
      context.time = Infinity
      const value = evaluate(context)
      vector.values[i] = value
      vector.times[i] = Number.isNaN(value) ? NaN : context.time === Infinity ? asOf : context.time
    })
    const mine = state.views[v]!
    mine.lastEmit = asOf
    mine.emitDue = NEVER
    mine.watched = watched.map(i => vector.values[i]!)
    emit(vector)
  }
  const changed = (state: GroupState, v: number): boolean => {
    const { evaluates, watched } = planned[v]!
    context.members = state.members
    return watched.some((i, j) => !Object.is(evaluates[i]!(context), state.views[v]!.watched[j]))
  }

  return {
    name: `groups ${views.map(viewKey).join(' ')}`,
    empty: key => ({ kind: key.slice(0, key.indexOf(':')), members: new Map(), views: views.map(() => ({ lastEmit: NEVER, emitDue: NEVER, watched: [] })) }),
    step: (state, input, emit) => {
      if (input.kind === 'record') take(state, input.value)
      planned.forEach(({ view }, v) => {
        if (view.entity !== state.kind) return
        const mine = state.views[v]!
        if (input.kind === 'tick') { if (mine.emitDue !== NEVER && input.at >= mine.emitDue) emitView(state, v, input.at, emit); return }
        if (mine.lastEmit === NEVER || input.arrival - mine.lastEmit >= view.emit.everyMs || changed(state, v)) emitView(state, v, input.arrival, emit)
        else if (mine.emitDue === NEVER) mine.emitDue = mine.lastEmit + view.emit.everyMs
      })
    },
    nextDue: state => {
      const due = state.views.reduce((soonest, { emitDue }) => emitDue === NEVER ? soonest : Math.min(soonest, emitDue), Infinity)
      return due === Infinity ? undefined : due
    },
    isEmpty: state => state.members.size === 0 && state.views.every(v => v.emitDue === NEVER && v.lastEmit === NEVER),
    codec: { version: 1, encode: state => v8.serialize(state), decode: bytes => v8.deserialize(Buffer.from(bytes)) as GroupState },
  }
}

function take ({ members }: GroupState, { patient, present, names, values, times }: MemberUpdate): void {
  if (!present) { members.delete(patient); return }
  members.set(patient, { values: Object.fromEntries(names.map((name, i) => [name, values[i]!])), times: Object.fromEntries(names.map((name, i) => [name, times[i]!])) })
}

function compile (e: Expression): Evaluate<Context> {
  switch (e.op) {
    case 'members': return overMembers(e)
    case 'last': case 'age': case 'window': case 'sampled': case 'missingRate': case 'countSinceAdmission': case 'fact': throw new Error(`a view of a ward or a bed reads ${e.op}`) // featureView refuses it
    default: return derive(e, compile)
  }
}

/** Over the patients whose feature is present; absent where there are none, but for counts. The time is that of the newest of them. */
function overMembers (e: Members): Evaluate<Context> {
  const name = nameOf(e)
  return c => {
    let n = 0
    let newest = -Infinity
    let of = startOf(e)
    for (const { values, times } of c.members.values()) {
      const value = values[name]
      if (value === undefined || Number.isNaN(value)) continue
      n++
      if (times[name]! > newest) newest = times[name]!
      of = join(e, of, value)
    }
    if (n > 0 && newest < c.time) c.time = newest
    if (e.aggregate === 'count') return n
    if (e.aggregate === 'countAtLeast') return of
    return n === 0 ? NaN : e.aggregate === 'mean' ? of / n : of
  }
}

function startOf ({ aggregate }: Members): number { return aggregate === 'min' ? Infinity : aggregate === 'max' ? -Infinity : 0 }

function join ({ aggregate, at = NaN }: Members, so: number, value: number): number {
  switch (aggregate) {
    case 'count': return so + 1
    case 'sum': case 'mean': return so + value
    case 'min': return Math.min(so, value)
    case 'max': return Math.max(so, value)
    case 'countAtLeast': return value >= at ? so + 1 : so
  }
}
