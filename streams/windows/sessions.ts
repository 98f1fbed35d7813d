import type { ArrivalTimeMs, DurationMs, EventTimeMs } from '../time/index.ts'
import { Plan, type Aggregates } from './aggregate.ts'
import { bytesOfDoubles, doublesOfBytes } from './doubles.ts'
import { emissionOf, type Emission } from './emission.ts'
import { WindowResult, type Cause, type EmitResult, type Keys, type OperatorDefinition, type WindowOperator } from './operator.ts'
import { SlotQueue } from './slot-queue.ts'

export interface SessionOptions {
  /** A reading this long after the last one, or longer, begins another session. */
  readonly gapMs: DurationMs
  readonly graceMs: DurationMs
  readonly correctionsMs: DurationMs
  readonly emission: Emission
}

export function sessionOperator (options: SessionOptions, aggregates: Aggregates): OperatorDefinition {
  const plan = new Plan(aggregates)
  const { gapMs, graceMs, correctionsMs, emission } = options
  return { layout: `session ${gapMs} ${graceMs} ${correctionsMs} ${emissionOf(emission)} ${plan.layout}`, names: plan.names, open: (keys, emit) => new Sessions(options, plan, keys, emit) }
}

/** Covers [first, last + gap). `emitted`: how often it, or a session that became part of it, has been emitted. */
interface Session { first: EventTimeMs, last: EventTimeMs, emitted: number, closed: boolean, readonly cells: Float64Array }
/** A key's sessions by time; no two touch. */
interface Slot { sessions: Session[], unanswered: number }

/** Doubles of a saved session before its cells. */
const HEAD = 4

/**
 * Sessions: readings of a key that follow one another within the gap. A late reading may lengthen a session, or join two: the partials merge.
 * A session that has been emitted and is then begun earlier, or swallowed, is retracted under the start that it was emitted with.
 */
class Sessions implements WindowOperator {
  readonly #o: SessionOptions
  readonly #plan: Plan
  readonly #keys: Keys
  readonly #emit: EmitResult
  readonly #result: WindowResult
  readonly #slots: Slot[] = []
  readonly #queue: SlotQueue

  constructor (options: SessionOptions, plan: Plan, keys: Keys, emit: EmitResult) {
    this.#o = options
    this.#plan = plan
    this.#keys = keys
    this.#emit = emit
    this.#result = new WindowResult(plan.names.length)
    this.#queue = new SlotQueue((a, b) => keys.compare(a, b))
  }

  get due (): ArrivalTimeMs { return this.#queue.earliest() }

  add (slot: number, eventTime: EventTimeMs, value: number, clock: ArrivalTimeMs): number {
    const state = this.#slotOf(slot)
    const { gapMs } = this.#o
    const touched = state.sessions.filter(s => eventTime > s.first - gapMs && eventTime < s.last + gapMs)
    if (touched.length === 0 && this.#goneAt(eventTime) <= clock) return 1
    const session = touched[0] ?? { first: eventTime, last: eventTime, emitted: 0, closed: false, cells: new Float64Array(this.#plan.width) }
    if (touched.length === 0) {
      this.#plan.empty(session.cells, 0)
      state.sessions.splice(state.sessions.findLastIndex(s => s.first < eventTime) + 1, 0, session)
    }
    this.#retract(slot, touched, Math.min(session.first, eventTime), clock)
    for (const other of touched.slice(1)) this.#join(state, session, other)
    this.#plan.add(session.cells, 0, value, eventTime)
    session.first = Math.min(session.first, eventTime)
    session.last = Math.max(session.last, eventTime)
    session.closed = this.#closesAt(session.last) <= clock
    this.#speak(slot, state, session, clock)
    this.#setDue(slot, state)
    return 0
  }

  close (clock: ArrivalTimeMs): void {
    for (let at = this.#queue.earliest(); at <= clock; at = this.#queue.earliest()) {
      const slot = this.#queue.take(clock)
      const state = this.#slotOf(slot)
      this.#keys.changed(slot)
      for (const session of state.sessions) {
        if (session.closed || this.#closesAt(session.last) > at) continue
        session.closed = true
        if (this.#o.emission.kind === 'close' && !this.#keys.skips(slot, at)) this.#say(slot, session, 'close', at)
      }
      state.sessions = state.sessions.filter(s => this.#goneAt(s.last) > at)
      this.#setDue(slot, state)
    }
  }

  restoreClock (): void {}

  save (slot: number): Buffer {
    const state = this.#slotOf(slot)
    return bytesOfDoubles(Float64Array.from([state.unanswered, ...state.sessions.flatMap(s => [s.first, s.last, s.emitted, Number(s.closed), ...s.cells])]))
  }

  restore (slot: number, bytes: Buffer): void {
    const saved = doublesOfBytes(bytes)
    const state = this.#slotOf(slot)
    state.unanswered = saved[0]!
    const stride = HEAD + this.#plan.width
    for (let at = 1; at < saved.length; at += stride) state.sessions.push({ first: saved[at]!, last: saved[at + 1]!, emitted: saved[at + 2]!, closed: saved[at + 3] === 1, cells: saved.slice(at + HEAD, at + stride) })
    this.#setDue(slot, state)
  }

  /** Those of `touched` that were emitted with another start than the session will have. */
  #retract (slot: number, touched: readonly Session[], first: EventTimeMs, clock: ArrivalTimeMs): void {
    for (const session of touched) if (session.emitted > 0 && session.first !== first) this.#say(slot, session, 'retraction', clock)
  }

  /** `other` is later than `session`; its readings count as the later arrivals where event times tie. */
  #join (state: Slot, session: Session, other: Session): void {
    this.#plan.merge(session.cells, 0, other.cells, 0)
    session.last = other.last
    session.emitted = Math.max(session.emitted, other.emitted)
    state.sessions.splice(state.sessions.indexOf(other), 1)
  }

  /** At once: each nth reading, or what changes a session that is closed already. */
  #speak (slot: number, state: Slot, session: Session, clock: ArrivalTimeMs): void {
    const { emission } = this.#o
    if (emission.kind === 'close') {
      if (session.closed) this.#say(slot, session, 'revision', clock)
      return
    }
    state.unanswered = (state.unanswered + 1) % emission.every
    if (state.unanswered === 0) this.#say(slot, session, 'reading', clock)
  }

  #say (slot: number, session: Session, cause: Cause, at: ArrivalTimeMs): void {
    const result = this.#result
    this.#plan.results(session.cells, 0, result.values)
    Object.assign(result, { slot, start: session.first, end: session.last + this.#o.gapMs, revision: session.emitted, cause, at })
    session.emitted++
    this.#emit(result)
  }

  #closesAt (last: EventTimeMs): ArrivalTimeMs { return last + this.#o.gapMs + this.#o.graceMs }
  #goneAt (last: EventTimeMs): ArrivalTimeMs { return this.#closesAt(last) + this.#o.correctionsMs }

  #setDue (slot: number, { sessions }: Slot): void {
    let due = Infinity
    for (const s of sessions) due = Math.min(due, s.closed ? this.#goneAt(s.last) : this.#closesAt(s.last))
    this.#queue.set(slot, due)
  }

  #slotOf (slot: number): Slot {
    let state = this.#slots[slot]
    if (state === undefined) this.#slots[slot] = state = { sessions: [], unanswered: 0 }
    return state
  }
}
