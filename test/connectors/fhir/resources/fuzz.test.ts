import fc from 'fast-check'
import { expect, it } from 'vitest'
import { READ_TYPES } from '../../../../connectors/fhir/index.ts'
import { PLAIN_MAPPING } from '../../../../connectors/kit/index.ts'
import { fhirMapper } from '../../../../connectors/fhir/index.ts'
import { heartRate, NOW_MS, patient } from '../support.ts'

const map = fhirMapper()
const context = { now: NOW_MS, mapping: PLAIN_MAPPING, patientInBed: () => undefined, unmapped: () => {} }
const NAMES = ['status', 'code', 'subject', 'patient', 'effectiveDateTime', 'effectivePeriod', 'effectiveTiming', 'valueQuantity', 'valueSampledData', 'component', 'class', 'location', 'period', 'link', 'identifier', 'name', 'item', 'condition', 'contained', 'dosageInstruction', 'dosage', 'conclusionCode', 'modality', 'meta', 'category', 'statusHistory', 'reaction', 'onsetAge']

it('never throws, whatever stands where', () => {
  const odd = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom<unknown>([null], [{ coding: null }], { coding: [null] }, { reference: '#' }, [[]], { start: 7 }, [{ location: { reference: 'Location/x' } }], { event: 7 }))
  fc.assert(fc.property(fc.constantFrom(...READ_TYPES), fc.dictionary(fc.constantFrom(...NAMES), odd), (resourceType, fields) => {
    const resource = { ...heartRate('o1', 80), ...fields, resourceType }
    const mapped = map(Buffer.from(JSON.stringify({ resourceType: 'Bundle', entry: [{ resource }, { resource: patient('p1'), search: { mode: 'include' } }] })), context)
    expect(['mapped', 'rejected']).toContain(mapped.kind)
  }), { numRuns: 3_000 })
})

it('answers the same for the same bytes, and a refused part alone is refused alike', () => {
  fc.assert(fc.property(fc.constantFrom(...READ_TYPES), fc.dictionary(fc.constantFrom(...NAMES), fc.jsonValue({ maxDepth: 2 })), (resourceType, fields) => {
    const raw = Buffer.from(JSON.stringify({ ...heartRate('o1', 80), ...fields, resourceType, contained: [patient('x')] }))
    const [one, two] = [map(raw, context), map(raw, context)]
    expect(two).toEqual(one)
    for (const part of one.kind === 'mapped' ? one.refused : []) {
      const again = map(part.raw, context)
      expect(again.kind === 'rejected' ? again.fault.cause : again.refused.map(r => r.fault.cause)).toEqual(again.kind === 'rejected' ? part.fault.cause : expect.arrayContaining([part.fault.cause]))
    }
  }), { numRuns: 1_000 })
})
