import { createHash } from 'node:crypto'
import type { FeatureVector } from '../../features/vector.ts'
import type { AcknowledgementEvent, EncounterEvent, MergeEvent } from '../../streams/events/index.ts'
import type { Emit, StateMachine } from '../../streams/engine/index.ts'
import type { ArrivalTimeMs } from '../../streams/time/index.ts'
import type { AlertOptions } from './options.ts'
import { news2Findings, RULE_TRAITS, sepsisFindings, SUPPRESSED_BY, type Finding, type NamesOf } from './rules.ts'
import { ALERT_RULES, type AlertChange, type AlertRule, type Score } from './types.ts'

/** The views that the alerts read themselves; models read others. */
export const ALERT_VIEWS: readonly string[] = ['news2', 'vitals']

/** The reason of an alert that ends because its patient was merged into another. */
export const MERGED_REASON = 'merged'

/** A vector with its score, where a model reads its view. */
export interface ScoredVector { readonly type: 'scored', readonly vector: FeatureVector, score: Score | undefined }
export type AlertInput = ScoredVector | EncounterEvent | AcknowledgementEvent | MergeEvent

export type AlertOutput =
  | { readonly type: 'score', readonly score: Score }
  | { readonly type: 'change', readonly change: AlertChange }
  /** All alerts of the patient that are not cleared, after a step that changed one. */
  | { readonly type: 'open', readonly alerts: readonly AlertChange[] }

type Phase = 'normal' | 'pending' | 'active' | 'acknowledged' | 'latched'
interface RuleState {
  phase: Phase
  finding: Finding | undefined
  alert: AlertChange | undefined
  /** pending: end of the dwell. acknowledged: when it speaks again. */
  due: ArrivalTimeMs
  rearmAt: ArrivalTimeMs
}

export interface AlertsState {
  readonly patient: string
  admitted: boolean
  /** A device has sent for this patient: from then on silence is an alarm. */
  monitored: boolean
  newestReading: number
  readonly rules: Record<AlertRule, RuleState>
}

/** Alerts as one state machine per patient: dwell, hysteresis, latch, acknowledgement, re-arm, no-data. Ids derive from (patient, rule, time raised). */
export function alertsMachine (options: AlertOptions, namesOf: NamesOf): StateMachine<AlertsState, AlertInput, AlertOutput> {
  return {
    name: 'alerts',
    empty: patient => ({ patient, admitted: true, monitored: false, newestReading: 0, rules: Object.fromEntries(ALERT_RULES.map(rule => [rule, normal()])) as Record<AlertRule, RuleState> }),
    step: (state, input, emit) => {
      let changed = false
      const tell: Tell = change => { changed = true; emit({ type: 'change', change }) }
      if (input.kind === 'tick') onTick(state, input.at, options, tell)
      else onInput(state, input.value, input.arrival, options, namesOf, emit, tell)
      if (changed) emit({ type: 'open', alerts: ALERT_RULES.flatMap(rule => state.rules[rule].alert ?? []) })
    },
    nextDue: state => {
      let due = noDataDue(state, options) ?? Infinity
      for (const rule of ALERT_RULES) {
        const { phase, due: own } = state.rules[rule]
        if ((phase === 'pending' || phase === 'acknowledged') && own < due) due = own
      }
      return due === Infinity ? undefined : due
    },
    codec: { version: 2, encode: state => Buffer.from(JSON.stringify(state, spell)), decode: bytes => JSON.parse(bytes.toString(), revive) as AlertsState },
  }
}

type Tell = (change: AlertChange) => void

function normal (): RuleState { return { phase: 'normal', finding: undefined, alert: undefined, due: 0, rearmAt: 0 } }

/** JSON has no NaN, a no-data alert's value; null is another thing: a reason whose feature is absent. */
function spell (_key: string, value: unknown): unknown { return Number.isNaN(value) ? 'NaN' : value }
function revive (key: string, value: unknown): unknown { return key === 'value' && value === 'NaN' ? NaN : value }

