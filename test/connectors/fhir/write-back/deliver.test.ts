import type { DetectedIssue, Observation } from 'fhir/r4.js'
import { beforeEach, describe, expect, it } from 'vitest'
import { WriteBack } from '../../../../connectors/fhir/write-back/deliver.ts'
import { writeBackOptions } from '../../../../connectors/fhir/write-back/options.ts'
import type { FhirResource } from '../../../../connectors/fhir/resources/index.ts'
import { PLAIN_MAPPING, type Delivery, type OutboundAlert, type OutboundClinicalScore, type OutboundItem, type OutboundScore } from '../../../../connectors/kit/index.ts'
import { LatidoError } from '../../../../streams/errors/index.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { MemoryFhir, reply } from './memory-server.ts'

const AT = Date.UTC(2031, 4, 6, 10, 0, 0)
const MINUTE_MS = 60_000
const PATIENT: FhirResource = { resourceType: 'Patient', id: 'p1', identifier: [{ system: 'urn:hospital:mrn', value: 'M1' }] }

const alert: OutboundAlert = {
  kind: 'alert', patient: { id: 'M1' }, id: 'a1', rule: 'news2-emergency', priority: 'high', state: 'active', raisedAt: AT, changedAt: AT, onset: AT - MINUTE_MS,
  value: 9, threshold: 7, missing: ['news2Temperature'], reasons: [{ feature: 'news2Respiration', value: 28, contribution: 3, eventTime: AT }], basis: 'news2@1',
}
const score: OutboundScore = { kind: 'score', patient: { id: 'M1' }, model: 'sepsis', version: '3', asOf: AT, probability: 0.3412, reasons: [] }

let server: MemoryFhir
let clock: ManualClock
beforeEach(() => { server = new MemoryFhir(); server.put(PATIENT); clock = new ManualClock(AT) })

function writer (options: object = {}): (item: OutboundItem, isAsked?: boolean) => Promise<Delivery> {
  const writeBack = new WriteBack({ exchange: server.exchange, options: writeBackOptions.parse(options), mapping: () => ({ ...PLAIN_MAPPING, namespaces: new Map([['urn:hospital:mrn', ''], ['urn:national', 'nhs']]) }), clock })
  return (item, isAsked) => writeBack.deliver(item, new AbortController().signal, isAsked)
}

const issues = (): readonly DetectedIssue[] => server.of('DetectedIssue') as DetectedIssue[]

describe('an alert', () => {
  it('becomes one DetectedIssue, whose versions follow the alert to its end', async () => {
    const deliver = writer()
    await deliver(alert)
    expect(issues()).toMatchObject([{
      status: 'final', severity: 'high', patient: { reference: 'Patient/p1' }, code: { coding: [{ system: 'urn:latido:alert-rule', code: 'news2-emergency' }] },
      identifier: [{ system: 'urn:latido:alert', value: 'a1' }, { value: String(AT) }], identifiedPeriod: { start: '2031-05-06T09:59:00.000Z' },
      detail: 'At least 9 (alert at 7), by news2@1. Missing: news2Temperature. Reasons: news2Respiration 28 (+3).',
    }])
    await deliver({ ...alert, state: 'acknowledged', changedAt: AT + MINUTE_MS })
    expect(issues()).toMatchObject([{ status: 'final', mitigation: [{ date: '2031-05-06T10:01:00.000Z' }] }])
    await deliver({ ...alert, state: 'cleared', changedAt: AT + 2 * MINUTE_MS })
    expect(issues()).toMatchObject([{ status: 'cancelled', identifiedPeriod: { start: '2031-05-06T09:59:00.000Z', end: '2031-05-06T10:02:00.000Z' } }])
  })

  it('that ended because its patient is another now was entered in error', async () => {
    await writer()({ ...alert, state: 'cleared', reasons: [{ feature: 'merged', value: null, contribution: 0, eventTime: null }] })
    expect(issues()).toMatchObject([{ status: 'entered-in-error' }])
  })

  it('changes nothing when it comes again, and an older change never overwrites a newer one', async () => {
    await writer()(alert)
    await writer()({ ...alert, state: 'acknowledged', changedAt: AT + 5 })
    const before = server.stored.get('DetectedIssue/r1')
    for (const again of [alert, { ...alert, state: 'acknowledged' as const, changedAt: AT + 5 }]) expect(await writer()(again)).toEqual({ kind: 'delivered' })
    expect(server.stored.get('DetectedIssue/r1')).toEqual(before)
  })

  it.each([409, 412])('is read again and written again when the server answers %d to a stale If-Match', async status => {
    await writer()(alert)
    let conflicts = 2
    server.intercept = ({ method }) => {
      if (method !== 'PUT' || conflicts-- <= 0) return undefined
      server.put({ ...server.stored.get('DetectedIssue/r1')!.resource }) // a person edited it
      return reply(status)
    }
    expect(await writer()({ ...alert, state: 'cleared', changedAt: AT + 1 })).toEqual({ kind: 'delivered' })
    expect(issues()).toMatchObject([{ status: 'cancelled' }])
    expect(server.calls.filter(call => call.startsWith('PUT')).length).toBe(3)
  })

  it('is tried again later when others change it all the time', async () => {
    await writer()(alert)
    server.intercept = ({ method }) => method === 'PUT' ? reply(409) : undefined
    expect(await writer()({ ...alert, changedAt: AT + 1 })).toMatchObject({ kind: 'failed' })
  })

  it('is found again where a server shows nothing of what is there, or knows no conditional create', async () => {
    server.minimal = true
    await writer()(alert)
    expect(await writer()({ ...alert, state: 'acknowledged', changedAt: AT + 1 })).toEqual({ kind: 'delivered' })
    server.intercept = ({ headers }) => headers?.['if-none-exist'] !== undefined && server.calls.at(-2)?.startsWith('GET DetectedIssue') !== true ? reply(400) : undefined
    expect(await writer({ once: 'search' })({ ...alert, state: 'cleared', changedAt: AT + 2 })).toEqual({ kind: 'delivered' })
    expect(issues()).toMatchObject([{ status: 'cancelled' }])
  })

  it('of a priority that nobody wants is not sent', async () => {
    expect(await writer({ alerts: ['high'] })({ ...alert, priority: 'low' })).toEqual({ kind: 'skipped', what: 'not-wanted' })
    expect(server.calls).toEqual([])
  })
})

