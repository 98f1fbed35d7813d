import type { Extension, Subscription } from 'fhir/r4.js'
import { list, text } from '../resources/index.ts'
import type { WantedSubscription } from './options.ts'

const BACKPORT = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition'
/** Renewed when less than this share of its life is left. */
const RENEW_AT = 1 / 3

export interface Addressed {
  /** What the server calls. */
  readonly endpoint: string
  /** `Authorization: Bearer ...`; empty: none. */
  readonly header: string
  readonly reason: string
  /** ISO; undefined: it does not end. */
  readonly end: string | undefined
}

/** The resource that a server is to hold: plain R4, or with a topic as the R5 backport IG (STU 1.1, `backport-subscription`) profiles it. */
export function subscriptionOf (wanted: WantedSubscription, { endpoint, header, reason, end }: Addressed): Subscription {
  const { topic, criteria, filters, payload, heartbeatSeconds } = wanted
  const resource: Subscription = {
    resourceType: 'Subscription', status: 'requested', reason, criteria: topic ?? criteria,
    channel: { type: 'rest-hook', endpoint, ...topic === undefined && payload === 'empty' ? {} : { payload: 'application/fhir+json' }, ...header === '' ? {} : { header: [header] } },
    ...end === undefined ? {} : { end },
  }
  if (topic === undefined) return resource
  const heartbeat: Extension[] = heartbeatSeconds === undefined ? [] : [{ url: `${BACKPORT}/backport-heartbeat-period`, valueUnsignedInt: heartbeatSeconds }]
  return {
    ...resource,
    meta: { profile: [`${BACKPORT}/backport-subscription`] },
    ...filters.length === 0 ? {} : { _criteria: { extension: filters.map(filter => ({ url: `${BACKPORT}/backport-filter-criteria`, valueString: filter })) } },
    channel: { ...resource.channel, ...heartbeat.length === 0 ? {} : { extension: heartbeat }, _payload: { extension: [{ url: `${BACKPORT}/backport-payload-content`, valueCode: payload }] } },
  }
}

/** Why the one that is there must be written anew; undefined: it stands. */
export function whyRenew (there: Subscription, wanted: Subscription, now: number, lifeMs: number | undefined): 'changed' | 'off' | 'ends' | undefined {
  if (there.status === 'off' || there.status === 'error') return 'off'
  if (said(there) !== said(wanted)) return 'changed'
  const left = Date.parse(text(there.end)) - now
  return lifeMs !== undefined && !(left > lifeMs * RENEW_AT) ? 'ends' : undefined
}

/** What we decide of it, in one text. Servers may hide the header, since it is a secret: then it is not compared. */
function said ({ criteria, _criteria, channel }: Subscription): string {
  const extensions = (all: readonly Extension[] | undefined): readonly string[] => list(all).filter(({ url }) => url.startsWith(BACKPORT)).map(one => `${one.url}|${one.valueCode ?? one.valueUnsignedInt ?? one.valueString ?? ''}`).toSorted()
  return JSON.stringify([criteria, channel.type, channel.endpoint, channel.payload ?? '', extensions(_criteria?.extension), extensions(channel.extension), extensions(channel._payload?.extension)])
}
