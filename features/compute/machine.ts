import { LatidoError } from '../../streams/errors/index.ts'
import type { AcknowledgementEvent, BedsideEvent, EncounterEvent, MergeEvent, ObservationSet, PatientKey } from '../../streams/events/index.ts'
import type { Emit, StateMachine } from '../../streams/engine/index.ts'
import type { ArrivalTimeMs } from '../../streams/time/index.ts'
import { viewKey, type Fact, type FeatureView } from '../define/index.ts'
import { emptyVector, type FeatureVector, type Trigger } from '../vector.ts'
import type { Context } from './context.ts'
import type { Evaluate } from './derive.ts'
import { compile, nothingShared } from './evaluate.ts'
import { FORGOTTEN_AFTER_MS } from './kept.ts'
import { planViews, type Plan } from './plan.ts'
import { admitSeries, applyObservation, emptySeries, expireSeries, expiryOf, forgetSeries, isBlank, joinSeries, type Applied } from './series.ts'
import { emptyState, isEmptyState, NEVER, type PatientState } from './state.ts'
import { stateCodec } from './state-codec.ts'
import { asAdmission, follow, isWordOnly, MOVED_KEPT_MS, recent, remember, stayOf, wordOnly, type Arrival, type MovedVisit } from './visits.ts'

const HOUR_MS = 3_600_000

/** What the features machine says: a vector, or an event that the machines behind it need in the same order; or what the log has to say of another patient. */
export type FeatureOutput = FeatureVector | EncounterEvent | AcknowledgementEvent | MergeEvent | Arrival

/**
 * The planned views, all of one entity, as one state machine a key of that entity. `onApplied` counts what became of readings (it is told in replays too). `shared`: a view's
 * vector is the same object each time and holds until the view emits again, for who writes it at once.
 */
export function featuresMachine (views: readonly FeatureView[], onApplied: (applied: Applied) => void = () => {}, vectors: 'own' | 'shared' = 'own'): StateMachine<PatientState, BedsideEvent, FeatureOutput> {
  const machine = new Machine(views, onApplied, vectors)
  return {
    name: `features ${views.map(viewKey).join(' ')}`,
    empty: () => machine.empty(),
    step: (state, input, emit) => {
      if (input.kind === 'tick') machine.tick(state, input.at, emit)
      else machine.event(state, input.value, input.arrival, emit)
    },
    nextDue: state => machine.nextDue(state),
    isEmpty: isEmptyState,
    leave: (state, { survivor, arrival }, emit) => { machine.leave(state, survivor as PatientKey, arrival, emit) },
    merge: (state, from, { arrival }, emit) => { machine.merge(state, from, arrival, emit) },
    codec: stateCodec(machine.plan),
  }
}

/** A vector that is being filled. */
type Filling = { -readonly [K in keyof FeatureVector]: FeatureVector[K] }

class Machine {
  readonly #views: readonly FeatureView[]
  readonly plan: Plan
  readonly #evaluates: readonly (readonly Evaluate<Context>[])[]
  readonly #watched: readonly (readonly number[])[]
  readonly #triggers: readonly ReadonlySet<string>[]
  readonly #concerned: readonly (readonly number[])[]
  /** By series: 1 where the record at hand has changed something. */
  readonly #touched: Uint8Array
  readonly #onApplied: (applied: Applied) => void
  /** One a view, where they are shared. */
  readonly #shared: readonly Filling[]
  readonly #facts: Record<Fact, number> = { ageYears: NaN, male: NaN, female: NaN, hoursInUnit: NaN, hoursFromHospitalToUnit: NaN }
  readonly #context: Context = { asOf: 0, series: [], facts: this.#facts, time: 0, evaluation: 0 }

  /** The series of the reading at hand, where there was none. */
  #fresh = emptySeries()
  #gone = 0
  readonly #truncated = (): void => { this.#gone++; this.#onApplied('truncated') }