function onInput (state: AlertsState, input: AlertInput, at: ArrivalTimeMs, options: AlertOptions, namesOf: NamesOf, emit: Emit<AlertOutput>, tell: Tell): void {
  switch (input.type) {
    case 'acknowledgement': acknowledge(state, input, at, options, tell); return
    case 'encounter': encounter(state, input, at, tell); return
    case 'merge': merged(state, at, tell); return
    case 'scored': {
      const { vector, score } = input
      if (score !== undefined) emit({ type: 'score', score })
      if (!state.admitted) return
      if (vector.view === 'vitals') { reading(state, vector, at, options, tell); return }
      const names = namesOf(vector.view, vector.version)
      const findings = vector.view === 'news2' && names !== undefined ? news2Findings(vector, names) : score !== undefined ? sepsisFindings(vector, score, options) : []
      const dwellMs = vector.trigger === 'device' || vector.trigger === 'timer' ? options.dwellMs : 0
      for (const finding of findings) judge(state, finding, dwellMs, at, options, tell)
    }
  }
}

/** One finding moves one rule. */
function judge (state: AlertsState, finding: Finding, dwellMs: number, at: ArrivalTimeMs, options: AlertOptions, tell: Tell): void {
  const rule = state.rules[finding.rule]
  const above = SUPPRESSED_BY[finding.rule]
  if (above !== undefined && isOpen(state.rules[above])) { if (isOpen(rule)) clear(rule, at, tell); else rule.phase = 'normal'; return }
  switch (rule.phase) {
    case 'normal': case 'pending': {
      if (!finding.raised) { rule.phase = 'normal'; return }
      const first = rule.phase === 'normal'
      rule.finding = first || rule.finding === undefined ? finding : { ...finding, onsetEventTime: rule.finding.onsetEventTime }
      if (dwellMs === 0) { raise(state, finding.rule, at, tell); return }
      if (first) { rule.phase = 'pending'; rule.due = Math.max(at + dwellMs, rule.rearmAt) }
      return
    }
    case 'active': case 'latched': {
      if (finding.gone) { if (RULE_TRAITS[finding.rule].latches) change(rule, finding, 'latched', at, tell); else clear(rule, at, tell, options) } else if (finding.raised) change(rule, finding, 'active', at, tell)
      return
    }
    case 'acknowledged': {
      if (finding.gone) { clear(rule, at, tell, options); return }
      const worse = finding.rule.startsWith('news2') && finding.value >= rule.alert!.value + options.realertPoints
      rule.finding = finding
      if (worse) { clear(rule, at, tell); rule.finding = finding; raise(state, finding.rule, at, tell) }
    }
  }
}

function onTick (state: AlertsState, at: ArrivalTimeMs, options: AlertOptions, tell: Tell): void {
  for (const name of ALERT_RULES) {
    const rule = state.rules[name]
    if (rule.due > at) continue
    if (rule.phase === 'pending') raise(state, name, at, tell)
    else if (rule.phase === 'acknowledged') {
      const finding = rule.finding
      clear(rule, at, tell)
      rule.finding = finding
      raise(state, name, at, tell)
    }
  }
  raiseIfSilent(state, at, options, tell)
}

function raiseIfSilent (state: AlertsState, at: ArrivalTimeMs, options: AlertOptions, tell: Tell): void {
  const silent = noDataDue(state, options)
  if (silent === undefined || silent > at) return
  state.rules['no-data'].finding = {
    rule: 'no-data', value: NaN, threshold: options.noDataAfterMs / 1_000, raised: true, gone: false, missing: [], reasons: [], onsetEventTime: state.newestReading, basis: 'vitals@1',
  }
  raise(state, 'no-data', at, tell)
}

function noDataDue (state: AlertsState, options: AlertOptions): ArrivalTimeMs | undefined {
  return state.admitted && state.monitored && state.rules['no-data'].phase === 'normal' ? state.newestReading + options.noDataAfterMs : undefined
}

