import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Feed, fixedMapping, PLAIN_MAPPING } from '../../../connectors/kit/index.ts'
import { telemedicineConnector, telemedicineOptions, type ItemFault } from '../../../connectors/telemedicine/index.ts'
import { canonical, readEnvelope, writeEnvelope } from '../../../connectors/telemedicine/envelope.ts'
import { isSnomedConcept } from '../../../connectors/telemedicine/snomed.ts'
import { FakeIntake, NOW_MS } from '../kit/fake-intake.ts'

const map = telemedicineConnector.mapper(telemedicineOptions.parse({}))
const feedOn = (intake: FakeIntake): Feed<ItemFault> => new Feed<ItemFault>({ name: 'phones', kind: 'telemedicine', intake, mapping: fixedMapping(), map })
const AT = new Date(NOW_MS - 3_600_000).toISOString()

/** What a phone may send, well or badly; each reading at a time of its own, so that none stands twice. */
const reading = fc.record({
  concept: fc.constantFrom('heartRate', 'spo2', 'mood'), value: fc.constantFrom(0, 50, 70, 99, 1_000, 'x', null), unit: fc.constantFrom('/min', '%', 'mmol/L', ''),
  takenAt: fc.constantFrom(AT, '2031-05-06T09:00:00', '1970-01-01T00:00:00Z', 'now'),
}, { requiredKeys: [] })
const item = fc.oneof({ weight: 4, arbitrary: reading }, { weight: 1, arbitrary: fc.jsonValue() })
const items = fc.array(item, { minLength: 1, maxLength: 8 }).map(all => all.map((one, i) => typeof one === 'object' && one !== null && !Array.isArray(one) && 'takenAt' in one ? { ...one, device: `d${i}` } : one))
const patient = { id: 'MRN-1', authority: '' }

it('every item is either taken or refused with its place, and none is lost', async () => {
  await fc.assert(fc.asyncProperty(items, async all => {
    const intake = new FakeIntake()
    const taken = await feedOn(intake).take(writeEnvelope({ kind: 'observations', id: 'r', patient, items: all }))
    if (taken.kind !== 'taken') throw new Error(taken.kind)
    expect(intake.values().length + taken.refused.length).toBe(all.length)
    expect(intake.refused.length).toBe(taken.refused.length)
    for (const { fault } of taken.refused) expect(fault.path.startsWith(`/items/${fault.index}`)).toBe(true)
    expect(new Set(taken.refused.map(r => r.fault.index)).size).toBe(taken.refused.length)
  }), { numRuns: 300 })
})

it('an item has the outcome that it has alone, whatever stands beside it', () => {
  fc.assert(fc.property(items, all => {
    const context = { now: NOW_MS, mapping: PLAIN_MAPPING, patientInBed: () => undefined, unmapped: () => {} }
    const faults = (some: readonly unknown[], part?: number): readonly (string | undefined)[] => {
      const mapped = map(writeEnvelope({ kind: 'observations', id: 'r', part, patient, items: some }), context)
      if (mapped.kind !== 'mapped') throw new Error('rejected')
      return some.map((_, i) => mapped.refused.find(r => r.fault.index === (part ?? i))?.fault.cause)
    }
    expect(faults(all)).toEqual(all.flatMap((one, i) => faults([one], i)))
  }), { numRuns: 300 })
})

it('a refused item, taken again from its dead letter, is refused alike; and taken once nothing is in the way', async () => {
  const intake = new FakeIntake()
  const late = { concept: 'heartRate', value: 70, unit: '/min', takenAt: new Date(NOW_MS + 3_600_000).toISOString() }
  await feedOn(intake).take(writeEnvelope({ kind: 'observations', id: 'r', patient, items: [{}, late] }))
  const letter = intake.refused[1]!.raw
  expect(readEnvelope(letter)).toMatchObject({ id: 'r', part: 1 })
  expect(await feedOn(intake).take(letter)).toMatchObject({ kind: 'taken', refused: [{ fault: { cause: 'time-in-future', index: 1, path: '/items/1/takenAt' } }] })
  intake.nowMs += 3_600_000
  expect(await feedOn(intake).take(letter)).toMatchObject({ kind: 'taken', published: 1, refused: [] })
  expect(intake.published[0]!.messageId).toBe('r/1')
})

