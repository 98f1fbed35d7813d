/** Alerts: what they are, the rules, and their state machine. */
export { ALERT_RULES, ALERT_STATES, PRIORITIES } from './types.ts'
export type { AlertChange, AlertRule, AlertState, DriftResult, Priority, Reason, Score } from './types.ts'
export { ALERT_DEFAULTS } from './options.ts'
export type { AlertOptions } from './options.ts'
export { RISK_HYSTERESIS } from './rules.ts'
export type { NamesOf } from './rules.ts'
export { ALERT_VIEWS, alertsMachine, MERGED_REASON } from './machine.ts'
export type { AlertInput, AlertOutput, AlertsState, ScoredVector } from './machine.ts'
