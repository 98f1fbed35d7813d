import { z } from 'zod'
import { READ_TYPES } from './resources/index.ts'
import { PROFILE_NAMES, PROFILES } from './profiles/index.ts'
import type { SecretRef } from '../kit/index.ts'
import type { PatientList } from './polling/index.ts'
import { ALGORITHMS, type Algorithm } from './smart/index.ts'
import { subscriptionFields, type SubscriptionOptions } from './subscriptions/options.ts'

const secret = z.union([z.strictObject({ file: z.string().min(1) }), z.strictObject({ env: z.string().min(1) })])
const time = z.string().refine(said => !Number.isNaN(Date.parse(said)), 'a time as ISO 8601')
const logicalId = z.string().regex(/^[A-Za-z0-9.-]{1,64}$/, 'a logical id: 1 to 64 letters, digits, "." and "-" alone')
const word = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,39}$/, 'a short plain word in lower case')

const auth = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('basic'), user: z.string().min(1), password: secret }),
  z.strictObject({ kind: z.literal('bearer'), token: secret }),
  z.strictObject({
    kind: z.literal('smart'), clientId: z.string().min(1), privateKey: secret, keyId: z.string().default(''), algorithm: z.enum(ALGORITHMS).default('RS384'), scope: z.string().default(''), tokenUrl: z.url().optional(),
  }),
])

const patients = z.union([
  z.strictObject({ ids: z.array(logicalId).min(1).max(10_000) }),
  z.strictObject({ group: logicalId }),
  z.strictObject({ search: z.string().regex(/^[A-Z][A-Za-z]+\?/, 'a search: Encounter?status=in-progress') }),
])

/** How the client says who it is. `basic` and `bearer` are for test servers. */
export type FhirAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic', readonly user: string, readonly password: SecretRef }
  | { readonly kind: 'bearer', readonly token: SecretRef }
  | { readonly kind: 'smart', readonly clientId: string, readonly privateKey: SecretRef, readonly keyId: string, readonly algorithm: Algorithm, readonly scope: string, readonly tokenUrl?: string | undefined }

/** What a feed's file may say. What is left out comes from the profile. */
export const FHIR_OPTIONS: z.ZodType<FhirOptions> = z.object({
  baseUrl: z.url({ protocol: /^https?$/ }).transform(url => url.replace(/\/+$/, '')),
  mode: z.enum(['polling', 'bulk', 'subscription']).default('polling'),
  profile: z.enum(PROFILE_NAMES).default('generic'),
  source: word.default('ehr'),
  auth: auth.default({ kind: 'none' }),
  insecure: z.boolean().default(false),
  types: z.array(z.string().regex(/^[A-Z][A-Za-z]+$/, 'a type of resource, for example Observation')).min(1).default([...READ_TYPES]),
  filters: z.record(z.string(), z.string()).default({}),
  polling: z.enum(['system', 'patient']).optional(),
  patients: patients.optional(),
  searches: z.array(z.strictObject({ query: z.string().regex(/^[A-Z][A-Za-z]+(\?|$)/, 'a type of resource, and a search: Observation?category=vital-signs'), by: z.enum(['date', '_lastUpdated', 'none']).default('date') })).optional(),
  sorted: z.boolean().optional(),
  paging: z.enum(['keyset', 'links']).optional(),
  deletions: z.boolean().optional(),
  from: time.optional(),
  pageSize: z.int().min(1).max(5_000).optional(),
  requestsPerMinute: z.int().min(1).max(100_000).optional(),
  timeoutMs: z.int().min(100).max(600_000).default(30_000),
  pollEveryMs: z.int().min(1_000).max(24 * 3_600_000).default(15_000),
  overlapMs: z.int().min(0).max(24 * 3_600_000).default(3 * 60_000),
  lookbackMs: z.int().min(0).max(30 * 24 * 3_600_000).default(24 * 3_600_000),
  group: logicalId.optional(),
  exportEveryMs: z.int().min(60_000).max(30 * 24 * 3_600_000).default(24 * 3_600_000),
  fileOrigins: z.array(z.url().transform(url => new URL(url).origin)).default([]),
  subscription: subscriptionFields.optional(),
}).superRefine((said, context) => {
  const profile = PROFILES[said.profile]
  const tell = (path: string, message: string): void => { context.addIssue({ code: 'custom', path: [path], message }) }
  if (said.mode === 'polling' && (said.polling ?? profile.polling) === 'patient' && said.patients === undefined) tell('patients', `${profile.vendor} is read patient by patient: say whose data, by ids, a group or a search`)
  if (said.mode === 'bulk' && profile.bulk === 'group' && said.group === undefined) tell('group', `${profile.vendor} exports groups of patients alone: name one`)
  if (said.mode === 'subscription' && said.subscription === undefined) tell('subscription', 'it is missing; expected: an object that says what is subscribed to')
  if (said.mode === 'subscription' && !profile.subscriptions) tell('mode', `${profile.vendor} does not say that it calls on changes: use polling`)
  if (said.polling === 'system' && profile.polling === 'patient') tell('polling', `${profile.vendor} has no search over all patients`)
}) as unknown as z.ZodType<FhirOptions>

/** A feed's options, complete but for what the profile says. */
export interface FhirOptions {
  readonly baseUrl: string
  readonly mode: 'polling' | 'bulk' | 'subscription'
  readonly profile: (typeof PROFILE_NAMES)[number]
  /** After `fhir:` in the records' source. */
  readonly source: string
  readonly auth: FhirAuth
  /** Credentials and data over plain http to another machine. */
  readonly insecure: boolean
  readonly types: readonly string[]
  /** Search parameters by type. */
  readonly filters: Readonly<Record<string, string>>
  readonly polling?: 'system' | 'patient' | undefined
  readonly patients?: PatientList | undefined
  readonly searches?: readonly { readonly query: string, readonly by: 'date' | '_lastUpdated' | 'none' }[] | undefined
  readonly sorted?: boolean | undefined
  readonly paging?: 'keyset' | 'links' | undefined
  readonly deletions?: boolean | undefined
  /** Where the first reading begins; without it polling begins a look-back before now, and an export with everything. */
  readonly from?: string | undefined
  readonly pageSize?: number | undefined
  readonly requestsPerMinute?: number | undefined
  readonly timeoutMs: number
  readonly pollEveryMs: number
  readonly overlapMs: number
  readonly lookbackMs: number
  /** Id of the Group that is exported. */
  readonly group?: string | undefined
  readonly exportEveryMs: number
  readonly fileOrigins: readonly string[]
  /** Of the subscription mode, which needs it. */
  readonly subscription?: SubscriptionOptions | undefined
}