  constructor (views: readonly FeatureView[], onApplied: (applied: Applied) => void, vectors: 'own' | 'shared') {
    this.#views = views
    this.#shared = vectors === 'own' ? [] : views.map(v => ({ type: 'vector', view: v.name, version: v.version, asOf: 0, trigger: 'timer', values: new Float64Array(v.names.length), times: new Float64Array(v.names.length) }))
    const foreign = views.find(v => v.entity !== views[0]!.entity)
    if (foreign !== undefined) throw new LatidoError('VIEW_INVALID', `feature view ${foreign.name} is of a ${foreign.entity}, ${views[0]!.name} of a ${views[0]!.entity}`, 'run a machine an entity')
    this.#onApplied = onApplied
    this.plan = planViews(views)
    const shared = nothingShared()
    this.#evaluates = views.map(v => v.expressions.map(e => compile(e, this.plan, shared)))
    this.#watched = views.map(v => v.emit.onChange.map(name => v.names.indexOf(name)))
    this.#triggers = views.map(v => new Set(v.emit.on))
    this.#concerned = views.map(v => v.concepts.map(c => this.plan.indexOf(c)!))
    this.#touched = new Uint8Array(this.plan.series.length)
  }

  empty (): PatientState { return emptyState(this.plan.series.length, this.#views.length) }

  nextDue (state: PatientState): ArrivalTimeMs | undefined {
    let due = state.dischargedAt === NEVER ? Infinity : state.dischargedAt + FORGOTTEN_AFTER_MS
    if (state.expireDue !== NEVER && state.expireDue < due) due = state.expireDue
    for (const { at } of state.moved) if (at + MOVED_KEPT_MS < due) due = at + MOVED_KEPT_MS
    for (const view of state.views) {
      if (view.emitDue !== NEVER && view.emitDue < due) due = view.emitDue
      if (view.staleDue !== NEVER && view.staleDue < due) due = view.staleDue
    }
    return due === Infinity ? undefined : due
  }

  tick (state: PatientState, at: ArrivalTimeMs, emit: Emit<FeatureOutput>): void {
    if (state.expireDue !== NEVER && at >= state.expireDue) this.#expire(state, at)
    if (state.moved.length > 0) state.moved = recent(state.moved, at)
    if (state.dischargedAt !== NEVER && at >= state.dischargedAt + FORGOTTEN_AFTER_MS) { this.#forget(state, at); return }
    this.#context.evaluation++
    state.views.forEach((view, v) => {
      const stale = view.staleDue !== NEVER && at >= view.staleDue
      if (stale) view.staleDue = NEVER
      if (stale || (view.emitDue !== NEVER && at >= view.emitDue)) this.#emit(state, v, at, 'timer', emit)
    })
  }

  event (state: PatientState, event: BedsideEvent, arrival: ArrivalTimeMs, emit: Emit<FeatureOutput>): void {
    switch (event.type) {
      case 'observations': this.#observations(state, event, arrival, emit); return
      case 'encounter': this.#encounter(state, event, arrival, emit); return
      case 'acknowledgement': emit(event); return
      case 'statement': return // no view reads statements yet
      case 'merge': case 'transfer': case 'tick': // the engine's own
    }
  }

  /** Everything goes but readings for windows that outlive a discharge. */
  #forget (state: PatientState, at: ArrivalTimeMs): void {
    const left = state.series.map((series, i) => series === undefined ? undefined : forgetSeries(this.plan.series[i]!, series, at))
    Object.assign(state, this.empty(), { series: left, moved: state.moved })
    this.#awaitExpiry(state)
  }

  #expire (state: PatientState, at: ArrivalTimeMs): void {
    state.series.forEach((series, i) => {
      if (series === undefined) return
      expireSeries(this.plan.series[i]!, series, at)
      if (isBlank(series)) state.series[i] = undefined
    })
    this.#awaitExpiry(state)
  }

  #awaitExpiry (state: PatientState): void {
    const due = state.series.reduce((first, series, i) => series === undefined ? first : Math.min(first, expiryOf(this.plan.series[i]!, series)), Infinity)
    state.expireDue = due === Infinity ? NEVER : due
  }

