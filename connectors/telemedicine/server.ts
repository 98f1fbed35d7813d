import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { isLatidoError } from '../../streams/errors/index.ts'
import type { Clock } from '../../streams/time/index.ts'
import type { Feed } from '../kit/index.ts'
import { answerOf, bodyOf, statusOf, type Answer } from './answer.ts'
import type { Credentials } from './credentials.ts'
import type { Principal } from './principal.ts'
import { ITEM_KINDS, writeEnvelope, type ItemFault, type ItemKind } from './envelope.ts'
import type { IdempotencyKeys, Once } from './idempotency.ts'
import { describeApi } from './openapi.ts'
import { TELEMEDICINE_LIMITS as LIMITS } from './options.ts'
import type { RateLimit } from './rate-limit.ts'
import { answerRefusal, Refusal } from './refusals.ts'
import { readRequest, ROUTES, type ReadRequest } from './requests.ts'

const COME_AGAIN_MS = 10_000

/** What the routes work with. */
export interface Parts {
  readonly feed: Feed<ItemFault>
  readonly clock: Clock
  readonly credentials: Credentials
  readonly rate: RateLimit
  readonly keys: IdempotencyKeys
  readonly tls?: { readonly cert: string, readonly key: string } | undefined
  /** Hears whether the log takes messages. */
  readonly logIs: (state: 'here' | 'away') => void
}

/** The API, not listening yet. Nothing is logged: a URL, a header or a body of a request may name a patient. */
export async function buildServer (parts: Parts): Promise<FastifyInstance> {
  const options = { logger: false as const, bodyLimit: LIMITS.bodyBytesMax, requestTimeout: LIMITS.receiveMsMax, connectionTimeout: LIMITS.receiveMsMax + LIMITS.answerMsMax, keepAliveTimeout: LIMITS.receiveMsMax, http: { maxHeaderSize: 16_384, headersTimeout: LIMITS.receiveMsMax } }
  const app = parts.tls === undefined ? Fastify(options) : Fastify({ ...options, https: { ...parts.tls, minVersion: 'TLSv1.2', maxHeaderSize: 16_384 } }) as unknown as FastifyInstance
  app.server.maxConnections = LIMITS.connectionsMax
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body) })
  app.setErrorHandler((error, _request, reply) => answerRefusal(reply, refusalOf(error, parts)))
  app.setNotFoundHandler((_request, reply) => answerRefusal(reply, new Refusal('NOT_FOUND')))
  app.addHook('onRequest', async (_request, reply) => { void reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }) })
  const description = describeApi()
  app.get('/openapi.json', async () => description)
  const door = { running: 0 }
  for (const kind of ITEM_KINDS) writeRoute(app, kind, parts, door)
  await app.ready()
  return app
}

/** Who it is, how often, and whether it may: before a byte of the body is read. */
function writeRoute (app: FastifyInstance, kind: ItemKind, parts: Parts, door: { running: number }): void {
  const { feed, credentials, rate } = parts
  const principals = new WeakMap<FastifyRequest, Principal>()
  app.post(`/v1/${kind}`, {
    onRequest: async (request, reply) => {
      if (door.running >= LIMITS.requestsMax) throw new Refusal('BUSY', { retryAfterMs: COME_AGAIN_MS })
      door.running++
      reply.raw.once('close', () => { door.running-- })
      const known = await credentials.authenticate(request.headers.authorization)
      if (known.kind === 'unavailable') throw new Refusal('KEYS_UNAVAILABLE', { retryAfterMs: LIMITS.keySetAgainMs })
      if (known.kind === 'refused') { feed.count(`credential-${known.why}`); throw new Refusal('UNAUTHENTICATED') }
      const waitMs = rate.take(known.principal.id)
      if (waitMs > 0) { feed.count('rate-limited'); throw new Refusal('RATE_LIMITED', { retryAfterMs: waitMs }) }
      if (!known.principal.scopes.has(ROUTES[kind].scope)) { feed.count('scope-missing'); throw new Refusal('SCOPE_MISSING') }
      if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') throw new Refusal('BODY_NOT_JSON') // what is small compressed may be anything
      principals.set(request, known.principal)
    },
  }, async (request, reply) => {
    const principal = principals.get(request)
    if (principal === undefined) throw new Refusal('UNAUTHENTICATED')
    return await answer(reply, await within(parts, take(parts, readRequest(kind, principal, request.headers['idempotency-key'], request.body))))
  })
}

function take ({ feed, keys }: Parts, { key, body, envelope }: ReadRequest): Promise<Once> {
  return keys.once(key, body, async (): Promise<Answer> => answerOf(await feed.take(writeEnvelope(envelope)), envelope.items.length))
}

/** Nobody waits for ever: what is under way goes on to the log, and is found there by its key. */
async function within ({ clock, logIs }: Parts, work: Promise<Once>): Promise<Once> {
  const done = new AbortController()
  try {
    const once = await Promise.race([work, clock.sleep(LIMITS.answerMsMax, done.signal).then(() => undefined)])
    if (once !== undefined) { logIs('here'); return once }
    work.catch(() => {}) // whoever asks again hears of it
    throw new Refusal('BUSY', { retryAfterMs: COME_AGAIN_MS })
  } finally {
    done.abort()
  }
}

async function answer (reply: FastifyReply, once: Once): Promise<FastifyReply> {
  if (once.kind === 'reused') throw new Refusal('IDEMPOTENCY_KEY_REUSED')
  if (once.answer.kind === 'failed') throw new Refusal('INTERNAL')
  if (once.replayed) void reply.header('idempotency-replayed', 'true')
  return reply.code(statusOf(once.answer)).send(bodyOf(once.answer))
}

/** What ended a request. A failure of the log or of our store of keys is the log being away to who sends. */
function refusalOf (error: unknown, { feed, logIs }: Parts): Refusal {
  if (error instanceof Refusal) { if (error.code === 'REQUEST_INVALID') feed.count('request-invalid'); return error }
  if (isLatidoError(error)) { feed.count('log-away'); logIs('away'); return new Refusal('LOG_AWAY', { retryAfterMs: COME_AGAIN_MS }) }
  switch ((error as { statusCode?: unknown } | undefined)?.statusCode) {
    case 413: return new Refusal('BODY_TOO_LARGE')
    case 415: return new Refusal('BODY_NOT_JSON')
    case 400: return new Refusal('REQUEST_INVALID')
    default: feed.count('failed'); return new Refusal('INTERNAL')
  }
}
