import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventNumbers } from '../../../../connectors/fhir/subscriptions/event-numbers.ts'
import { readNotification } from '../../../../connectors/fhir/subscriptions/notification.ts'
import { subscriptionFields } from '../../../../connectors/fhir/subscriptions/options.ts'
import { subscriptionOf, whyRenew } from '../../../../connectors/fhir/subscriptions/subscription-resource.ts'
import { isOlder } from '../../../../connectors/fhir/newest-first.ts'
import type { Bundle } from '../../../../connectors/fhir/resources/index.ts'
import { notificationOf } from './notifier.ts'

describe('event numbers', () => {
  it('know what was left out, until it comes', () => {
    const numbers = new EventNumbers(0)
    numbers.taken([1, 2, 5])
    expect(numbers.missing).toEqual({ from: 3, to: 4 })
    numbers.taken([4])
    expect(numbers.missing).toEqual({ from: 3, to: 3 })
    numbers.taken([3])
    expect([numbers.missing, numbers.contiguous]).toEqual([undefined, 5])
  })

  it('know from a heartbeat that the newest are missing', () => {
    const numbers = new EventNumbers(7)
    expect(numbers.heard(9)).toBe(true)
    expect(numbers.missing).toEqual({ from: 8, to: 9 })
    numbers.filled(9)
    expect(numbers.missing).toBeUndefined()
  })

  it('begin with what is heard first, and anew when the server counts anew', () => {
    const numbers = new EventNumbers(undefined)
    numbers.taken([41])
    expect([numbers.missing, numbers.contiguous]).toEqual([undefined, 41])
    expect(numbers.heard(3)).toBe(false)
    expect(numbers.contiguous).toBe(3)
  })

  it('are complete exactly when each up to the highest was taken, in whatever order', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 30 }), taken => {
      const numbers = new EventNumbers(0)
      for (const one of taken) numbers.taken([one])
      const highest = Math.max(0, ...taken)
      const absent = Array.from({ length: highest }, (_, i) => i + 1).filter(one => !taken.includes(one))
      expect(numbers.missing).toEqual(absent.length === 0 ? undefined : { from: absent[0], to: absent.at(-1) })
    }))
  })
})

describe('a topic notification', () => {
  const observation = { resourceType: 'Observation', id: 'o1' } as const

  it('is read with the names of the guide, with those that servers write, and as R4B has it', () => {
    const status = { type: 'event-notification', status: 'active', subscription: '7', eventsSinceStart: 12, events: [{ number: 12, focus: 'Observation/o1' }] }
    for (const names of ['guide', 'camel', 'r4b'] as const) {
      const read = readNotification(notificationOf({ id: '7', count: 12, events: [{ number: 12, resource: observation }], names }) as unknown as Bundle)
      expect(read?.status).toEqual(status)
      expect(read?.events).toEqual([{ kind: 'resource', resource: observation }])
    }
  })

  it('tells resources, names, deletions and context apart', () => {
    const bundle = notificationOf({ id: '7', count: 3, events: [{ number: 1, resource: observation }, { number: 2, reference: 'Observation/o2' }, { number: 3, deleted: 'Observation/o3' }], context: [{ resourceType: 'Patient', id: 'p1' }] })
    const read = readNotification(bundle as unknown as Bundle)
    expect(read?.events).toEqual([{ kind: 'resource', resource: observation }, { kind: 'deletion', type: 'Observation', id: 'o3' }, { kind: 'reference', type: 'Observation', id: 'o2' }])
    expect(read?.context).toEqual([{ resourceType: 'Patient', id: 'p1' }])
  })

  it.each([
    { resourceType: 'Bundle', type: 'history' },
    { resourceType: 'Bundle', type: 'history', entry: [{ resource: { resourceType: 'Parameters', parameter: [{ name: 'type', valueCode: 'surprise' }] } }] },
    { resourceType: 'Bundle', type: 'collection', entry: [{ resource: observation }] },
  ])('is not %j', bundle => { expect(readNotification(bundle as Bundle)).toBeUndefined() })
})

describe('which version is older', () => {
  it('is said by numbers, else by the time of writing; what says neither is taken', () => {
    expect(isOlder({ version: 9, at: 5 }, { version: 10, at: 1 })).toBe(true)
    expect(isOlder({ version: 10, at: 1 }, { version: 10, at: 1 })).toBe(false)
    expect(isOlder({ at: 1 }, { version: 10, at: 2 })).toBe(true)
    expect(isOlder({ at: NaN }, { version: 10, at: 2 })).toBe(false)
    expect(isOlder({ version: 1, at: 1 }, undefined)).toBe(false)
  })
})

describe('the Subscription resource', () => {
  const addressed = { endpoint: 'https://latido/notify/vitals', header: 'Authorization: Bearer x', reason: 'Latido feed ehr', end: undefined }
  const [plain, topic] = subscriptionFields.parse({ subscriptions: [
    { key: 'vitals', criteria: 'Observation?category=vital-signs' },
    { key: 'stays', criteria: 'Encounter', topic: 'http://example.org/topic/stays', filters: ['Encounter?status=in-progress'], payload: 'id-only', heartbeatSeconds: 60 },
  ] }).subscriptions

  it('is plain R4 without a topic, and profiled by the backport guide with one', () => {
    expect(subscriptionOf(plain!, addressed)).toEqual({
      resourceType: 'Subscription', status: 'requested', reason: 'Latido feed ehr', criteria: 'Observation?category=vital-signs',
      channel: { type: 'rest-hook', endpoint: 'https://latido/notify/vitals', payload: 'application/fhir+json', header: ['Authorization: Bearer x'] },
    })
    const base = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition'
    expect(subscriptionOf(topic!, addressed)).toMatchObject({
      meta: { profile: [`${base}/backport-subscription`] }, criteria: 'http://example.org/topic/stays',
      _criteria: { extension: [{ url: `${base}/backport-filter-criteria`, valueString: 'Encounter?status=in-progress' }] },
      channel: { extension: [{ url: `${base}/backport-heartbeat-period`, valueUnsignedInt: 60 }], _payload: { extension: [{ url: `${base}/backport-payload-content`, valueCode: 'id-only' }] } },
    })
  })

  it('is written anew when the server switched it off, when it changed, and before it ends', () => {
    const wanted = subscriptionOf(plain!, { ...addressed, end: new Date(10_000).toISOString() })
    const { header: _, ...channel } = wanted.channel
    expect(whyRenew({ ...wanted, status: 'active', channel }, wanted, 1_000, 9_000)).toBeUndefined() // servers hide the header
    expect(whyRenew({ ...wanted, status: 'active' }, wanted, 8_000, 9_000)).toBe('ends')
    expect(whyRenew({ ...wanted, status: 'error' }, wanted, 1_000, 9_000)).toBe('off')
    expect(whyRenew({ ...wanted, status: 'active', criteria: 'Observation?' }, wanted, 1_000, 9_000)).toBe('changed')
  })

  it.each([{ subscriptions: [] }, { subscriptions: [{ key: 'a', criteria: 'Observation' }, { key: 'a', criteria: 'Encounter' }] }, { subscriptions: [{ key: 'a', criteria: 'Observation', payload: 'id-only' }] }, { subscriptions: [{ key: 'A/b', criteria: 'Observation' }] }, { subscriptions: [{ key: 'a', criteria: 'Observation', heartbeatSeconds: 60 }] }])('does not come from %j', options => {
    expect(() => subscriptionFields.parse(options)).toThrow()
  })
})
