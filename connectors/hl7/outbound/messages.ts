import { CLINICAL_SCORES, type OutboundAlert, type OutboundClinicalScore, type OutboundReason, type OutboundScore } from '../../kit/index.ts'
import { codeFor, type Hl7SenderOptions } from './options.ts'
import { coded, controlIdOf, escaped, message, msh, number, patientSegments, segment, time } from './write.ts'

const REASONS_MAX = 10
/** MSH-21 of PCD-04 (IHE Patient Care Device, Alert Communication Management). */
const PCD_04 = 'IHE_PCD_ACM_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.4.1^ISO'

const PRIORITIES: Readonly<Record<OutboundAlert['priority'], string>> = { high: 'PH', medium: 'PM', low: 'PL' }
/** Facet 68482. A latched alarm sounds on when its condition has gone (IEC 60601-1-8, 6.9). */
const STATES: Readonly<Record<OutboundAlert['state'], string>> = { active: 'active', acknowledged: 'active', latched: 'latched', cleared: 'inactive' }

/** Facet 68481. */
function phaseOf ({ state, raisedAt, changedAt }: OutboundAlert): string {
  if (state === 'cleared') return 'end'
  return state === 'active' && raisedAt === changedAt ? 'start' : 'continue'
}

/**
 * An alert's change as ORU^R40, IHE PCD-04: one OBR with the alert's id as filler number, and its facets as OBX with sub-ids 1.0.0.0.n:
 * the event (196616), the value that raised it, phase (68481), state (68482), inactivation (68483), priority (68484), type (68485); then the reasons.
 */
export function alertMessage (alert: OutboundAlert, options: Hl7SenderOptions, nowMs: number): Buffer {
  const { rule, priority, state, changedAt, onset, value } = alert
  const facets: readonly (readonly [type: string, what: string, value: string, range?: string])[] = [
    ['CWE', '196616^MDC_EVT_ALARM^MDC', coded({ code: rule, text: rule, system: '99LATIDO' })],
    ...Number.isNaN(value) ? [] : [measured(alert, options)],
    ['ST', '68481^MDC_ATTR_EVENT_PHASE^MDC', phaseOf(alert)],
    ['ST', '68482^MDC_ATTR_ALARM_STATE^MDC', STATES[state]],
    ['ST', '68483^MDC_ATTR_ALARM_INACTIVATION_STATE^MDC', state === 'acknowledged' ? 'alert-acknowledged' : 'enabled'],
    ['ST', '68484^MDC_ATTR_ALARM_PRIORITY^MDC', PRIORITIES[priority]],
    // ST: technical, SP: physiological. No data is an alarm of the means, not of the patient.
    ['ST', '68485^MDC_ATTR_ALERT_TYPE^MDC', rule === 'no-data' ? 'ST' : 'SP'],
  ]
  const rows = facets.map(([type, what, said, range = ''], i) => segment('OBX', { 1: String(i + 1), 2: type, 3: what, 4: `1.0.0.0.${i + 1}`, 5: said, 7: range, 11: 'F', 14: time(changedAt) }))
  return message([
    msh(options, 'ORU^R40^ORU_R40', controlIdOf('alert', alert.id, state, changedAt), nowMs, PCD_04),
    ...patientSegments(alert.patient, alert.place),
    segment('OBR', { 1: '1', 3: `${escaped(alert.id)}^LATIDO`, 4: '196616^MDC_EVT_ALARM^MDC', 7: time(onset), 8: state === 'cleared' ? time(changedAt) : '', 22: time(changedAt) }),
    ...rows,
    ...reasonRows(alert.reasons, rows.length),
    // An end is told as an end; that the alert was another patient's all along, only in words: PCD-04 has no withdrawal.
    ...alert.reasons.some(({ feature }) => feature === 'merged') ? [segment('NTE', { 1: '1', 3: 'Ended because the patient was merged into another' })] : [],
  ])
}

/** The score that raised the alert. With parts missing it is a lower bound, which SN can say. */
function measured ({ rule, value, threshold, missing }: OutboundAlert, options: Hl7SenderOptions): readonly [string, string, string, string] {
  const what = coded(codeFor(rule, options))
  return missing.length === 0 ? ['NM', what, number(value), `<${number(threshold)}`] : ['SN', what, `>=^${number(value)}`, `<${number(threshold)}`]
}

/** A score as ORU^R01: the value, and the features that it rests on. */
export function scoreMessage (score: OutboundScore, options: Hl7SenderOptions, nowMs: number): Buffer {
  const { model, version, asOf, probability, reasons } = score
  const what = coded(codeFor(model, options))
  const id = controlIdOf('score', score.patient.id, model, version, asOf)
  return message([
    msh(options, 'ORU^R01^ORU_R01', id, nowMs),
    ...patientSegments(score.patient, score.place),
    segment('OBR', { 1: '1', 3: `${id}^LATIDO`, 4: what, 7: time(asOf), 22: time(asOf), 25: 'F' }),
    segment('OBX', { 1: '1', 2: 'NM', 3: what, 4: '1', 5: number(probability), 6: '1', 11: 'F', 14: time(asOf), 18: escaped(`${model}@${version}`) }),
    ...reasonRows(reasons, 1),
  ])
}

/**
 * A clinical score as ORU^R01: the sum with its unit, then its parts. Where parts are missing it is a lower bound, which SN says, and a note names
 * them. The control id derives from the vector, so the same score has it for ever.
 */
export function clinicalScoreMessage (score: OutboundClinicalScore, options: Hl7SenderOptions, nowMs: number): Buffer {
  const { score: name, basis, asOf, value, missing, parts, patient, place } = score
  const what = coded(codeFor(name, options))
  const id = controlIdOf('clinical-score', patient.id, name, basis, asOf)
  const unit = `${escaped(CLINICAL_SCORES[name].unit)}^^UCUM`
  const row = (at: number, fields: Readonly<Record<number, string>>): string => segment('OBX', { 1: String(at), 6: unit, 11: 'F', 14: time(asOf), ...fields })
  return message([
    msh(options, 'ORU^R01^ORU_R01', id, nowMs),
    ...patientSegments(patient, place),
    segment('OBR', { 1: '1', 3: `${id}^LATIDO`, 4: what, 7: time(asOf), 22: time(asOf), 25: 'F' }),
    row(1, { ...missing.length === 0 ? { 2: 'NM', 5: number(value) } : { 2: 'SN', 5: `>=^${number(value)}` }, 3: what, 4: '1', 18: escaped(basis) }),
    ...missing.length === 0 ? [] : [segment('NTE', { 1: '1', 3: escaped(`Lower bound; missing: ${missing.map(part => codeFor(part, options).text).join(', ')}`) })],
    ...parts.map(({ feature, points, eventTime }, i) => row(i + 2, { 2: 'NM', 3: coded(codeFor(feature, options)), 4: `2.${i + 1}`, 5: number(points), 14: eventTime === null ? '' : time(eventTime) })),
  ])
}

function reasonRows (reasons: readonly OutboundReason[], before: number): readonly string[] {
  return reasons.filter(({ value }) => value !== null && Number.isFinite(value)).slice(0, REASONS_MAX).map(({ feature, value, eventTime }, i) => {
    const n = before + i + 1
    return segment('OBX', { 1: String(n), 2: 'NM', 3: coded({ code: feature, text: feature, system: '99LATIDO' }), 4: `2.${i + 1}`, 5: number(value!), 11: 'F', 14: eventTime === null ? '' : time(eventTime) })
  })
}
