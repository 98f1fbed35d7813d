import { ALERT_STATES, PRIORITIES, type AlertState, type Priority } from '../../inference/alerts/index.ts'
import type { PatientKey } from '../../streams/events/index.ts'
import type { Whereabouts } from './to-wire.ts'
import type { WireAlert, WireReason } from './wire.ts'

type Row = Readonly<Record<string, unknown>>

/** The offline table names columns as SQL does (`alert_id`); the types as TypeScript does (`alertId`). Both are read. */
function column (row: Row, name: string): unknown { return row[name] ?? row[name.replace(/[A-Z]/g, c => `_${c.toLowerCase()}`)] }

function textOf (value: unknown): string { return typeof value === 'string' ? value : '' }

function numberOf (value: unknown): number | null {
  const n = typeof value === 'string' && value !== '' ? Number(value) : value
  return typeof n === 'number' && Number.isFinite(n) ? n : null
}

/** Milliseconds, as a number or as ClickHouse's `2026-01-31 12:00:00.000` (UTC). */
function timeOf (value: unknown): number | null {
  const ms = numberOf(value)
  if (ms !== null || typeof value !== 'string') return ms
  const parsed = Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(value) ? value : `${value.replace(' ', 'T')}Z`)
  return Number.isNaN(parsed) ? null : parsed
}

function jsonOf (value: unknown): unknown {
  if (typeof value !== 'string') return value
  try { return JSON.parse(value) } catch { return undefined }
}

function reasonsOf (value: unknown): readonly WireReason[] {
  const list = jsonOf(value)
  if (!Array.isArray(list)) return []
  return list.flatMap((item: unknown) => typeof item === 'object' && item !== null
    ? [{ feature: textOf(column(item as Row, 'feature')), value: numberOf(column(item as Row, 'value')), contribution: numberOf(column(item as Row, 'contribution')), eventTime: timeOf(column(item as Row, 'eventTime')) }]
    : [])
}

function namesOf (value: unknown): readonly string[] {
  const list = jsonOf(value)
  return Array.isArray(list) ? list.filter(item => typeof item === 'string') : []
}

/** The pseudonym that a row of alert history belongs to. */
export function patientOfRow (row: Row): PatientKey | undefined {
  const patient = textOf(column(row, 'patient'))
  return patient === '' ? undefined : patient as PatientKey
}

/** One stored change of an alert; undefined where the row is none. */
export function alertOfRow (row: Row, at: Whereabouts): WireAlert | undefined {
  const id = textOf(column(row, 'alertId'))
  const state = ALERT_STATES.find((known): known is AlertState => known === column(row, 'state'))
  const priority = PRIORITIES.find((known): known is Priority => known === column(row, 'priority'))
  const changedAt = timeOf(column(row, 'changedAt'))
  if (id === '' || state === undefined || priority === undefined || changedAt === null) return undefined
  return {
    id, ...at, rule: textOf(column(row, 'rule')), priority, state, raisedAt: timeOf(column(row, 'raisedAt')) ?? changedAt, changedAt,
    onsetEventTime: timeOf(column(row, 'onsetEventTime')), value: numberOf(column(row, 'value')), threshold: numberOf(column(row, 'threshold')),
    missing: namesOf(column(row, 'missing')), reasons: reasonsOf(column(row, 'reasons')), acknowledgedBy: textOf(column(row, 'acknowledgedBy')), basis: textOf(column(row, 'basis')),
  }
}

/** The latest change of each alert, newest first; where two say the same time, the earlier list wins. */
export function latestOfEach (...lists: readonly (readonly WireAlert[])[]): readonly WireAlert[] {
  const latest = new Map<string, WireAlert>()
  for (const alert of lists.flat()) {
    const known = latest.get(alert.id)
    if (known === undefined || alert.changedAt > known.changedAt) latest.set(alert.id, alert)
  }
  return [...latest.values()].sort((a, b) => b.changedAt - a.changedAt || b.raisedAt - a.raisedAt)
}