/** A vitals vector says how fresh the readings are: their newest event time. Readings that come long after they were taken are silence too. */
function reading (state: AlertsState, vector: FeatureVector, at: ArrivalTimeMs, options: AlertOptions, tell: Tell): void {
  if (vector.trigger === 'device') state.monitored = true
  for (const time of vector.times) if (time > state.newestReading && time <= at) state.newestReading = time
  const rule = state.rules['no-data']
  if (isOpen(rule) && at - state.newestReading < options.noDataAfterMs) clear(rule, at, tell)
  raiseIfSilent(state, at, options, tell)
}

function acknowledge (state: AlertsState, { alertId, by }: AcknowledgementEvent, at: ArrivalTimeMs, options: AlertOptions, tell: Tell): void {
  for (const name of ALERT_RULES) {
    const rule = state.rules[name]
    if (rule.alert?.alertId !== alertId || rule.phase === 'acknowledged') continue
    rule.alert = { ...rule.alert, acknowledgedBy: by }
    if (rule.phase === 'latched') { clear(rule, at, tell); return }
    rule.phase = 'acknowledged'
    rule.due = at + options.acknowledgedForMs
    rule.alert = { ...rule.alert, state: 'acknowledged', changedAt: at }
    tell(rule.alert)
  }
}

function encounter (state: AlertsState, event: EncounterEvent, at: ArrivalTimeMs, tell: Tell): void {
  if (event.action === 'admit') state.admitted = true
  if (event.action !== 'discharge') return
  state.admitted = false
  state.monitored = false
  for (const name of ALERT_RULES) {
    if (isOpen(state.rules[name])) clear(state.rules[name], at, tell)
    state.rules[name] = normal()
  }
}

/**
 * The patient goes on under another key, where what still holds is found again from the joined readings: what is open here ends, with the
 * reason, so that nobody looks for a bed that is empty.
 */
function merged (state: AlertsState, at: ArrivalTimeMs, tell: Tell): void {
  for (const name of ALERT_RULES) {
    const rule = state.rules[name]
    if (rule.alert !== undefined) {
      rule.alert = { ...rule.alert, reasons: [{ feature: MERGED_REASON, value: null, contribution: 0, eventTime: at }] }
      clear(rule, at, tell)
    }
    state.rules[name] = normal()
  }
  state.admitted = false
  state.monitored = false
}

function isOpen (rule: RuleState): boolean { return rule.alert !== undefined }

function raise (state: AlertsState, name: AlertRule, at: ArrivalTimeMs, tell: Tell): void {
  const rule = state.rules[name]
  const finding = rule.finding!
  rule.phase = 'active'
  rule.alert = {
    alertId: createHash('sha256').update(`${state.patient}|${name}|${at}`).digest('hex').slice(0, 24),
    rule: name, priority: RULE_TRAITS[name].priority, state: 'active', raisedAt: at, changedAt: at, onsetEventTime: finding.onsetEventTime,
    value: finding.value, threshold: finding.threshold, missing: finding.missing, reasons: finding.reasons, acknowledgedBy: '', basis: finding.basis,
  }
  tell(rule.alert)
  for (const [lower, higher] of Object.entries(SUPPRESSED_BY)) {
    const below = state.rules[lower as AlertRule]
    if (higher !== name) continue
    if (isOpen(below)) clear(below, at, tell)
    else below.phase = 'normal'
  }
}

/** Tells only what a person would notice: another state, or another value. */
function change (rule: RuleState, finding: Finding, to: 'active' | 'latched', at: ArrivalTimeMs, tell: Tell): void {
  const before = rule.alert!
  rule.phase = to
  rule.finding = finding
  if (before.state === to && before.value === finding.value) return
  rule.alert = to === 'latched'
    ? { ...before, state: to, changedAt: at }
    : { ...before, state: to, changedAt: at, value: finding.value, missing: finding.missing, reasons: finding.reasons }
  tell(rule.alert)
}

function clear (rule: RuleState, at: ArrivalTimeMs, tell: Tell, options?: AlertOptions): void {
  tell({ ...rule.alert!, state: 'cleared', changedAt: at })
  rule.alert = undefined
  rule.finding = undefined
  rule.phase = 'normal'
  rule.rearmAt = options === undefined ? 0 : at + options.rearmMs
}
