import { expect, it } from 'vitest'
import { AT_MS, causeOf, eventsOf, heartRate, map, MAPPING, mapRaw, NOW_MS } from '../support.ts'

const LOINC = 'http://loinc.org'
interface Set { readonly kind: string, readonly observations: readonly { readonly concept: string, readonly value: number, readonly comparator: string, readonly eventTime: number, readonly status: string, readonly quality: string, readonly resultId: string }[] }
const setOf = (mapped: ReturnType<typeof map>): Set => eventsOf(mapped)[0]!.event as unknown as Set
const only = (resource: object, options?: Parameters<typeof map>[1]): Set['observations'][number] => {
  const { observations } = setOf(map(resource, options))
  expect(observations).toHaveLength(1)
  return observations[0]!
}

it('reads a vital sign, with the patient\'s identifier and not the server\'s id', () => {
  const mapped = map(heartRate('o1', 82))
  expect(eventsOf(mapped)[0]!.patient.id).toBe('MRN-p1')
  expect(setOf(mapped)).toEqual({ type: 'observations', kind: 'charted', source: 'fhir:ehr', observations: [{ concept: 'heartRate', value: 82, comparator: '=', eventTime: AT_MS, status: 'final', quality: 'valid', resultId: 'Observation/o1|8867-4' }] })
})

it('reads a laboratory value with its comparator, in the canonical unit', () => {
  const creatinine = { ...heartRate('o1', 0), category: [{ coding: [{ code: 'laboratory' }] }], code: { coding: [{ system: LOINC, code: '14682-9' }] }, valueQuantity: { value: 106.08, comparator: '<', unit: 'µmol/L' } }
  expect(setOf(map(creatinine)).kind).toBe('laboratory')
  expect(only(creatinine).value).toBeCloseTo(1.2, 2)
  expect(only(creatinine).comparator).toBe('<')
})

it('reads the components of a blood pressure as one set, and not the panel', () => {
  const part = (code: string, value: number): object => ({ code: { coding: [{ system: LOINC, code }] }, valueQuantity: { value, code: 'mm[Hg]' } })
  const { valueQuantity: _, ...panel } = heartRate('bp', 0)
  const mapped = map({ ...panel, code: { coding: [{ system: LOINC, code: '85354-9' }] }, component: [part('8480-6', 121), part('8462-4', 78)] })
  expect(setOf(mapped).observations.map(o => [o.concept, o.value, o.resultId])).toEqual([['systolic', 121, 'Observation/bp|8480-6'], ['diastolic', 78, 'Observation/bp|8462-4']])
})

it('refuses one component alone, as a resource that can be sent again when it is mapped', () => {
  const part = (code: string, value: number): object => ({ code: { coding: [{ system: 'urn:local', code }] }, valueQuantity: { value } })
  const { valueQuantity: _, ...panel } = heartRate('bp', 0)
  const unmapped: string[] = []
  const good = { code: { coding: [{ system: LOINC, code: '8867-4' }] }, valueQuantity: { value: 80 } }
  const mapped = map({ ...panel, component: [good, part('X-1', 5)] }, { unmapped })
  expect(setOf(mapped).observations.map(o => o.concept)).toEqual(['heartRate'])
  expect(causeOf(mapped)).toBe('code-unknown')
  expect(unmapped).toEqual(['urn:local|X-1'])
  const again = mapRaw((mapped as Extract<typeof mapped, { kind: 'mapped' }>).refused[0]!.raw, { mapping: { ...MAPPING, codes: new Map([['URN:LOCAL|X-1', { concept: 'lactate' }]]) } })
  expect(setOf(again).observations).toMatchObject([{ concept: 'lactate', value: 5, resultId: 'Observation/bp|X-1' }])
})

