import { z } from 'zod'

/** What may be written with a credential. */
export const SCOPES = ['latido/observations.write', 'latido/symptoms.write', 'latido/questionnaires.write'] as const
export type Scope = (typeof SCOPES)[number]

/** Signatures whose verification needs no secret: a shared secret (HS256) in a key set would let every verifier sign. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

/** What one client can cost us: every queue, table and wait of the connector is bounded by one of these. */
export const TELEMEDICINE_LIMITS = {
  bodyBytesMax: 262_144,
  /** Of JSON, so that nothing has to follow it deeper. */
  depthMax: 16,
  observationsMax: 500,
  symptomsMax: 100,
  questionnairesMax: 10,
  answersMax: 100,
  connectionsMax: 1_000,
  /** Requests between their first byte and their answer. */
  requestsMax: 256,
  receiveMsMax: 15_000,
  /** After this the sender is told to come again; what it sent goes on to the log, and its key finds it there. */
  answerMsMax: 20_000,
  drainMsMax: 5_000,
  /** Credentials whose rate is known; the one that was silent for longest is forgotten first. */
  credentialsMax: 20_000,
  /** Idempotency keys whose answer is known; beyond it the oldest is forgotten, and what it sent is still known to the intake. */
  keysMax: 100_000,
  /** 72 hours: as long as the intake knows messages. */
  keptMs: 259_200_000,
  keySetBytesMax: 262_144,
  keySetMsMax: 5_000,
  /** A key set is read again after this, and at an unknown key id, but then not more often than `keySetAgainMs`. */
  keySetKeptMs: 600_000,
  keySetAgainMs: 30_000,
  /** An issuer that is away is no reason to turn its patients away: the last key set serves for so long. */
  keySetStaleMs: 86_400_000,
  tokensFileBytesMax: 16_777_216,
  /** A token that was taken out of the tokens file is refused after this at the latest. */
  tokensReadEveryMs: 5_000,
} as const

/** Where an issuer's public keys stand. */
export type KeySetRef = { readonly file: string } | { readonly url: string }

export interface OAuthOptions {
  readonly issuer: string
  readonly audience: string
  readonly jwks: KeySetRef
  readonly algorithms: readonly string[]
  /** `at+jwt` where the issuer follows RFC 9068; undefined: any. */
  readonly tokenType?: string | undefined
  /** The claim that holds the patient's identifier. */
  readonly patientClaim: string
  /** Assigning authority of that identifier, as the feed's mapping names it. */
  readonly authority: string
  /** The claim that names a client, and the clients that are clinics, each with the authority of its patients' identifiers. */
  readonly clinicClaim: string
  readonly clinics: Readonly<Record<string, string>>
  readonly clockToleranceMs: number
}

export interface TelemedicineOptions {
  readonly host: string
  readonly port: number
  readonly tls?: { readonly certFile: string, readonly keyFile: string } | undefined
  /** A proxy before this listener speaks TLS, and nobody else can reach it. */
  readonly behindProxy: boolean
  /** Stands in the records after `telemedicine:`. */
  readonly source: string
  readonly oauth?: OAuthOptions | undefined
  readonly tokensFile?: string | undefined
  /** `questionable`: home values are kept and shown, and stay out of features. */
  readonly quality: 'valid' | 'questionable'
  /** What was taken longer ago is refused as `time-implausible`. */
  readonly daysBackMax: number
  readonly futureToleranceMs: number
  /** A credential's requests: so many at once, refilled evenly. */
  readonly rate: { readonly requestsPerMinute: number, readonly burst: number }
}

const oauth: z.ZodType<OAuthOptions> = z.strictObject({
  issuer: z.string().min(1),
  audience: z.string().min(1),
  jwks: z.union([z.strictObject({ file: z.string().min(1) }), z.strictObject({ url: z.url({ protocol: /^https?$/ }) })]),
  algorithms: z.array(z.enum(ALGORITHMS)).min(1).default(['RS256', 'PS256', 'ES256', 'EdDSA']),
  tokenType: z.string().min(1).optional(),
  patientClaim: z.string().min(1).default('sub'),
  authority: z.string().default(''),
  clinicClaim: z.string().min(1).default('client_id'),
  clinics: z.record(z.string().min(1), z.string()).default({}),
  clockToleranceMs: z.int().min(0).max(300_000).default(30_000),
})

/** The options of a feed of kind `telemedicine`. */
export const telemedicineOptions: z.ZodType<TelemedicineOptions> = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(0).max(65_535).default(2580),
  tls: z.strictObject({ certFile: z.string().min(1), keyFile: z.string().min(1) }).optional(),
  behindProxy: z.boolean().default(false),
  source: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, 'a small letter, then small letters, digits and "-" alone, at most 31 characters').default('app'),
  oauth: oauth.optional(),
  tokensFile: z.string().min(1).optional(),
  quality: z.enum(['valid', 'questionable']).default('valid'),
  daysBackMax: z.number().positive().max(3_650).default(90),
  futureToleranceMs: z.int().min(0).max(3_600_000).default(300_000),
  rate: z.strictObject({ requestsPerMinute: z.number().positive().max(60_000).default(60), burst: z.int().min(1).max(60_000).default(30) }).default({ requestsPerMinute: 60, burst: 30 }),
})
