import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { isLatidoError, type ErrorCode } from '../../streams/errors/index.ts'
import type { DashboardLogger } from './logger.ts'
import { validationLine } from './validation-words.ts'
import type { WireError } from './wire.ts'

/** What a caller of the API can do wrong or meet; the closed list of `error.code` besides the product's own error codes. */
export const API_ERROR_CODES = ['NOT_FOUND', 'PATIENT_UNKNOWN', 'ENTITY_UNKNOWN', 'ALERT_UNKNOWN', 'ALERT_NOT_OPEN', 'FEED_UNKNOWN', 'CODE_INVALID', 'CODE_MAPPED', 'CODE_GONE', 'FILE_FAULTY', 'LETTER_UNKNOWN', 'LETTER_CLOSED', 'LETTER_BUSY', 'LETTER_WITHOUT_FEED', 'RAW_REFUSED', 'REQUEST_INVALID', 'CROSS_SITE', 'HOST_REFUSED', 'TOO_MANY_CLIENTS', 'OFFLINE_OFF', 'INTERNAL'] as const
export type ApiErrorCode = (typeof API_ERROR_CODES)[number]

/** Answered as `{error: {code, message, action}}`. Never repeats what the caller sent: that may identify a patient. */
export class ApiError extends Error {
  readonly status: number
  readonly code: ApiErrorCode
  readonly action: string
  constructor (status: number, code: ApiErrorCode, message: string, action: string) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.code = code
    this.action = action
  }
}

export function patientUnknown (): ApiError {
  return new ApiError(404, 'PATIENT_UNKNOWN', 'no source has sent a patient with this id', 'use the id as the source sends it (PID-3.1), URL-encoded, or the pseudonym from GET /api/patients')
}

function errorBody (code: string, message: string, action: string): WireError { return { error: { code, message, action } } }

/** Operating failures that pass by themselves: the caller should come again. */
const AWAY: ReadonlySet<ErrorCode> = new Set(['OFFLINE_UNAVAILABLE', 'ONLINE_UNAVAILABLE', 'LOG_CLOSED', 'LOG_WRITE_FAILED', 'SCORER_FAILED'])

/** What a caller asked for that cannot be answered. */
const CALLERS: ReadonlyMap<ErrorCode, number> = new Map([['VIEW_UNKNOWN', 404], ['FEATURE_UNKNOWN', 404], ['SERVICE_UNKNOWN', 404], ['SELECTION_INVALID', 400], ['TOO_MANY_ENTITIES', 400]])

interface Answer { readonly status: number, readonly body: WireError }

function answerOf (error: unknown, { query: querystring, params, body }: Pick<FastifyRequest, 'query' | 'params' | 'body'>): Answer {
  if (error instanceof ApiError) return { status: error.status, body: errorBody(error.code, error.message, error.action) }
  if (isLatidoError(error)) return { status: AWAY.has(error.code) ? 503 : CALLERS.get(error.code) ?? 500, body: errorBody(error.code, error.message, error.action) }
  const { statusCode, validation, validationContext } = error as Partial<FastifyError>
  if (validation !== undefined) {
    return { status: 400, body: errorBody('REQUEST_INVALID', validationLine(validation, validationContext, { querystring, params, body }), 'GET /api/openapi.json describes every parameter') }
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return { status: statusCode, body: errorBody('REQUEST_INVALID', clientFault(statusCode), 'send a JSON object with content-type application/json, or no body') }
  return { status: 500, body: errorBody('INTERNAL', 'the server failed to answer', 'look for the time of this request in the log of the server') }
}

function clientFault (status: number): string {
  if (status === 413) return 'the body is too large'
  if (status === 415) return 'the body has a media type that is not accepted'
  return 'the request could not be read'
}

/** The error handler of every route. Logs the route's pattern, never the URL, and of an unexpected error its class and place, never its message. */
export function errorHandler (logger: DashboardLogger): (error: unknown, request: FastifyRequest, reply: FastifyReply) => void {
  return (error, request, reply) => {
    const { status, body } = answerOf(error, request)
    if (status >= 500) logger.warn({ route: request.routeOptions.url ?? '', code: body.error.code, ...placeOf(error) }, 'a request failed')
    void reply.code(status).type('application/json; charset=utf-8').header('cache-control', 'no-store').send(JSON.stringify(body))
  }
}

function placeOf (error: unknown): { readonly error?: string, readonly at?: string } {
  if (!(error instanceof Error) || error instanceof ApiError || isLatidoError(error)) return {}
  const at = error.stack?.split('\n').find(line => /^\s+at /.test(line))?.trim()
  return { error: error.name, ...(at === undefined ? {} : { at }) }
}
