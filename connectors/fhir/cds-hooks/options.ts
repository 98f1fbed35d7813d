import { z } from 'zod'
import type { ListenerTls } from '../listener.ts'

/** An EHR that may call, and where its public keys are: a file of ours, or an address that is asked again when a key is not known. */
export interface CdsHooksClient {
  /** `iss` of its tokens. */
  readonly issuer: string
  readonly jwks: { readonly file: string } | { readonly url: string }
}

export interface CdsHooksOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly tls?: ListenerTls | undefined
  /** The address by which EHRs call it (`https://latido.example.org`): what their tokens must name. Default: where it listens. */
  readonly publicUrl?: string | undefined
  /** None: whoever calls is answered, which is refused beyond loopback. */
  readonly clients: readonly CdsHooksClient[]
  /** Browsers at these origins may call it. */
  readonly corsOrigins: readonly string[]
  /** The EHR's logical patient ids are identifiers of this namespace (empty: the unnamed one). Absent: patients are known by the identifiers in the prefetched Patient. */
  readonly logicalIdNamespace?: string | undefined
}

const file = z.string().min(1)
const LOOPBACK = /^http:\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?(?:\/|$)/
const keysUrl = z.url({ protocol: /^https?$/ }).refine(url => url.startsWith('https:') || LOOPBACK.test(url), 'keys are fetched by https, except from this machine')

/** The service's options, as a feed file has them. */
export const cdsHooksOptions: z.ZodType<CdsHooksOptions> = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(0).max(65_535).default(0),
  tls: z.strictObject({ certFile: file, keyFile: file }).optional(),
  publicUrl: z.url({ protocol: /^https?$/ }).transform(url => url.replace(/\/+$/, '')).optional(),
  clients: z.array(z.strictObject({ issuer: z.string().min(1), jwks: z.union([z.strictObject({ file }), z.strictObject({ url: keysUrl })]) })).max(64).default([]),
  corsOrigins: z.array(z.string().min(1)).max(16).default([]),
  logicalIdNamespace: z.string().optional(),
})

export interface CdsHooksLimits {
  readonly bodyBytesMax: number
  readonly connectionsMax: number
  /** An answer takes at least this long, whether the patient is known or not, so that its time says nothing. */
  readonly answerMsMin: number
  /** EHRs wait for 500 ms (CDS Hooks 2.0, "Performance"); a standing that takes longer than this is said to be away. */
  readonly standingMsMax: number
  /** Cards of alerts in one answer. */
  readonly alertCardsMax: number
  /** Cards whose feedback is understood; older ones are forgotten. */
  readonly cardsKeptMax: number
  /** Lifetime of a token: CDS Hooks 2.0 recommends five minutes; some seconds of skew are allowed. */
  readonly tokenMsMax: number
  readonly skewMs: number
  /** Tokens whose `jti` is remembered until they run out. */
  readonly tokensKeptMax: number
  readonly jwksMsMax: number
}

export const CDS_HOOKS_LIMITS: CdsHooksLimits = {
  bodyBytesMax: 1024 * 1024, connectionsMax: 256, answerMsMin: 20, standingMsMax: 300, alertCardsMax: 5, cardsKeptMax: 20_000,
  tokenMsMax: 300_000, skewMs: 30_000, tokensKeptMax: 100_000, jwksMsMax: 2_000,
}