describe('a score', () => {
  it('becomes an Observation in percent, once in each stretch of time, also after a restart', async () => {
    const deliver = writer()
    expect(await deliver(score)).toEqual({ kind: 'delivered' })
    expect(await deliver({ ...score, asOf: AT + 10_000, probability: 0.9 })).toEqual({ kind: 'skipped', what: 'within-stretch' })
    expect(await writer()({ ...score, asOf: AT + 20_000 })).toEqual({ kind: 'delivered' })
    expect(await deliver({ ...score, asOf: AT + 15 * MINUTE_MS })).toEqual({ kind: 'delivered' })
    const observations = server.of('Observation') as Observation[]
    expect(observations).toMatchObject([
      { status: 'final', subject: { reference: 'Patient/p1' }, effectiveDateTime: '2031-05-06T10:00:00.000Z', valueQuantity: { value: 34.12, code: '%', system: 'http://unitsofmeasure.org' }, code: { coding: [{ code: 'sepsis', version: '3' }] } },
      { effectiveDateTime: '2031-05-06T10:15:00.000Z' },
    ])
    expect(JSON.stringify(observations)).not.toContain('M1')
    expect(observations[0]).not.toHaveProperty('derivedFrom')
  })

  it('of another model than the wanted is not sent', async () => {
    expect(await writer({ scores: ['mortality'] })(score)).toEqual({ kind: 'skipped', what: 'not-wanted' })
  })
})

describe('a clinical score', () => {
  const news2: OutboundClinicalScore = { kind: 'clinical-score', patient: { id: 'M1' }, score: 'news2', basis: 'news2@1', asOf: AT, value: 3, missing: ['news2Temperature'], parts: [{ feature: 'news2Respiration', points: 3, eventTime: AT }, { feature: 'news2Spo2', points: 0, eventTime: AT }] }

  it('becomes an Observation of a public code, with its parts, which says that it is a lower bound and what is missing', async () => {
    expect(await writer()(news2)).toEqual({ kind: 'delivered' })
    const quantity = (value: number): object => ({ value, unit: 'score', system: 'http://unitsofmeasure.org', code: '{score}' })
    expect(server.of('Observation')).toMatchObject([{
      status: 'final', subject: { reference: 'Patient/p1' }, effectiveDateTime: '2031-05-06T10:00:00.000Z', method: { text: 'news2@1' },
      code: { coding: [{ system: 'http://snomed.info/sct', code: '1104051000000101' }] }, valueQuantity: { ...quantity(3), comparator: '>=' },
      component: [
        { code: { coding: [{ system: 'http://snomed.info/sct', code: '1104301000000104' }] }, valueQuantity: quantity(3) },
        { code: { coding: [{ system: 'urn:latido:clinical-score', code: 'news2Spo2' }] }, valueQuantity: quantity(0) },
        { code: { coding: [{ code: '1104371000000107' }] }, dataAbsentReason: { coding: [{ code: 'unknown' }] } },
      ],
    }])
    expect(JSON.stringify(server.of('Observation'))).not.toContain('M1')
  })

  it('is there once though it comes again, and each of its own vector', async () => {
    for (const item of [news2, news2, { ...news2, asOf: AT + 1, missing: [] }, { ...news2, score: 'mews' as const }]) expect(await writer({ clinicalScores: ['news2', 'mews'] })(item)).toEqual({ kind: 'delivered' })
    expect(server.of('Observation')).toHaveLength(3)
    expect(server.of('Observation')[1]).toMatchObject({ valueQuantity: { value: 3 } })
    expect(server.of('Observation')[1]).not.toHaveProperty('valueQuantity.comparator')
  })

  it('that nobody wants is not sent', async () => {
    expect(await writer({ clinicalScores: [] })(news2)).toEqual({ kind: 'skipped', what: 'not-wanted' })
  })
})

