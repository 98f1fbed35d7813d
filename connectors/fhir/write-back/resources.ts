import { createHash } from 'node:crypto'
import type { CodeableConcept, DetectedIssue, Observation, ObservationComponent } from 'fhir/r4.js'
import { CLINICAL_SCORES, valueOfReason, type ClinicalCode, type OutboundAlert, type OutboundClinicalScore, type OutboundReason, type OutboundScore } from '../../kit/index.ts'
import { ownSystem, OWN_TAG } from '../resources/own.ts'
import { list, text, type FhirResource } from '../resources/types.ts'
import type { WriteBackOptions } from './options.ts'

const SEVERITY = { high: 'high', medium: 'moderate', low: 'low' } as const
/** The reason with which an alert ends whose patient was merged into another: it was never this patient's. */
const MERGED = 'merged'

/** What a server finds a resource of ours by. */
export interface OwnIdentifier { readonly system: string, readonly value: string }

export function alertIdentifier ({ id }: OutboundAlert, { identifierSystem }: WriteBackOptions): OwnIdentifier { return { system: ownSystem('alert', identifierSystem), value: id } }

/** One in each stretch of time. A hash, since it holds the patient's identifier. */
export function scoreIdentifier (score: OutboundScore, { identifierSystem, scoreEveryMs }: WriteBackOptions): OwnIdentifier {
  const { patient, model, version, asOf } = score
  return { system: ownSystem('score', identifierSystem), value: hashOf([patient.id, model, version, scoreEveryMs, stretchOf(asOf, scoreEveryMs)]) }
}

/** One of each vector that goes out. */
export function clinicalScoreIdentifier ({ patient, score, basis, asOf }: OutboundClinicalScore, { identifierSystem }: WriteBackOptions): OwnIdentifier {
  return { system: ownSystem('clinical-score', identifierSystem), value: hashOf([patient.id, score, basis, asOf]) }
}

function hashOf (parts: readonly unknown[]): string { return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32) }

export function stretchOf (asOf: number, everyMs: number): number { return Math.floor(asOf / everyMs) }

/** R4 DetectedIssue: what was found, since when, until when, and whether somebody took note. */
export function detectedIssueOf (alert: OutboundAlert, patient: string, options: WriteBackOptions): DetectedIssue {
  const { rule, priority, state, raisedAt, changedAt, onset } = alert
  const start = iso(Math.min(onset, raisedAt))
  return {
    resourceType: 'DetectedIssue',
    meta: { tag: [OWN_TAG] },
    identifier: [alertIdentifier(alert, options), { system: changeSystem(options), value: String(changedAt) }],
    status: statusOf(alert, options),
    code: { coding: [{ system: `${options.identifierSystem}:alert-rule`, code: rule }], text: rule.replaceAll('-', ' ') },
    severity: SEVERITY[priority],
    patient: { reference: patient },
    identifiedPeriod: state === 'cleared' ? { start, end: iso(Math.max(changedAt, Math.min(onset, raisedAt))) } : { start },
    author: { display: 'Latido' },
    detail: detailOf(alert),
    ...state === 'acknowledged' ? { mitigation: [{ action: { text: 'Acknowledged' }, date: iso(changedAt) }] } : {},
  }
}

function statusOf ({ state, reasons }: OutboundAlert, { endedStatus }: WriteBackOptions): DetectedIssue['status'] {
  if (state !== 'cleared') return 'final'
  return reasons.some(({ feature }) => feature === MERGED) ? 'entered-in-error' : endedStatus
}

function detailOf ({ value, threshold, missing, reasons, basis }: OutboundAlert): string {
  return [
    Number.isFinite(value) ? `${missing.length > 0 ? 'At least ' : ''}${round(value)} (alert at ${round(threshold)}), by ${basis}.` : `By ${basis}.`,
    ...missing.length > 0 ? [`Missing: ${missing.join(', ')}.`] : [],
    ...reasonsOf(reasons),
  ].join(' ')
}