  /** Those behind are told who goes on; and that nobody lies there any more. */
  leave (state: PatientState, survivor: PatientKey, arrival: ArrivalTimeMs, emit: Emit<FeatureOutput>): void {
    emit({ type: 'merge', survivor, eventTime: arrival, source: 'merge' })
    if (state.dischargedAt !== NEVER || isEmptyState(state)) return
    emit({ type: 'encounter', action: 'discharge', eventTime: arrival, source: 'merge', ward: state.ward, bed: state.bed, ageYears: Number.isNaN(state.ageYears) ? -1 : state.ageYears, sex: state.sex, hoursSinceHospitalAdmission: -1 })
  }

  /** Series are joined; of what is known once (stay, age, sex, bed) the survivor's stands where it has it. Every view that has spoken says what it is now. */
  merge (state: PatientState, from: PatientState, arrival: ArrivalTimeMs, emit: Emit<FeatureOutput>): void {
    const admitted = state.admittedAt !== NEVER
    if (!admitted) { state.admittedAt = from.admittedAt; state.visit = from.visit; state.earlier = from.earlier }
    for (const one of from.moved) if (one.at > (state.moved.find(({ visit }) => visit === one.visit)?.at ?? NEVER)) state.moved = remember(state.moved, one)
    if (!admitted && state.dischargedAt === NEVER) state.dischargedAt = from.dischargedAt
    if (Number.isNaN(state.ageYears)) state.ageYears = from.ageYears
    if (state.sex === 'unknown') state.sex = from.sex
    if (state.ward === '' && state.bed === '') { state.ward = from.ward; state.bed = from.bed }
    if (Number.isNaN(state.hoursFromHospitalToUnit)) state.hoursFromHospitalToUnit = from.hoursFromHospitalToUnit
    state.late += from.late
    state.duplicates += from.duplicates
    this.plan.series.forEach((plan, i) => {
      const theirs = from.series[i]
      if (theirs !== undefined) state.truncated += joinSeries(plan, state.series[i] ??= emptySeries(), theirs, admitted)
    })
    state.truncated += from.truncated
    this.#awaitExpiry(state)
    if (state.expireDue !== NEVER && arrival >= state.expireDue) this.#expire(state, arrival)
    if (state.dischargedAt !== NEVER && arrival >= state.dischargedAt + FORGOTTEN_AFTER_MS) { this.#forget(state, arrival); return }
    this.#context.evaluation++
    if (state.ward !== '' || state.bed !== '') this.#tellStay(state, arrival, emit)
    state.views.forEach((view, v) => {
      const theirs = from.views[v]!
      if (view.lastEmit === NEVER && theirs.lastEmit === NEVER) return
      view.staleDue = Math.max(view.staleDue, theirs.staleDue)
      if (view.staleDue <= arrival) view.staleDue = NEVER
      if (state.dischargedAt === NEVER) this.#emit(state, v, arrival, 'timer', emit)
    })
    if (state.dischargedAt !== NEVER) for (const view of state.views) view.emitDue = view.staleDue = NEVER
  }

  /** The survivor's stay as it is after a merge. */
  #tellStay (state: PatientState, arrival: ArrivalTimeMs, emit: Emit<FeatureOutput>): void {
    emit({
      type: 'encounter', action: state.dischargedAt === NEVER ? 'update' : 'discharge', eventTime: arrival, source: 'merge', ward: state.ward, bed: state.bed, sex: state.sex,
      ageYears: Number.isNaN(state.ageYears) ? -1 : state.ageYears, hoursSinceHospitalAdmission: Number.isNaN(state.hoursFromHospitalToUnit) ? -1 : state.hoursFromHospitalToUnit,
    })
  }

