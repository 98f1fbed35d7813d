import type { Clock, DurationMs } from '../../../streams/time/index.ts'
import type { FhirLimits } from './limits.ts'
import type { Bundle, FhirResource } from '../resources/index.ts'
import type { Authorizer } from './auth.ts'

/** What a read found. `gone`: deleted (410). `unchanged`: the ETag that was given is still right. */
export type ReadOutcome =
  | { readonly kind: 'found', readonly resource: FhirResource, readonly etag: string | undefined }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'missing' }
  /** 403, where the caller asked to be told in this way. */
  | { readonly kind: 'forbidden' }

/** What became of a write. `conflict`: somebody else has changed it (409, 412). `refused`: the server will not; `issues` are codes, never texts. */
export type WriteOutcome =
  | { readonly kind: 'written', readonly status: number, readonly id: string | undefined, readonly etag: string | undefined, readonly resource: FhirResource | undefined }
  | { readonly kind: 'conflict', readonly status: number, readonly issues: readonly string[] }
  | { readonly kind: 'refused', readonly status: number, readonly issues: readonly string[] }

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  readonly headers?: Readonly<Record<string, string>>
}
export interface ReadOptions extends CallOptions {
  readonly etag?: string | undefined
  /** A 403 is an answer (`forbidden`) and no failure. */
  readonly mayBeForbidden?: boolean
}
export interface WriteOptions extends CallOptions {
  /** An ETag as the server gave it: `W/"3"`. */
  readonly ifMatch?: string
  /** A search: where it finds one, nothing is created. */
  readonly ifNoneExist?: string
}
export interface RawRequest extends CallOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly body?: string
  /** False: without the Authorization header, as files of an export elsewhere want it. */
  readonly authorized?: boolean
  /** Statuses that are an answer and no failure; all others of 4xx throw, 429 and 5xx are tried again. */
  readonly expects?: readonly number[]
  /** True: the body is not read here, its size is not limited, and the time limit ends with the headers. */
  readonly streamed?: boolean
}
export interface RawAnswer {
  readonly status: number
  readonly headers: Headers
  /** Empty where streamed. */
  readonly body: Buffer
  readonly stream: ReadableStream<Uint8Array> | undefined
}

/**
 * An authenticated FHIR R4 client that stays within its budget: retries with growing pauses, obeys Retry-After, renews its token once on 401. Throws
 * FHIR_UNREACHABLE, FHIR_REFUSED or FHIR_INVALID. No URL, identifier or body stands in an error.
 */
export interface FhirClient {
  readonly baseUrl: string
  read (type: string, id: string, options?: ReadOptions): Promise<ReadOutcome>
  /** `Observation?_lastUpdated=...`: its pages, by links that are followed as they are, on the same origin only. */
  search (query: string, options?: CallOptions): AsyncIterable<Bundle>
  post (path: string, resource: unknown, options?: WriteOptions): Promise<WriteOutcome>
  put (path: string, resource: unknown, options?: WriteOptions): Promise<WriteOutcome>
  /** JSON Patch (RFC 6902). */
  patch (path: string, operations: readonly unknown[], options?: WriteOptions): Promise<WriteOutcome>
  delete (path: string, options?: WriteOptions): Promise<WriteOutcome>
  /** A path below the base, or an absolute URL. */
  fetch (path: string, request?: RawRequest): Promise<RawAnswer>
  /** The Date of the newest answer: the server's clock, to the second. */
  serverTime (): number | undefined
}

export interface FhirClientOptions {
  readonly baseUrl: string
  readonly clock: Clock
  readonly auth?: Authorizer
  readonly limits?: Partial<FhirLimits>
  /** Hears of what is not worth a line each: `http-retry`, `http-429`, `http-401`, `outcome-in-bundle`. */
  readonly count?: (what: string, n?: number) => void
  /** In [0, 1): spreads the pauses. */
  readonly random?: () => number
  readonly fetch?: typeof globalThis.fetch
}
export type { DurationMs }
