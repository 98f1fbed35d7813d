import type { FastifyReply } from 'fastify'

/** What the API answers in place of outcomes. */
export type RefusalCode =
  | 'UNAUTHENTICATED' | 'SCOPE_MISSING' | 'PATIENT_FORBIDDEN' | 'NOT_FOUND' | 'REQUEST_INVALID' | 'BODY_TOO_LARGE' | 'BODY_NOT_JSON' | 'IDEMPOTENCY_KEY_MISSING' | 'IDEMPOTENCY_KEY_REUSED'
  | 'RATE_LIMITED' | 'BUSY' | 'LOG_AWAY' | 'KEYS_UNAVAILABLE' | 'INTERNAL'

/** Each has its row in docs/connectors/telemedicine.md. */
export const REFUSALS: Readonly<Record<RefusalCode, readonly [status: number, message: string, action: string]>> = {
  UNAUTHENTICATED: [401, 'the credential is missing, unknown, expired or not meant for here', 'get a new token and send it as a bearer token'],
  SCOPE_MISSING: [403, 'the credential may not write this', 'ask for a token with the scope of the route'],
  PATIENT_FORBIDDEN: [403, 'the credential may not write for this patient', 'use that person\'s token, or a clinic\'s of the same authority'],
  NOT_FOUND: [404, 'there is no such route, or not with this method', 'GET /openapi.json lists them'],
  REQUEST_INVALID: [400, 'the request is not as described', 'GET /openapi.json describes it'],
  BODY_TOO_LARGE: [413, 'the body is too large', 'send it in several requests, each with a key of its own'],
  BODY_NOT_JSON: [415, 'the body is not application/json', 'send JSON, uncompressed, with its content type'],
  IDEMPOTENCY_KEY_MISSING: [400, 'there is no Idempotency-Key of 1 to 128 letters, digits and -._~:', 'send one, new for each request and the same when it is sent again'],
  IDEMPOTENCY_KEY_REUSED: [409, 'the key was used with another body', 'use a new key for what is new; repeat a request with its own body'],
  RATE_LIMITED: [429, 'too many requests', 'come again after Retry-After'],
  BUSY: [503, 'too many requests at once, or the log is slow', 'send the same request with the same key again, after Retry-After'],
  LOG_AWAY: [503, 'the log does not take messages', 'send the same request with the same key again, after Retry-After'],
  KEYS_UNAVAILABLE: [503, 'the keys of the issuer cannot be read', 'send the same request again, after Retry-After'],
  INTERNAL: [500, 'a fault of ours; what was sent is kept', 'nothing: an operator sees it among the dead letters'],
}

/** Ends a request with an answer that is no outcome. */
export class Refusal extends Error {
  readonly code: RefusalCode
  readonly detail: string
  readonly retryAfterMs: number | undefined

  constructor (code: RefusalCode, { detail = '', retryAfterMs }: { readonly detail?: string, readonly retryAfterMs?: number } = {}) {
    super(code)
    this.code = code
    this.detail = detail
    this.retryAfterMs = retryAfterMs
  }
}

export async function answerRefusal (reply: FastifyReply, { code, detail, retryAfterMs }: Refusal): Promise<void> {
  const [status, message, action] = REFUSALS[code]
  if (code === 'UNAUTHENTICATED') void reply.header('www-authenticate', 'Bearer')
  if (code === 'SCOPE_MISSING') void reply.header('www-authenticate', 'Bearer error="insufficient_scope"')
  if (retryAfterMs !== undefined) void reply.header('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1_000))))
  await reply.code(status).send({ error: { code, message: detail === '' ? message : `${message}: ${detail}`, action } })
}