  #observations (state: PatientState, set: ObservationSet, arrival: ArrivalTimeMs, emit: Emit<FeatureOutput>): void {
    this.#touched.fill(0)
    for (const told of set.observations) {
      const index = this.plan.indexOf(told.concept)
      if (index === undefined) continue
      const series = state.series[index]
      const applied = applyObservation(this.plan.series[index]!, series ?? (this.#fresh = emptySeries()), told, set.kind, arrival, this.#truncated)
      if (applied === 'none') continue
      if (series === undefined) state.series[index] = this.#fresh
      this.#onApplied(applied)
      if (applied === 'duplicate') state.duplicates++
      else if (applied === 'late') state.late++
      if (applied !== 'duplicate' && (applied !== 'late' || set.kind !== 'device' || told.resultId !== '')) this.#touched[index] = 1
    }
    state.truncated += this.#gone
    this.#gone = 0
    this.#context.evaluation++
    for (let v = 0; v < this.#views.length; v++) this.#consider(state, v, set, arrival, emit)
  }

  /** Emits now, later, or not, as the view's policy says. */
  #consider (state: PatientState, v: number, set: ObservationSet, arrival: ArrivalTimeMs, emit: Emit<FeatureOutput>): void {
    const view = this.#views[v]!
    const mine = state.views[v]!
    const triggers = this.#triggers[v]!
    const concerned = anyOf(this.#touched, this.#concerned[v]!)
    if (concerned) mine.staleDue = arrival + view.ttlMs
    if (triggers.has(set.kind) || triggersAny(triggers, set)) { this.#emit(state, v, arrival, set.kind, emit); return }
    if (!concerned) return
    if (this.#watched[v]!.length > 0 && this.#changed(state, v, arrival)) { this.#emit(state, v, arrival, set.kind, emit); return }
    if (mine.emitDue !== NEVER) return
    if (mine.lastEmit === NEVER || arrival - mine.lastEmit >= view.emit.everyMs) this.#emit(state, v, arrival, set.kind, emit)
    else mine.emitDue = mine.lastEmit + view.emit.everyMs
  }

  /** A visit that has gone to somebody else takes what is said of it along. */
  #encounter (state: PatientState, event: EncounterEvent, arrival: ArrivalTimeMs, emit: Emit<FeatureOutput>): void {
    const { visit = '', movedTo, movedAt } = event
    if (movedTo !== undefined) {
      this.#move(state, { visit, to: movedTo, after: event.visitAfter ?? visit, at: arrival }, arrival, emit)
      return
    }
    const gone = visit === '' ? undefined : state.moved.find(one => one.visit === visit && (movedAt === undefined || one.at > movedAt)) // an older way has been gone back
    if (gone === undefined && movedAt !== undefined) state.moved = state.moved.filter(one => one.visit !== visit)
    if (gone !== undefined && event.action !== 'admit') {
      this.#person(state, event)
      emit(follow(gone, event))
      return
    }
    if (movedAt !== undefined && isWordOnly(event)) return
    this.#stay(state, event, arrival, emit)
    if (gone !== undefined) this.#move(state, gone, arrival, emit)
  }

  /** Takes in what the event says and tells it on, filled up with what was said before: empty means no change. */
  #stay (state: PatientState, event: EncounterEvent, arrival: ArrivalTimeMs, emit: Emit<FeatureOutput>): void {
    if (event.action === 'admit') this.#begin(state, event)
    else if (state.visit === '') state.visit = event.visit ?? ''
    this.#person(state, event)
    if (event.bed !== '' || event.ward !== '') { state.ward = event.ward; state.bed = event.bed }
    if (event.hoursSinceHospitalAdmission >= 0) state.hoursFromHospitalToUnit = event.hoursSinceHospitalAdmission
    if (event.action === 'discharge') {
      state.dischargedAt = arrival
      state.earlier = undefined
      for (const view of state.views) view.emitDue = view.staleDue = NEVER
    }
    if (event.action === 'update' && state.dischargedAt !== NEVER) return // news of one who has left
    emit({ ...event, ward: state.ward, bed: state.bed, sex: state.sex, ageYears: Number.isNaN(state.ageYears) ? -1 : state.ageYears })
  }

  #person (state: PatientState, { ageYears, sex }: EncounterEvent): void {
    if (ageYears >= 0) state.ageYears = ageYears
    if (sex !== 'unknown') state.sex = sex
  }

  #begin (state: PatientState, { eventTime, visit = '' }: EncounterEvent): void {
    if (state.dischargedAt !== NEVER || state.admittedAt === NEVER) state.earlier = undefined
    else if (visit !== '' && visit !== state.visit) state.earlier = stayOf(state)
    state.visit = visit
    state.admittedAt = eventTime
    state.dischargedAt = NEVER
    for (const series of state.series) if (series !== undefined) admitSeries(series)
  }