describe('the patient', () => {
  it('is asked for once in a while, by the system that the namespace stands for', async () => {
    const deliver = writer()
    await deliver(score)
    await deliver({ ...alert })
    expect(server.calls.filter(call => call.startsWith('GET Patient')).length).toBe(1)
    clock.advance(3_600_001)
    await deliver({ ...alert, id: 'a2' })
    expect(server.calls.filter(call => call.startsWith('GET Patient')).length).toBe(2)
    server.put({ resourceType: 'Patient', id: 'p2', identifier: [{ system: 'urn:national', value: '943' }] })
    await deliver({ ...alert, id: 'a3', patient: { id: 'nhs|943' } })
    expect(issues().at(-1)).toMatchObject({ patient: { reference: 'Patient/p2' } })
  })

  it('that is not there, or there twice, or of a namespace without a system, is a dead letter', async () => {
    expect(await writer()({ ...alert, patient: { id: 'M404' } })).toMatchObject({ kind: 'refused', fault: { cause: 'patient-missing' } })
    server.put({ ...PATIENT, id: 'p9' } as FhirResource)
    expect(await writer()(alert)).toMatchObject({ kind: 'refused', fault: { cause: 'identifier-conflict' } })
    expect(await writer()({ ...alert, patient: { id: 'other|1' } })).toMatchObject({ kind: 'refused', fault: { cause: 'patient-missing' } })
  })

  it('that the server does not know, or knows twice, is searched for once a minute whatever is raised, and at once when a person asks', async () => {
    const deliver = writer()
    const searches = (): number => server.calls.filter(call => call.startsWith('GET Patient')).length
    const unknown = (n: number): OutboundAlert => ({ ...alert, id: `u${n}`, patient: { id: 'M404' } })
    server.put({ resourceType: 'Patient', id: 'p8', identifier: [{ system: 'urn:hospital:mrn', value: 'M2' }] })
    server.put({ resourceType: 'Patient', id: 'p9', identifier: [{ system: 'urn:hospital:mrn', value: 'M2' }] })
    for (let n = 0; n < 200; n++) {
      expect(await deliver(unknown(n))).toMatchObject({ kind: 'refused', fault: { cause: 'patient-missing' } })
      expect(await deliver({ ...alert, id: `t${n}`, patient: { id: 'M2' } })).toMatchObject({ kind: 'refused', fault: { cause: 'identifier-conflict' } })
    }
    expect(searches()).toBe(2)
    clock.advance(59_999)
    await deliver(unknown(200))
    expect(searches()).toBe(2)
    server.put({ resourceType: 'Patient', id: 'p404', identifier: [{ system: 'urn:hospital:mrn', value: 'M404' }] })
    expect(await deliver(unknown(201))).toMatchObject({ kind: 'refused' })
    expect(await deliver(unknown(202), true)).toEqual({ kind: 'delivered' })
    expect(searches()).toBe(3)
    clock.advance(1)
    expect(await deliver({ ...alert, id: 't200', patient: { id: 'M2' } })).toMatchObject({ kind: 'refused' })
    expect(searches()).toBe(4)
  })

  it('is the survivor where the server has merged two', async () => {
    server.put({ ...PATIENT, id: 'p9', active: false, link: [{ type: 'replaced-by', other: { reference: 'Patient/p1' } }] } as FhirResource)
    await writer()(alert)
    expect(issues()).toMatchObject([{ patient: { reference: 'Patient/p1' } }])
  })
})

describe('a server that will not', () => {
  it.each([
    [400, 'refused'], [422, 'refused'], [404, 'refused'], [500, 'failed'], [403, 'away'],
  ])('answers %d: %s', async (status, kind) => {
    server.intercept = ({ method }) => method === 'POST' ? reply(status, { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'invalid', diagnostics: 'M1 is wrong' }] }) : undefined
    const delivery = await writer()(score)
    expect(delivery.kind).toBe(kind)
    expect(JSON.stringify(delivery)).not.toContain('M1')
  })

  it('that does not answer is waited for; a fault of ours is not', async () => {
    server.intercept = () => new LatidoError('FHIR_UNREACHABLE', 'the FHIR server does not answer', 'start it')
    expect(await writer()(score)).toEqual({ kind: 'away', why: 'the FHIR server does not answer' })
    server.intercept = () => new TypeError('boom')
    await expect(writer()(score)).rejects.toThrow('boom')
  })
})
