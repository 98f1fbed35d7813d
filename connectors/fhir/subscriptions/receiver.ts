import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isLatidoError } from '../../../streams/errors/index.ts'
import type { Clock } from '../../../streams/time/index.ts'
import { isSameSecret, jsonOf, type Feed } from '../../kit/index.ts'
import type { SubscriptionLimits } from './options.ts'
import type { Watched } from './watched.ts'

export interface ReceiverParts {
  readonly feed: Feed
  readonly clock: Clock
  readonly watched: ReadonlyMap<string, Watched>
  /** Empty: none is asked for. */
  readonly secret: string
  readonly secretHeader: string
  readonly limits: SubscriptionLimits
}

/** The path under which the subscription `key` is notified. */
export function pathOf (key: string): string { return `/notify/${key}` }

const MINUTE_MS = 60_000
const SOURCE = 'fhir'
const RETRY_SECONDS = '10'

/**
 * Takes notifications: a topic's bundle or a resource by POST, a resource by PUT (HAPI sends `PUT .../Observation/1`), a ping by an empty POST. 2xx means that
 * the log has it; 503 that it is away, and the server sends again; 4xx that nobody can read it, and a dead letter holds it.
 */
export class Receiver {
  readonly #parts: ReceiverParts
  #minute = -1
  #strangers = 0

  constructor (parts: ReceiverParts) { this.#parts = parts }

  route (app: FastifyInstance): void {
    app.addHook('onRequest', async (request, reply) => { if (!this.#isTrusted(request)) await this.#refuseStranger(reply) })
    app.post<{ Params: { key: string } }>('/notify/:key', async (request, reply) => await this.#answer(request.params.key, request, reply))
    app.put<{ Params: { key: string } }>('/notify/:key/:type/:id', async (request, reply) => await this.#answer(request.params.key, request, reply))
    // A deletion comes without the resource: the reading that is wanted now tells of it where the server has a history.
    app.delete<{ Params: { key: string } }>('/notify/:key/:type/:id', async (request, reply) => {
      const watched = this.#parts.watched.get(request.params.key)
      watched?.ping()
      return await reply.code(watched === undefined ? 404 : 200).send()
    })
  }

  async #answer (key: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const watched = this.#parts.watched.get(key)
    if (watched === undefined) { this.#count('subscription-unknown'); return await reply.code(404).send() }
    const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    try {
      const status = await this.#take(watched, raw, request.method)
      return await reply.code(status).send()
    } catch (e) {
      this.#count(isLatidoError(e) && e.code.startsWith('FHIR_') ? 'unacknowledged-server-away' : 'unacknowledged-log-away')
      watched.reread('unacknowledged') // servers give up after some tries
      return await reply.code(503).header('retry-after', RETRY_SECONDS).send()
    }
  }

  async #take (watched: Watched, raw: Buffer, method: string): Promise<number> {
    if (raw.length === 0) {
      if (method === 'PUT') return await this.#garbage(raw, 'a notification without a resource')
      this.#count('ping')
      watched.ping()
      return 200
    }
    const heard = await watched.take(jsonOf(raw), raw)
    switch (heard.kind) {
      case 'taken': return 200
      case 'refused': return heard.cause === 'too-large' ? 413 : 400
      case 'unread': return await this.#garbage(raw, 'the notification is no FHIR resource as JSON')
    }
  }

  async #garbage (raw: Buffer, detail: string): Promise<number> {
    await this.#parts.feed.refuse(raw, SOURCE, { cause: 'malformed', detail })
    return 400
  }

  /** In constant time, whatever the length. */
  #isTrusted ({ headers }: FastifyRequest): boolean {
    const { secret, secretHeader } = this.#parts
    if (secret === '') return true
    const said = headers[secretHeader.toLowerCase()]
    return isSameSecret(typeof said === 'string' ? said : '', headerValueOf(secretHeader, secret))
  }

  /** A few dead letters say that somebody tries; what they sent is not kept, and a flood only counts. */
  async #refuseStranger (reply: FastifyReply): Promise<void> {
    const { feed, clock, limits } = this.#parts
    this.#count('unauthorised')
    const minute = Math.floor(clock.monotonicMs() / MINUTE_MS)
    if (minute !== this.#minute) { this.#minute = minute; this.#strangers = 0 }
    if (this.#strangers++ < limits.strangersPerMinute) await feed.refuse(Buffer.alloc(0), SOURCE, { cause: 'unauthorised', detail: 'a notification without the secret' }).catch(() => { this.#count('unauthorised-not-kept') })
    await reply.code(401).send()
  }

  #count (what: string): void { this.#parts.feed.count(what) }
}

export function headerValueOf (header: string, secret: string): string { return header.toLowerCase() === 'authorization' ? `Bearer ${secret}` : secret }