it('a refusal never says what was sent', async () => {
  await fc.assert(fc.asyncProperty(fc.string({ minLength: 6, maxLength: 20 }).filter(s => /^[a-z]{6,}$/.test(s) || s.length > 12), async secret => {
    const intake = new FakeIntake()
    const items = [{ concept: secret, value: 1, unit: '1', takenAt: AT }, { concept: 'heartRate', value: secret, unit: secret, takenAt: secret }, { [`x${secret}`]: 1 }]
    await feedOn(intake).take(writeEnvelope({ kind: 'observations', id: 'r', patient: { id: secret, authority: '' }, items }))
    for (const { detail } of intake.refused) expect(detail).not.toContain(secret)
  }), { numRuns: 50 })
})

it('bytes of a dead letter that are none of ours are refused, not thrown at', async () => {
  await fc.assert(fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 60 }).map(Buffer.from), fc.jsonValue().map(v => Buffer.from(JSON.stringify(v)))), async raw => {
    expect((await feedOn(new FakeIntake()).take(raw)).kind).toBe('refused')
  }), { numRuns: 200 })
})

it('the canonical form is one for one content', () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 3 }), value => {
    expect(canonical(JSON.parse(canonical(value)))).toBe(canonical(value))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) expect(canonical(Object.fromEntries(Object.entries(value).toReversed()))).toBe(canonical(value))
  }))
})

describe('a mapping of the feed', () => {
  it('gives codes, units and namespaces their meaning, and counts codes that have none', async () => {
    const intake = new FakeIntake()
    const unknown: string[] = []
    const mapping = { ...PLAIN_MAPPING, codes: new Map([['PULSE-BAND', { concept: 'heartRate' as const }]]), units: new Map([['beats', '/min']]), namespaces: new Map([['apps', 'home']]) }
    const feed = new Feed<ItemFault>({ name: 'phones', kind: 'telemedicine', intake, mapping: { current: mapping, unmapped: ({ code }) => { unknown.push(code) } }, map })
    const one = (code: string): unknown => ({ code, value: 61, unit: 'beats', takenAt: AT })
    await feed.take(writeEnvelope({ kind: 'observations', id: 'a', patient: { id: '7', authority: 'apps' }, items: [one('pulse-band'), one('steps')] }))
    expect(intake.published).toMatchObject([{ patient: { id: 'home|7' }, event: { observations: [{ concept: 'heartRate', value: 61 }] } }])
    expect(unknown).toEqual(['steps'])
    expect(await feed.take(writeEnvelope({ kind: 'observations', id: 'b', patient: { id: '7', authority: 'elsewhere' }, items: [one('pulse-band')] }))).toMatchObject({ kind: 'refused', fault: { cause: 'patient-missing' } })
  })
})

describe('identity of a reading', () => {
  const resultIds = async (...items: readonly unknown[]): Promise<readonly string[]> => {
    const intake = new FakeIntake()
    for (const [i, one] of items.entries()) await feedOn(intake).take(writeEnvelope({ kind: 'observations', id: String(i), patient, items: [one] }))
    return intake.published.flatMap(m => m.event.type === 'observations' ? m.event.observations.map(o => o.resultId) : [])
  }
  const at = (takenAt: string, more: object = {}): unknown => ({ concept: 'heartRate', value: 70, unit: '/min', takenAt, ...more })

  it('is its concept, moment and device, so that what is sent again in another request replaces itself', async () => {
    const [a, b, c, d] = await resultIds(at('2031-05-06T09:00:00Z'), at('2031-05-06T11:00:00+02:00', { status: 'corrected' }), at('2031-05-06T09:00:00Z', { device: 'band' }), at('2031-05-06T09:01:00Z'))
    expect(a).toBe(b)
    expect(new Set([a, c, d]).size).toBe(3)
  })

  it('is the app\'s own where it gives one, also when the time was wrong', async () => {
    const [a, b] = await resultIds(at('2031-05-06T09:00:00Z', { id: 'r-1' }), at('2031-05-06T08:00:00Z', { id: 'r-1', status: 'corrected' }))
    expect(a).toBe(b)
  })
})

it('knows the identifiers of SNOMED CT concepts by their check digit', () => {
  expect(['267036007', '22298006', '386661006', '25064002', '138875005'].map(isSnomedConcept)).toEqual([true, true, true, true, true])
  expect(['267036008', '276036007', '22298', 'abc', '', '679406011', '0267036007'].map(isSnomedConcept)).toEqual([false, false, false, false, false, false, false])
})