it.each([['preliminary', 'preliminary'], ['final', 'final'], ['amended', 'corrected'], ['corrected', 'corrected'], ['entered-in-error', 'withdrawn'], ['cancelled', 'withdrawn']])('reads status %s as %s, with one identity', (status, expected) => {
  expect(only(heartRate('o1', 82, { status }))).toMatchObject({ status: expected, resultId: 'Observation/o1|8867-4' })
})

it('retracts without a value, a unit or a time that could be used', () => {
  const { valueQuantity: _, effectiveDateTime: __, ...bare } = heartRate('o1', 0)
  expect(only({ ...bare, status: 'entered-in-error' })).toMatchObject({ status: 'withdrawn', value: 0, eventTime: NOW_MS })
  expect(only(heartRate('o1', 99_999, { status: 'entered-in-error' }))).toMatchObject({ status: 'withdrawn' })
})

it('takes a value back that is absent in a later version, and not one that never was', () => {
  const { valueQuantity: _, ...bare } = heartRate('o1', 0)
  const absent = { ...bare, dataAbsentReason: { coding: [{ code: 'error' }] } }
  expect(only({ ...absent, meta: { versionId: '2' } })).toMatchObject({ status: 'withdrawn' })
  const first = map({ ...absent, meta: { versionId: '1' } })
  expect(eventsOf(first)).toEqual([])
  expect(first.notices.get('no-value-error')).toBe(1)
})

it('counts a registered result as none', () => { expect(eventsOf(map(heartRate('o1', 80, { status: 'registered' })))).toEqual([]) })

it('never takes issued or lastUpdated for the time', () => {
  const { effectiveDateTime: _, ...timeless } = heartRate('o1', 80)
  expect(causeOf(map({ ...timeless, issued: '2031-05-06T09:00:00Z', meta: { lastUpdated: '2031-05-06T09:00:00Z' } }))).toBe('time-unparsable')
})

it.each([
  [{ effectiveInstant: '2031-05-06T09:30:00.250Z' }, AT_MS + 250],
  [{ effectivePeriod: { start: '2031-05-06T08:00:00Z', end: '2031-05-06T09:30:00Z' } }, AT_MS],
  [{ effectivePeriod: { start: '2031-05-06T09:30:00Z' } }, AT_MS],
  [{ effectiveTiming: { event: ['2031-05-06T09:00:00Z', '2031-05-06T09:30:00Z'] } }, AT_MS],
])('takes effective[x] %j', (effective, expected) => {
  const { effectiveDateTime: _, ...timeless } = heartRate('o1', 80)
  expect(only({ ...timeless, ...effective }).eventTime).toBe(expected)
})

it('refuses a time ahead of the log, a clock that was never set, and a month', () => {
  expect(causeOf(map(heartRate('o1', 80, { effectiveDateTime: '2031-05-06T10:06:00Z' })))).toBe('time-in-future')
  expect(causeOf(map(heartRate('o1', 80, { effectiveDateTime: '1970-01-01T00:00:10Z' })))).toBe('time-implausible')
  expect(causeOf(map(heartRate('o1', 80, { effectiveDateTime: '2031-05' })))).toBe('time-unparsable')
  expect(only(heartRate('o1', 80, { effectiveDateTime: '2031-05-06T10:03:00Z' })).eventTime).toBe(NOW_MS)
})

it('reads a coded consciousness, and a boolean as oxygen or air', () => {
  const { valueQuantity: _, ...bare } = heartRate('o1', 0)
  const acvpu = { ...bare, code: { coding: [{ system: LOINC, code: '67775-7' }] } }
  expect(only({ ...acvpu, valueCodeableConcept: { coding: [{ system: LOINC, code: 'LA17108-4' }] } }).value).toBe(2)
  expect(only({ ...acvpu, valueCodeableConcept: { text: 'Alert' } }).value).toBe(0)
  expect(causeOf(map({ ...acvpu, valueCodeableConcept: { text: 'in a good mood' } }))).toBe('value-unparsable')
  const mapping = { ...MAPPING, codes: new Map([['URN:LOCAL|O2', { concept: 'oxygenTherapy' as const }]]) }
  expect(only({ ...bare, code: { coding: [{ system: 'urn:local', code: 'o2' }] }, valueBoolean: true }, { mapping }).value).toBe(1)
})

