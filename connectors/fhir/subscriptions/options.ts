import { z } from 'zod'
import type { DurationMs } from '../../../streams/time/index.ts'
import type { SecretRef } from '../../kit/index.ts'
import type { ListenerTls } from '../listener.ts'

/** What of a resource stands in a notification. `empty`: nothing, it only says that something happened. */
export type Payload = 'empty' | 'id-only' | 'full-resource'

/** One Subscription that the feed keeps at the server. */
export interface WantedSubscription {
  /** In the address that the server calls: short, plain, and never changed. */
  readonly key: string
  /** `Observation?category=vital-signs`: what is subscribed to where there is no topic, and what is read again after a gap. */
  readonly criteria: string
  /** Canonical URL of a topic: a subscription as the R5 backport IG (STU 1.1) has it. Absent: a plain R4 one. */
  readonly topic?: string | undefined
  /** Filters of the topic: `Encounter?patient=...`. */
  readonly filters: readonly string[]
  readonly payload: Payload
  /** Of a topic: the server says at least this often that it is alive. */
  readonly heartbeatSeconds?: number | undefined
}

export interface SubscriptionOptions {
  readonly host: string
  /** 0: any free port, which the server is told of anew at each start. */
  readonly port: number
  readonly tls?: ListenerTls | undefined
  /** By which the server reaches us: `https://latido.example.org/ehr`. Default: where it listens. */
  readonly publicUrl?: string | undefined
  /** What the server sends with each notification; needed beyond loopback. At least 16 characters. */
  readonly secret?: SecretRef | undefined
  /** In which header; as a bearer token where it is `Authorization`. */
  readonly secretHeader: string
  readonly subscriptions: readonly WantedSubscription[]
  /** A plain R4 server says neither that it is alive nor that it gave up on a notification: everything since the last time is read again this often. */
  readonly rereadEveryMs: DurationMs
  /** Subscriptions end after this long and are renewed before; absent: never. */
  readonly endAfterMs?: DurationMs | undefined
}

const MINUTE_MS = 60_000

const wanted = z.strictObject({
  key: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'lower-case letters, digits and hyphens'),
  criteria: z.string().regex(/^[A-Z][A-Za-z]+(\?\S*)?$/, 'a type, and a search'),
  topic: z.url().optional(),
  filters: z.array(z.string().min(1)).max(32).default([]),
  payload: z.enum(['empty', 'id-only', 'full-resource']).default('full-resource'),
  heartbeatSeconds: z.int().min(5).max(86_400).optional(),
}).refine(({ topic, payload }) => topic !== undefined || payload !== 'id-only', 'a plain R4 subscription sends all or nothing: `id-only` needs a `topic`')
  .refine(({ topic, heartbeatSeconds, filters }) => topic !== undefined || (heartbeatSeconds === undefined && filters.length === 0), '`heartbeatSeconds` and `filters` need a `topic`')

/** What stands in `subscription` of a feed's options. */
export const subscriptionFields: z.ZodType<SubscriptionOptions> = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(0).max(65_535).default(0),
  tls: z.strictObject({ certFile: z.string().min(1), keyFile: z.string().min(1) }).optional(),
  publicUrl: z.url({ protocol: /^https?$/ }).transform(url => url.replace(/\/+$/, '')).optional(),
  secret: z.union([z.strictObject({ file: z.string().min(1) }), z.strictObject({ env: z.string().min(1) })]).optional(),
  secretHeader: z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, 'the name of an HTTP header: a letter, then letters, digits and "-" alone').default('Authorization'),
  subscriptions: z.array(wanted).min(1).max(32).refine(all => new Set(all.map(({ key }) => key)).size === all.length, 'each key once'),
  rereadEveryMs: z.int().min(10_000).max(1_440 * MINUTE_MS).default(10 * MINUTE_MS),
  endAfterMs: z.int().min(10 * MINUTE_MS).optional(),
})

export interface SubscriptionLimits {
  readonly bodyBytesMax: number
  readonly connectionsMax: number
  /** Events of one notification. */
  readonly eventsMax: number
  /** Notifications that are late within this are not yet missing. */
  readonly gapGraceMs: DurationMs
  /** Heartbeats that may be missed. */
  readonly heartbeatsMissedMax: number
  /** How often the server is asked whether the subscriptions still stand, and after a failure. */
  readonly checkEveryMs: DurationMs
  readonly retryMs: DurationMs
  /** Dead letters of strangers within a minute: more are only counted. */
  readonly strangersPerMinute: number
}

export const SUBSCRIPTION_LIMITS: SubscriptionLimits = {
  bodyBytesMax: 8 * 1024 * 1024, connectionsMax: 64, eventsMax: 1_000, gapGraceMs: 5_000, heartbeatsMissedMax: 2, checkEveryMs: 5 * MINUTE_MS, retryMs: 15_000,
  strangersPerMinute: 10,
}
