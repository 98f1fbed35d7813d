import type { AlertChange, DriftResult, Reason, Score } from '../../inference/alerts/index.ts'
import type { PatientKey } from '../../streams/events/index.ts'
import type { DashboardSources, PatientAlert, PatientIdentity, PatientSummary, PipelineStatus, ViewValues } from './sources.ts'
import type { WireAlert, WireDrift, WireIdentity, WirePatient, WirePipeline, WireReason, WireScore, WireViewValues } from './wire.ts'

/** JSON has no NaN and no infinity: they become null, which says "not known". */
export function finite (value: number | null | undefined): number | null { return typeof value === 'number' && Number.isFinite(value) ? value : null }

/** The id that the source sent, else the pseudonym. */
export function sourceId (sources: DashboardSources, patient: PatientKey): string { return sources.identityOf(patient)?.id ?? patient }

function wireReason (reason: Reason): WireReason {
  return { feature: reason.feature, value: finite(reason.value), contribution: finite(reason.contribution), eventTime: finite(reason.eventTime) }
}

function wireScore (score: Score): WireScore {
  const { model, modelVersion, view, viewVersion, asOf } = score
  return { model, modelVersion, view, viewVersion, asOf, probability: finite(score.probability), presentShare: finite(score.presentShare), reasons: score.reasons.map(wireReason) }
}

/** Who and where the alert's patient is. */
export interface Whereabouts { readonly patient: string, readonly patientId: string, readonly ward: string, readonly bed: string }

export function wireAlert (alert: AlertChange, at: Whereabouts): WireAlert {
  return {
    id: alert.alertId, ...at, rule: alert.rule, priority: alert.priority, state: alert.state,
    raisedAt: alert.raisedAt, changedAt: alert.changedAt, onsetEventTime: finite(alert.onsetEventTime), value: finite(alert.value), threshold: finite(alert.threshold),
    missing: alert.missing, reasons: alert.reasons.map(wireReason), acknowledgedBy: alert.acknowledgedBy, basis: alert.basis,
  }
}

function wireIdentity (identity: PatientIdentity): WireIdentity {
  const { id, familyName, givenName, birthDate } = identity
  return { id, familyName, givenName, birthDate }
}

export function wirePatient (sources: DashboardSources, summary: PatientSummary): WirePatient {
  const { patient, ward, bed, admitted, sex, news2, score } = summary
  const identity = sources.identityOf(patient)
  const at = { patient, patientId: identity?.id ?? patient, ward, bed }
  return {
    id: at.patientId, patient, identity: identity === undefined ? null : wireIdentity(identity), ward, bed, admitted, ageYears: finite(summary.ageYears), sex,
    readings: summary.readings.map(({ concept, value, unit, eventTime, stale }) => ({ concept, value: finite(value), unit, eventTime, stale })),
    news2: news2 === null || finite(news2.score) === null ? null : { score: news2.score, atLeast: news2.missing.length > 0, missing: news2.missing, asOf: news2.asOf },
    score: score === null ? null : wireScore(score),
    alerts: summary.alerts.map(alert => wireAlert(alert, at)),
  }
}

/** An alert with its patient's place; one look-up a patient. */
export async function wireAlerts (sources: DashboardSources, alerts: readonly PatientAlert[]): Promise<readonly WireAlert[]> {
  const places = new Map<PatientKey, Whereabouts>()
  for (const { patient } of alerts) if (!places.has(patient)) places.set(patient, await whereabouts(sources, patient))
  return alerts.map(alert => wireAlert(alert, places.get(alert.patient)!))
}

export async function whereabouts (sources: DashboardSources, patient: PatientKey): Promise<Whereabouts> {
  const summary = await sources.patient(patient)
  return { patient, patientId: sourceId(sources, patient), ward: summary?.ward ?? '', bed: summary?.bed ?? '' }
}

export function wireViewValues (view: ViewValues): WireViewValues {
  return {
    view: view.view, version: view.version, asOf: finite(view.asOf),
    features: view.features.map(({ name, unit, present, value, eventTime, ageMs }) => ({ name, unit, present, value: finite(value), eventTime: finite(eventTime), ageMs: finite(ageMs) })),
  }
}

export function wireDrift (result: DriftResult): WireDrift {
  return { ...result, psi: finite(result.psi), threshold: finite(result.threshold), missingShare: finite(result.missingShare), referenceMissingShare: finite(result.referenceMissingShare) }
}

export function wirePipeline (status: PipelineStatus, now: number): WirePipeline {
  return {
    ...status, now,
    topics: status.topics.map(topic => ({ ...topic, perSecond: finite(topic.perSecond) })),
    processors: status.processors.map(processor => ({ ...processor, lag: finite(processor.lag), perSecond: finite(processor.perSecond) })),
  }
}