it('does not take a code of another system for a short name of ours', () => {
  expect(causeOf(map(heartRate('o1', 4, { code: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor', code: 'NA' }] } })))).toBe('code-unknown')
})

it('tells two methods of one code apart where the mapping does', () => {
  const mapping = { ...MAPPING, codes: new Map([['URN:LOCAL|MAP/CUFF', { concept: 'meanPressure' as const }]]) }
  const code = { coding: [{ system: 'urn:local', code: 'MAP' }] }
  expect(only(heartRate('o1', 90, { code, method: { coding: [{ code: 'cuff' }] }, valueQuantity: { value: 90 } }), { mapping }).concept).toBe('meanPressure')
  expect(causeOf(map(heartRate('o1', 90, { code, valueQuantity: { value: 90 } }), { mapping }))).toBe('code-unknown')
})

it('says device of what a device measured and nobody vouches for', () => {
  expect(setOf(map(heartRate('o1', 80, { device: { reference: 'Device/m7' } }))).kind).toBe('device')
  expect(setOf(map(heartRate('o1', 80, { device: { reference: 'Device/m7' }, performer: [{ reference: 'Practitioner/n' }] }))).kind).toBe('charted')
})

it('sums SampledData up to a median a minute, without E, U and L, and says where most are missing', () => {
  const { valueQuantity: _, effectiveDateTime: __, ...bare } = heartRate('w', 0)
  const data = [...Array.from({ length: 30 }, (_, i) => i === 7 ? '199' : '80'), ...Array.from({ length: 30 }, (_, i) => i < 20 ? 'E' : '90')].join(' ')
  const sampled = { ...bare, effectivePeriod: { start: '2031-05-06T09:00:00Z' }, valueSampledData: { origin: { value: 0, code: '/min' }, period: 2000, factor: 1, dimensions: 1, data } }
  const { observations } = setOf(map(sampled))
  expect(observations.map(o => [o.value, o.quality, o.eventTime - Date.parse('2031-05-06T09:00:00Z'), o.resultId])).toEqual([[80, 'valid', 58_000, 'Observation/w|8867-4|0'], [90, 'questionable', 118_000, 'Observation/w|8867-4|1']])
  expect(causeOf(map({ ...sampled, valueSampledData: { ...sampled.valueSampledData, data: '80 x 81' } }))).toBe('value-unparsable')
  expect(causeOf(map({ ...sampled, valueSampledData: { ...sampled.valueSampledData, dimensions: 2 } }))).toBe('value-unparsable')
})

it.each([
  [{ valueQuantity: { value: 900, code: '/min' } }, 'value-impossible'], [{ valueQuantity: { value: 80, unit: 'furlong' } }, 'unit-unknown'], [{ status: 'wonderful' }, 'payload-invalid'],
  [{ valueQuantity: undefined, valueRatio: { numerator: { value: 1 }, denominator: { value: 128 } } }, 'value-unparsable'], [{ category: 'vital', code: 'heart rate' }, 'code-unknown'],
])('refuses %j as %s', (extra, cause) => { expect(causeOf(map(heartRate('o1', 80, extra)))).toBe(cause) })

it('is known again by type, id and version, whatever the narrative says', () => {
  const id = (resource: object): string => (map(resource) as { id: string }).id
  const one = heartRate('o1', 80, { meta: { versionId: '1', lastUpdated: '2031-05-06T09:31:00Z' } })
  expect(id({ ...one, text: { div: 'rendered anew' } })).toBe(id(one))
  expect(id(heartRate('o1', 80, { meta: { versionId: '2' } }))).not.toBe(id(one))
})
