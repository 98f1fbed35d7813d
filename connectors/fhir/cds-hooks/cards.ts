import { randomUUID } from 'node:crypto'
import type { ArrivalTimeMs, DurationMs } from '../../../streams/time/index.ts'
import { valueOfReason, type OutboundReason } from '../../kit/index.ts'
import type { PatientStanding, StandingAlert } from './standing.ts'

/** A card as CDS Hooks 2.0 has it ("CDS Service Response"): what we use of it. */
export interface Card {
  readonly uuid: string
  /** At most 140 characters. */
  readonly summary: string
  /** Markdown. */
  readonly detail: string
  readonly indicator: 'info' | 'warning' | 'critical'
  readonly source: { readonly label: string, readonly topic: { readonly system: string, readonly code: string } }
  readonly suggestions?: readonly { readonly label: string, readonly uuid: string }[]
  readonly selectionBehavior?: 'any'
}

/** A card of an alert, and what its feedback means. */
export interface AlertCard { readonly card: Card, readonly alertId: string, readonly suggestion: string }

export interface Cards { readonly alerts: readonly AlertCard[], readonly others: readonly Card[] }

const SUMMARY_MAX = 140
const TOPICS = 'urn:latido:card'
const INDICATORS = { high: 'critical', medium: 'warning', low: 'info' } as const
const ORDER = { high: 0, medium: 1, low: 2 } as const
/** RCP 2017 (NEWS2, chart 4): 5 or more is urgent, 7 or more an emergency. */
const NEWS2_URGENT = 5

/** The most urgent alerts first, then how the patient stands. Holds values and ages, never a name or an identifier. */
export function cardsOf (standing: PatientStanding, now: ArrivalTimeMs, alertCardsMax: number): Cards {
  const alerts = standing.alerts.filter(({ state }) => state !== 'cleared').toSorted((a, b) => ORDER[a.priority] - ORDER[b.priority] || b.raisedAt - a.raisedAt)
  const summary = standingCard(standing, Math.max(0, alerts.length - alertCardsMax), now)
  return { alerts: alerts.slice(0, alertCardsMax).map(alert => alertCard(alert, now)), others: summary === undefined ? [] : [summary] }
}

/** The board cannot be read: said rather than left out, since no card would read as no alert. */
export function awayCard (): Card {
  return { ...frame('away', 'Latido cannot say how this patient stands at the moment', 'Look at the ward board.', 'warning') }
}

function alertCard (alert: StandingAlert, now: ArrivalTimeMs): AlertCard {
  const suggestion = randomUUID()
  const seen = alert.state === 'acknowledged' ? ' (acknowledged)' : alert.state === 'latched' ? ' (over, not acknowledged)' : ''
  const detail = [
    `Raised ${ago(now - alert.raisedAt)}; first true at the bedside ${ago(now - alert.onset)}.`,
    ...alert.missing.length === 0 ? [] : [`Missing, so the score is at least this: ${alert.missing.map(words).join(', ')}.`],
    ...reasonLines(alert.reasons, now),
    `Basis: ${alert.basis}.`,
  ].join('\n')
  const card = frame(alert.rule, `${titleOf(alert, now)}${seen}`, detail, alert.state === 'acknowledged' ? 'info' : INDICATORS[alert.priority])
  return {
    alertId: alert.id, suggestion,
    card: alert.state === 'acknowledged' ? card : { ...card, suggestions: [{ label: 'Acknowledge', uuid: suggestion }], selectionBehavior: 'any' },
  }
}

function titleOf ({ rule, value, threshold, missing, onset }: StandingAlert, now: ArrivalTimeMs): string {
  const least = missing.length > 0 ? 'at least ' : ''
  switch (rule) {
    case 'news2-emergency': return `NEWS2 ${least}${value}: emergency response`
    case 'news2-urgent': return `NEWS2 ${least}${value}: urgent response`
    case 'sepsis-risk': return `Sepsis risk ${percent(value)} (alert at ${percent(threshold)})`
    case 'no-data': return `No readings for ${span(now - onset)}`
    default: return Number.isNaN(value) ? words(rule) : `${words(rule)} ${value} (alert at ${threshold})`
  }
}

function standingCard ({ news2, risk, newestReading }: PatientStanding, more: number, now: ArrivalTimeMs): Card | undefined {
  const parts = [
    ...news2 === undefined ? [] : [`NEWS2 ${news2.missing.length > 0 ? 'at least ' : ''}${news2.score}`],
    ...risk === undefined ? [] : [`sepsis risk ${percent(risk.probability)}`],
    newestReading === undefined ? 'no readings' : `newest reading ${ago(now - newestReading)}`,
  ]
  if (news2 === undefined && risk === undefined && newestReading === undefined) return undefined
  const detail = [
    ...news2 === undefined ? [] : [`NEWS2 of ${ago(now - news2.asOf)}${news2.missing.length > 0 ? `; missing: ${news2.missing.map(words).join(', ')}` : ''}.`],
    ...risk === undefined ? [] : [`Risk by ${risk.model} ${risk.version}, ${ago(now - risk.asOf)}:`, ...reasonLines(risk.reasons, now)],
    ...more > 0 ? [`${more} more open alerts stand on the ward board.`] : [],
  ].join('\n')
  return frame('standing', capital(parts.join(', ')), detail, news2 !== undefined && news2.score >= NEWS2_URGENT ? 'warning' : 'info')
}

function frame (code: string, summary: string, detail: string, indicator: Card['indicator']): Card {
  return { uuid: randomUUID(), summary: summary.slice(0, SUMMARY_MAX), detail, indicator, source: { label: 'Latido', topic: { system: TOPICS, code } } }
}

const REASONS_MAX = 8

function reasonLines (reasons: readonly OutboundReason[], now: ArrivalTimeMs): readonly string[] {
  return reasons.slice(0, REASONS_MAX).map(reason => {
    const { feature, contribution, eventTime } = reason
    const value = valueOfReason(reason)
    const said = value === null ? 'absent' : String(Math.round(value * 100) / 100)
    return `- ${words(feature)}: ${said} (${contribution >= 0 ? '+' : ''}${Math.round(contribution * 100) / 100})${eventTime === null ? '' : `, ${ago(now - eventTime)}`}`
  })
}

/** `news2Respiration` becomes `respiration`, `heartRateMean5m` `heart rate mean 5m`. */
function words (name: string): string { return name.replace(/^news2(?=[A-Z])/, '').replace(/-/g, ' ').replace(/([a-z\d])([A-Z])/g, '$1 $2').replace(/([a-z])(\d)/g, '$1 $2').toLowerCase().replace(/\b(?:spo|fio) 2\b/g, gas => GASES[gas]!) }
const GASES: Readonly<Record<string, string>> = { 'spo 2': 'SpO2', 'fio 2': 'FiO2' }
function capital (text: string): string { return text.charAt(0).toUpperCase() + text.slice(1) }
function percent (share: number): string { return `${Math.round(share * 100)} %` }
function ago (ms: DurationMs): string { return ms < 60_000 ? 'just now' : `${span(ms)} ago` }
function span (ms: DurationMs): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000))
  if (minutes < 1) return 'less than a minute'
  return minutes < 120 ? `${minutes} min` : minutes < 2_880 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1_440)} days`
}
