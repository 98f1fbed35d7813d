import type { Parameters, ParametersParameter } from 'fhir/r4.js'
import { list, localReference, text, type Bundle, type FhirResource } from '../resources/index.ts'

export type NotificationType = 'handshake' | 'heartbeat' | 'event-notification' | 'query-status' | 'query-event'

/** What a topic notification says of itself. */
export interface NotificationStatus {
  readonly type: NotificationType
  /** `requested`, `active`, `error`, `off`. */
  readonly status: string
  /** The Subscription's logical id; empty: not said. */
  readonly subscription: string
  readonly eventsSinceStart: number | undefined
  readonly events: readonly { readonly number: number | undefined, readonly focus: string | undefined }[]
}

/** One thing that happened: a resource as sent, only its name, or its deletion. */
export type NotifiedEvent =
  | { readonly kind: 'resource', readonly resource: FhirResource }
  | { readonly kind: 'reference', readonly type: string, readonly id: string }
  | { readonly kind: 'deletion', readonly type: string, readonly id: string }

export interface Notification {
  readonly status: NotificationStatus
  readonly events: readonly NotifiedEvent[]
  /** Resources that came along and are nobody's focus. */
  readonly context: readonly FhirResource[]
}

const TYPES: ReadonlySet<string> = new Set(['handshake', 'heartbeat', 'event-notification', 'query-status', 'query-event'])

/**
 * A topic notification: a Bundle whose first entry is the status, a Parameters resource in R4 (backport IG STU 1.1, `backport-subscription-status-r4`) or a
 * SubscriptionStatus (R4B). undefined: it is none.
 */
export function readNotification (bundle: Bundle): Notification | undefined {
  const [first, ...rest] = list(bundle.entry)
  const status = statusOf(first?.resource as FhirResource | undefined)
  if (status === undefined) return undefined
  const events: NotifiedEvent[] = []
  const context: FhirResource[] = []
  const foci = new Set(status.events.flatMap(({ focus }) => focus ?? []))
  const told = new Set<string>()
  for (const entry of rest) {
    const resource = entry.resource as FhirResource | undefined
    const name = resource === undefined ? localReference(entry.request?.url) ?? localReference(entry.fullUrl) : `${resource.resourceType}/${resource.id ?? ''}`
    if (name === undefined) continue
    const [type = '', id = ''] = name.split('/')
    if (entry.request?.method === 'DELETE') events.push({ kind: 'deletion', type, id })
    else if (resource !== undefined) { if (foci.size === 0 || foci.has(name)) events.push({ kind: 'resource', resource }); else { context.push(resource); continue } }
    else events.push({ kind: 'reference', type, id })
    told.add(name)
  }
  for (const focus of foci) {
    const [type = '', id = ''] = focus.split('/')
    if (!told.has(focus)) events.push({ kind: 'reference', type, id })
  }
  return { status, events, context }
}

function statusOf (resource: FhirResource | undefined): NotificationStatus | undefined {
  const said = resource as { resourceType?: string } | undefined
  if (said?.resourceType === 'Parameters') return ofParameters(said as Parameters)
  return said?.resourceType === 'SubscriptionStatus' ? ofStatus(said as SubscriptionStatus) : undefined
}

/** The IG writes `notification-event`, servers also `notificationEvent`. */
function plain (name: unknown): string { return text(name).replaceAll('-', '').toLowerCase() }
function named (parameters: readonly ParametersParameter[] | undefined, name: string): ParametersParameter | undefined { return list(parameters).find(one => plain(one.name) === name) }

function ofParameters ({ parameter }: Parameters): NotificationStatus | undefined {
  const type = typeOf(valueOf(named(parameter, 'type')))
  if (type === undefined) return undefined
  return {
    type,
    status: text(valueOf(named(parameter, 'status'))),
    subscription: idOf(named(parameter, 'subscription')?.valueReference?.reference),
    eventsSinceStart: numberOf(valueOf(named(parameter, 'eventssincesubscriptionstart'))),
    events: list(parameter).filter(one => plain(one.name) === 'notificationevent').map(one => ({
      number: numberOf(valueOf(named(one.part, 'eventnumber'))),
      focus: localReference(named(one.part, 'focus')?.valueReference?.reference),
    })),
  }
}

/** R4B, of which the types of R4 know nothing. */
interface SubscriptionStatus {
  readonly type?: unknown
  readonly status?: unknown
  readonly subscription?: { readonly reference?: unknown }
  readonly eventsSinceSubscriptionStart?: unknown
  readonly notificationEvent?: readonly { readonly eventNumber?: unknown, readonly focus?: { readonly reference?: unknown } }[]
}

function ofStatus ({ type: said, status, subscription, eventsSinceSubscriptionStart, notificationEvent }: SubscriptionStatus): NotificationStatus | undefined {
  const type = typeOf(said)
  if (type === undefined) return undefined
  return {
    type, status: text(status), subscription: idOf(subscription?.reference), eventsSinceStart: numberOf(eventsSinceSubscriptionStart),
    events: list(notificationEvent).map(one => ({ number: numberOf(one.eventNumber), focus: localReference(one.focus?.reference) })),
  }
}

/** Drafts of the IG wrote `handshake-notification`. */
function typeOf (value: unknown): NotificationType | undefined {
  const said = text(value).replace(/^(handshake|heartbeat)-notification$/, '$1')
  return TYPES.has(said) ? said as NotificationType : undefined
}

function valueOf (parameter: ParametersParameter | undefined): unknown {
  return parameter?.valueCode ?? parameter?.valueString ?? parameter?.valueInteger ?? parameter?.valueUnsignedInt ?? parameter?.valueDecimal
}

function idOf (reference: unknown): string { return /(?:^|\/)Subscription\/([A-Za-z0-9.-]{1,64})$/.exec(text(reference))?.[1] ?? '' }

/** An integer64 travels as text. */
function numberOf (value: unknown): number | undefined {
  const number = typeof value === 'number' ? value : /^\d{1,15}$/.test(text(value)) ? Number(value) : NaN
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined
}
