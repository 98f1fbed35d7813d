import { describe, expect, it } from 'vitest'
import { writeBackOptions } from '../../../../connectors/fhir/write-back/options.ts'
import { clinicalObservationOf, detectedIssueOf, observationOf } from '../../../../connectors/fhir/write-back/resources.ts'
import type { OutboundAlert, OutboundClinicalScore, OutboundScore } from '../../../../connectors/kit/index.ts'
import { eventsOf, heartRate, map } from '../support.ts'

const patient = { id: 'p1' }
const reasons = [{ feature: 'fio2Age', value: NaN, contribution: -0.2, eventTime: null }]
const alert: OutboundAlert = { kind: 'alert', patient, id: 'a1', rule: 'sepsis-risk', priority: 'medium', state: 'active', raisedAt: 1, changedAt: 1, onset: 1, value: 0.1, threshold: 0.03, missing: [], reasons, basis: 'sepsis@1.0.0' }
const score: OutboundScore = { kind: 'score', patient, model: 'sepsis', version: '1.0.0', asOf: 1, probability: 0.1, reasons }
const clinical: OutboundClinicalScore = { kind: 'clinical-score', patient, score: 'news2', basis: 'news2@1', asOf: 1, value: 5, missing: [], parts: [] }
const optionsWith = (write: object): ReturnType<typeof writeBackOptions.parse> => writeBackOptions.parse(write)

describe.each([['our own identifiers', {}], ['identifiers of the hospital\'s choice', { identifierSystem: 'urn:oid:1.2.3' }]])('what was written back with %s', (_, write) => {
  const options = optionsWith(write)
  it.each([['an alert', detectedIssueOf(alert, 'Patient/p1', options)], ['a score', observationOf(score, 'Patient/p1', options)], ['a clinical score', clinicalObservationOf(clinical, 'Patient/p1', options)]])('says nothing when the server shows it: %s', (_what, resource) => {
    const unmapped: string[] = []
    const mapped = map({ ...resource, id: 'w1' }, { unmapped })
    expect(mapped).toMatchObject({ kind: 'mapped', events: [], refused: [] })
    expect(mapped).not.toHaveProperty('archived')
    expect([...mapped.notices]).toEqual([['own-writing', 1]])
    expect(unmapped).toEqual([])
  })
})

it('is known by our identifiers where the server has dropped the tag', () => {
  const { meta: _, ...untagged } = observationOf(score, 'Patient/p1', optionsWith({}))
  expect([...map(untagged).notices]).toEqual([['own-writing', 1]])
})

it('is nothing else, however it is tagged and identified', () => {
  const other = heartRate('o1', 82, { meta: { tag: [{ system: 'urn:latido' }, { system: 'urn:other', code: 'written-back' }] }, identifier: [{ system: 'urn:latido-clinic', value: '1' }] })
  expect(eventsOf(map(other))).toHaveLength(1)
})

it('calls a feature absent that has no value', () => {
  expect(detectedIssueOf(alert, 'Patient/p1', optionsWith({})).detail).toContain('fio2Age absent (-0.2)')
})
