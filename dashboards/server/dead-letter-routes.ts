import type { FastifyInstance } from 'fastify'
import { REFUSAL_CAUSES } from '../../streams/events/index.ts'
import type { Clock } from '../../streams/time/index.ts'
import { ApiError } from './api-error.ts'
import { DEFAULT_ENGINEER, ROLE } from './feed-routes.ts'
import type { DeadLetterDesk, LetterFilter, LetterInfo, LetterOutcome } from './feed-sources.ts'
import { LOOPBACK } from './guards.ts'
import { exactly, listOf, orNull, ref, responses, text, timeMs, whole } from './schemas.ts'
import type { WireDropRound, WireLetter, WireLetters, WireRetryRound } from './wire.ts'

export interface DeadLetterRouteOptions {
  readonly clock: Clock
  /** Bytes are then shown to callers beyond this machine too, as everything else is. */
  readonly allowExposed: boolean
  readonly feeds: () => readonly string[]
}

const STATES = ['open', 'retried', 'dropped', 'all'] as const
const FILTER = {
  cause: { type: 'string', enum: REFUSAL_CAUSES },
  feed: { type: 'string', maxLength: 64 },
} as const
const letterParams = exactly({ offset: { type: 'integer', minimum: 0 } })
const byBody = { type: 'object', additionalProperties: false, properties: { by: ROLE } } as const
const ROUND_MAX = 1_000
/** As many as are listed. */
const DROPPED_MAX = 50_000

interface Handling { Params: { offset: number }, Body: { by?: string } }

/** Dead letters: what was refused, and what is done with it. */
export function deadLetterRoutes (app: FastifyInstance, desk: DeadLetterDesk, options: DeadLetterRouteOptions): void {
  app.get<{ Querystring: LetterFilter & { after?: number, limit: number } }>('/api/deadletters', {
    schema: {
      summary: 'Dead letters, newest first, without their bytes', tags: ['dead letters'],
      querystring: { type: 'object', properties: { ...FILTER, state: { type: 'string', enum: STATES, default: 'open' }, after: { type: 'integer', minimum: 0, description: 'older than this offset: `next` of the page before' }, limit: { type: 'integer', minimum: 1, maximum: 500, default: 50 } } },
      response: responses(exactly({ now: timeMs, letters: listOf(ref('DeadLetter')), matching: whole, next: orNull(whole), causes: listOf(text), feeds: listOf(text) }), 400, 403, 500, 503),
    },
  }, async ({ query: { cause, feed, state, after, limit } }): Promise<WireLetters> => ({ now: options.clock.now(), ...desk.list({ cause, feed, state }, after, limit), causes: REFUSAL_CAUSES, feeds: options.feeds() }))

  showRoute(app, desk, options)

  app.post<Handling>('/api/deadletters/:offset/retry', { bodyLimit: 4_096, schema: { summary: 'Gives the bytes to their feed again; what is refused again stays open', tags: ['dead letters'], params: letterParams, body: byBody, response: responses(ref('DeadLetter'), 400, 403, 404, 409, 415, 500, 503) } },
    async ({ params: { offset }, body: { by } }): Promise<WireLetter> => done(await desk.retry(offset, by ?? DEFAULT_ENGINEER)))

  app.post<Handling>('/api/deadletters/:offset/drop', { bodyLimit: 4_096, schema: { summary: 'Closes a letter that nobody wants; its bytes stay until the log deletes them', tags: ['dead letters'], params: letterParams, body: byBody, response: responses(ref('DeadLetter'), 400, 403, 404, 409, 415, 500, 503) } },
    async ({ params: { offset }, body: { by } }): Promise<WireLetter> => done(await desk.drop(offset, by ?? DEFAULT_ENGINEER)))

  app.post<{ Body: LetterFilter & { limit: number, by?: string } }>('/api/deadletters/retry', {
    bodyLimit: 4_096,
    schema: {
      summary: 'Retries open letters, oldest first', tags: ['dead letters'],
      body: { type: 'object', additionalProperties: false, properties: { ...FILTER, limit: { type: 'integer', minimum: 1, maximum: ROUND_MAX, default: 100 }, by: ROLE } },
      response: responses(exactly({ tried: whole, published: whole, duplicate: whole, archived: whole, refused: whole, left: whole }), 400, 403, 415, 500, 503),
    },
  }, async ({ body: { cause, feed, limit, by } }): Promise<WireRetryRound> => await desk.retryAll({ cause, feed }, limit, by ?? DEFAULT_ENGINEER))

  app.post<{ Body: LetterFilter & { limit: number, by?: string } }>('/api/deadletters/drop', {
    bodyLimit: 4_096,
    schema: {
      summary: 'Drops open letters, oldest first', tags: ['dead letters'],
      body: { type: 'object', required: ['limit'], additionalProperties: false, properties: { ...FILTER, limit: { type: 'integer', minimum: 1, maximum: DROPPED_MAX, description: 'how many: `matching` of the list that the caller looked at, so that what came since stays' }, by: ROLE } },
      response: responses(exactly({ dropped: whole, left: whole }), 400, 403, 415, 500, 503),
    },
  }, async ({ body: { cause, feed, limit, by } }): Promise<WireDropRound> => await desk.dropAll({ cause, feed }, limit, by ?? DEFAULT_ENGINEER))
}

function showRoute (app: FastifyInstance, desk: DeadLetterDesk, { allowExposed }: DeadLetterRouteOptions): void {
  app.get<{ Params: { offset: number }, Querystring: { raw: '0' | '1' } }>('/api/deadletters/:offset', {
    schema: {
      summary: 'A dead letter; its bytes with raw=1, on this machine alone: they may name a patient', tags: ['dead letters'], params: letterParams,
      querystring: { type: 'object', properties: { raw: { type: 'string', enum: ['0', '1'], default: '0' } } },
      response: { 200: { content: { 'application/json': { schema: ref('DeadLetter') }, 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } }, 400: ref('Error'), 403: ref('Error'), 404: ref('Error'), 500: ref('Error'), 503: ref('Error') },
    },
  }, async ({ params: { offset }, query: { raw }, ip }, reply) => {
    const letter = desk.show(offset)
    if (letter === undefined) throw unknown()
    if (raw === '0') return await reply.type('application/json').send(letter satisfies LetterInfo)
    if (!allowExposed && !LOOPBACK.test(ip.replace(/^::ffff:/, ''))) throw new ApiError(403, 'RAW_REFUSED', 'the bytes of a dead letter are shown on this machine alone', 'ask on the machine that Latido runs on')
    const bytes = await desk.raw(offset)
    if (bytes === undefined) throw unknown()
    return await reply.type('application/octet-stream').header('cache-control', 'no-store').header('content-disposition', `attachment; filename="deadletter-${offset}"`).send(bytes)
  })
}

function done (outcome: LetterOutcome): LetterInfo {
  switch (outcome.kind) {
    case 'done': return outcome.letter
    case 'unknown': throw unknown()
    case 'closed': throw new ApiError(409, 'LETTER_CLOSED', `the letter was ${outcome.state} already`, 'nothing is to be done; GET /api/deadletters?state=all shows it')
    case 'busy': throw new ApiError(409, 'LETTER_BUSY', 'somebody else has the letter in hand', 'look again in a moment')
    case 'no-feed': throw new ApiError(409, 'LETTER_WITHOUT_FEED', outcome.why, 'drop it, or ask where its feed runs')
  }
}

function unknown (): ApiError { return new ApiError(404, 'LETTER_UNKNOWN', 'there is no dead letter at this offset', 'GET /api/deadletters lists them; the log deletes them after its retention') }