/** R4 Observation: the probability as percent, at the moment that it is of. */
export function observationOf (score: OutboundScore, patient: string, options: WriteBackOptions): Observation {
  const { model, version, asOf, probability, reasons } = score
  const why = reasonsOf(reasons).join(' ')
  return {
    resourceType: 'Observation',
    meta: { tag: [OWN_TAG] },
    identifier: [scoreIdentifier(score, options)],
    status: 'final',
    category: SURVEY,
    code: { coding: [{ system: `${options.identifierSystem}:model`, code: model, version }], text: `${model} risk` },
    subject: { reference: patient },
    effectiveDateTime: iso(asOf),
    issued: iso(asOf),
    valueQuantity: { value: round(probability * 100), unit: '%', system: UCUM, code: '%' },
    method: { text: `${model} ${version}` },
    ...why === '' ? {} : { note: [{ text: why }] },
  }
}

const UCUM = 'http://unitsofmeasure.org'
const SURVEY = [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'survey' }] }]

/** R4 Observation of a clinical score. With parts missing the value is a lower bound, and each of them says that it is not known. */
export function clinicalObservationOf (item: OutboundClinicalScore, patient: string, options: WriteBackOptions): Observation {
  const { score, basis, asOf, value, missing, parts } = item
  const { code, unit, parts: codes } = CLINICAL_SCORES[score]
  const quantity = (amount: number): NonNullable<Observation['valueQuantity']> => ({ value: round(amount), unit: unit.replace(/[{}]/g, ''), system: UCUM, code: unit })
  const concept = (name: string, said: ClinicalCode | undefined): CodeableConcept => ({ coding: [{ system: said === undefined || said.system === '' ? `${options.identifierSystem}:clinical-score` : said.system, code: said?.code ?? name }], text: said?.text ?? name })
  const component: readonly ObservationComponent[] = [
    ...parts.map(({ feature, points }) => ({ code: concept(feature, codes[feature]), valueQuantity: quantity(points) })),
    ...missing.map(feature => ({ code: concept(feature, codes[feature]), dataAbsentReason: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/data-absent-reason', code: 'unknown' }] } })),
  ]
  const { system, value: own } = clinicalScoreIdentifier(item, options)
  return {
    resourceType: 'Observation',
    meta: { tag: [OWN_TAG] },
    identifier: [{ system, value: own }],
    status: 'final',
    category: SURVEY,
    code: concept(score, code),
    subject: { reference: patient },
    effectiveDateTime: iso(asOf),
    issued: iso(asOf),
    valueQuantity: missing.length === 0 ? quantity(value) : { ...quantity(value), comparator: '>=' },
    method: { text: basis },
    ...component.length === 0 ? {} : { component: [...component] },
  }
}

/** When the change happened that a DetectedIssue of ours tells of; undefined: it is not ours, or says nothing. */
export function changeOf (resource: FhirResource | undefined, options: WriteBackOptions): number | undefined {
  const said = list((resource as DetectedIssue | undefined)?.identifier).find(one => text(one.system) === changeSystem(options))
  const at = Number(text(said?.value) || NaN)
  return Number.isFinite(at) ? at : undefined
}

function changeSystem ({ identifierSystem }: WriteBackOptions): string { return `${identifierSystem}:alert-change` }

const REASONS_MAX = 8
function reasonsOf (reasons: readonly OutboundReason[]): readonly string[] {
  const some = reasons.slice(0, REASONS_MAX).map(reason => {
    const { feature, contribution } = reason
    const value = valueOfReason(reason)
    return `${feature} ${value === null ? 'absent' : round(value)} (${contribution >= 0 ? '+' : ''}${round(contribution)})`
  })
  return some.length === 0 ? [] : [`Reasons: ${some.join(', ')}.`]
}

function round (value: number): number { return Math.round(value * 1_000) / 1_000 }
function iso (ms: number): string { return new Date(ms).toISOString() }
