import type { DurationMs } from '../../../streams/time/index.ts'

/** Every limit of a client. */
export interface FhirLimits {
  /** Requests are spread so that no minute has more. */
  readonly requestsPerMinute: number
  /** From the request to the last byte of its answer. */
  readonly timeoutMs: DurationMs
  /** Of one answer; streamed files are not limited. */
  readonly responseBytesMax: number
  /** Tries of one request in all, where the server is overloaded (429, 503) or fails (5xx, no answer). */
  readonly attemptsMax: number
  /** The first pause of a request without Retry-After, doubled each time up to the last. */
  readonly pauseMsMin: DurationMs
  readonly pauseMsMax: DurationMs
  /** A Retry-After beyond this is not waited for: the whole reading is put off. */
  readonly retryAfterMsMax: DurationMs
  /** Pages of one search. */
  readonly pagesMax: number
}

export const FHIR_LIMITS: FhirLimits = {
  requestsPerMinute: 120, timeoutMs: 30_000, responseBytesMax: 32 * 1024 * 1024, attemptsMax: 6, pauseMsMin: 500, pauseMsMax: 30_000, retryAfterMsMax: 10 * 60_000, pagesMax: 100_000,
}
