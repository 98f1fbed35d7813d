import type { Resource } from '../fake-server/index.ts'

interface SaidEvent { readonly number: number, readonly resource?: Resource, readonly reference?: string, readonly deleted?: string }

export interface Said {
  /** Of the Subscription. */
  readonly id: string
  /** Events since its start. */
  readonly count: number
  readonly type?: 'handshake' | 'heartbeat' | 'event-notification' | 'query-event'
  readonly events?: readonly SaidEvent[]
  readonly context?: readonly Resource[]
  readonly status?: string
  /** How the status is written: as the guide has it, as some servers do, or as R4B has it. */
  readonly names?: 'guide' | 'camel' | 'r4b'
  /** Content of the events: `empty` leaves them out altogether. */
  readonly empty?: boolean
}

/** A notification as the backport guide (STU 1.1) has it. */
export function notificationOf (said: Said): Resource {
  const { events = [], context = [] } = said
  return {
    resourceType: 'Bundle', type: 'history',
    entry: [
      { fullUrl: 'urn:uuid:1', resource: statusOf(said) },
      ...said.empty === true ? [] : events.flatMap(entryOf),
      ...context.map(resource => ({ fullUrl: `http://ehr/fhir/${resource.resourceType}/${resource.id}`, resource })),
    ],
  }
}

function entryOf ({ resource, deleted }: SaidEvent): readonly object[] {
  if (deleted !== undefined) return [{ fullUrl: `http://ehr/fhir/${deleted}`, request: { method: 'DELETE', url: deleted } }]
  return resource === undefined ? [] : [{ fullUrl: `http://ehr/fhir/${resource.resourceType}/${resource.id}`, resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } }]
}

function focusOf ({ resource, reference, deleted }: SaidEvent): string { return reference ?? deleted ?? `${resource!.resourceType}/${resource!.id}` }

function statusOf ({ id, count, type = 'event-notification', events = [], status = 'active', names = 'guide', empty = false }: Said): Resource {
  const reference = { reference: `http://ehr/fhir/Subscription/${id}` }
  if (names === 'r4b') return { resourceType: 'SubscriptionStatus', status, type, eventsSinceSubscriptionStart: String(count), subscription: reference, notificationEvent: events.map(event => ({ eventNumber: String(event.number), focus: { reference: focusOf(event) } })) }
  const name = (guide: string): string => names === 'guide' ? guide : guide.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'subscription', valueReference: reference }, { name: 'topic', valueCanonical: 'http://example.org/topic' }, { name: 'status', valueCode: status }, { name: 'type', valueCode: type },
      { name: name('events-since-subscription-start'), valueString: String(count) },
      ...events.map(event => ({ name: name('notification-event'), part: [{ name: name('event-number'), valueString: String(event.number) }, ...empty ? [] : [{ name: 'focus', valueReference: { reference: focusOf(event) } }]] })),
    ],
  }
}