  /**
   * The visit is somebody else's. If it is where the patient is now, the stay goes there, and here it is over, or the earlier one holds again that
   * it had covered; readings that were filed here stay, and are counted. Of a visit that is not there (yet) only the way is kept.
   */
  #move (state: PatientState, moved: MovedVisit, arrival: ArrivalTimeMs, emit: Emit<FeatureOutput>): void {
    state.moved = remember(state.moved, moved)
    const { earlier } = state
    const isPresent = state.admittedAt !== NEVER && state.dischargedAt === NEVER
    if (!isPresent || state.visit !== moved.visit) {
      const covered = isPresent && earlier?.visit === moved.visit ? earlier : undefined
      if (covered !== undefined) state.earlier = undefined
      emit(follow(moved, covered === undefined ? wordOnly(arrival) : asAdmission(covered)))
      return
    }
    emit(follow(moved, asAdmission(stayOf(state))))
    for (const series of state.series) for (let n = series?.count ?? 0; n > 0; n--) this.#onApplied('left-behind')
    state.visit = ''
    this.#stay(state, earlier === undefined ? { ...asAdmission(stayOf(state)), action: 'discharge', eventTime: arrival } : asAdmission(earlier), arrival, emit)
    state.earlier = undefined
  }

  #emit (state: PatientState, v: number, asOf: ArrivalTimeMs, trigger: Trigger, emit: Emit<FeatureOutput>): void {
    const view = this.#views[v]!
    const mine = state.views[v]!
    const vector = this.#shared[v] ?? { type: 'vector' as const, view: view.name, version: view.version, asOf, trigger, ...emptyVector(view.names.length) }
    vector.asOf = asOf
    vector.trigger = trigger
    this.#look(state, asOf)
    const evaluates = this.#evaluates[v]!
    for (let i = 0; i < evaluates.length; i++) {
      this.#context.time = Infinity
      const value = evaluates[i]!(this.#context)
      vector.values[i] = value
      vector.times[i] = Number.isNaN(value) ? NaN : this.#context.time === Infinity ? asOf : this.#context.time
    }
    mine.lastEmit = asOf
    mine.emitDue = NEVER
    const watched = this.#watched[v]!
    for (let j = 0; j < watched.length; j++) mine.watched[j] = vector.values[watched[j]!]!
    emit(vector)
  }

  #changed (state: PatientState, v: number, asOf: ArrivalTimeMs): boolean {
    const mine = state.views[v]!
    if (mine.lastEmit === NEVER) return true
    this.#look(state, asOf)
    return this.#watched[v]!.some((i, j) => !Object.is(this.#evaluates[v]![i]!(this.#context), mine.watched[j]))
  }

  #look (state: PatientState, asOf: ArrivalTimeMs): void {
    this.#context.asOf = asOf
    this.#context.series = state.series
    this.#facts.ageYears = state.ageYears
    this.#facts.male = state.sex === 'unknown' ? NaN : Number(state.sex === 'male')
    this.#facts.female = state.sex === 'unknown' ? NaN : Number(state.sex === 'female')
    this.#facts.hoursInUnit = state.admittedAt === NEVER ? NaN : (asOf - state.admittedAt) / HOUR_MS
    this.#facts.hoursFromHospitalToUnit = state.hoursFromHospitalToUnit
  }
}

function anyOf (touched: Uint8Array, places: readonly number[]): boolean {
  for (const place of places) if (touched[place] === 1) return true
  return false
}

function triggersAny (triggers: ReadonlySet<string>, { observations }: ObservationSet): boolean {
  if (triggers.size === 0) return false
  for (const o of observations) if (triggers.has(o.concept)) return true
  return false
}
