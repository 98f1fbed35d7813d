import { randomInt } from 'node:crypto'
import type { DurationMs } from '../../../streams/time/index.ts'
import { noAuth } from './auth.ts'
import type { FhirClientOptions, RawAnswer, RawRequest } from './client.ts'
import { invalid, refusedBy, unreachable } from './errors.ts'
import { FHIR_LIMITS, type FhirLimits } from './limits.ts'
import { Pace } from './pace.ts'
import { retryAfterMs } from './retry-after.ts'

const STEPS = 1_000_000
/** Pauses are drawn from this share above the calm one, so that many instances do not come back at once. */
const SPREAD = 0.25

type Attempt = { readonly kind: 'answer', readonly answer: RawAnswer } | { readonly kind: 'again', readonly why: string, readonly afterMs: DurationMs | undefined, readonly cause?: unknown }

/** One request at a time of its callers, paced, authorised, limited and repeated. */
export class Requests {
  readonly #options: FhirClientOptions
  readonly limits: FhirLimits
  readonly #pace: Pace
  readonly #origin: string
  #serverTime: number | undefined

  constructor (options: FhirClientOptions) {
    this.#options = options
    this.limits = { ...FHIR_LIMITS, ...options.limits }
    this.#pace = new Pace(options.clock, this.limits.requestsPerMinute)
    this.#origin = new URL(options.baseUrl).origin
  }

  serverTime (): number | undefined { return this.#serverTime }

  isHome (url: string): boolean { return URL.canParse(url) && new URL(url).origin === this.#origin }

  async send (url: string, request: RawRequest): Promise<RawAnswer> {
    const { count, clock, random = () => randomInt(STEPS) / STEPS } = this.#options
    const { limits } = this
    for (let attempt = 1; ; attempt++) {
      await this.#pace.turn(request.signal)
      if (isStopped(request)) throw unreachable('was no longer asked: stopping')
      const outcome = await this.#attempt(url, request)
      if (outcome.kind === 'answer') return outcome.answer
      if (outcome.afterMs !== undefined) this.#pace.stayAway(Math.min(outcome.afterMs, limits.retryAfterMsMax)) // the server speaks of all our requests, also of those after we gave this one up
      if (attempt >= limits.attemptsMax || isStopped(request)) throw unreachable(`${outcome.why}, ${attempt} times`, outcome.cause)
      if (outcome.afterMs !== undefined && outcome.afterMs > limits.retryAfterMsMax) throw unreachable(`${outcome.why} and wants to be left alone for longer than is waited`)
      count?.('http-retry')
      const calm = Math.min(limits.pauseMsMax, limits.pauseMsMin * 2 ** Math.min(attempt - 1, 20))
      const pause = Math.ceil((outcome.afterMs ?? calm) + calm * SPREAD * random())
      await clock.sleep(pause, request.signal)
    }
  }

  /** Once more with another token where the first was refused. */
  async #attempt (url: string, request: RawRequest): Promise<Attempt> {
    const auth = request.authorized === false ? noAuth : this.#options.auth ?? noAuth
    const header = await auth.header()
    const first = await this.#once(url, request, header)
    if (first.kind === 'again' || first.answer.status !== 401 || request.expects?.includes(401) === true) return this.#judge(first, request)
    this.#options.count?.('http-401')
    if (header === undefined || !auth.reject(header)) throw refusedBy('does not accept the credentials (401)')
    await this.#pace.turn(request.signal)
    const second = await this.#once(url, request, await auth.header())
    if (second.kind === 'answer' && second.answer.status === 401) throw refusedBy('does not accept a new token either (401)')
    return this.#judge(second, request)
  }

  #judge (attempt: Attempt, request: RawRequest): Attempt {
    if (attempt.kind === 'again') return attempt
    const { status, headers } = attempt.answer
    if (status < 400 || request.expects?.includes(status) === true) return attempt
    if (status === 429 || status >= 500 || status === 408) {
      this.#options.count?.(status === 429 ? 'http-429' : 'http-5xx')
      return { kind: 'again', why: `answers ${status}`, afterMs: retryAfterMs(headers.get('retry-after'), headers.get('date'), this.#options.clock.now()) }
    }
    throw refusedBy(`answers ${status}`)
  }

  async #once (url: string, request: RawRequest, authorization: string | undefined): Promise<Attempt> {
    const { clock, fetch = globalThis.fetch } = this.#options
    const time = new AbortController()
    const waiting = new AbortController()
    void clock.sleep(this.limits.timeoutMs, waiting.signal).then(() => { if (!waiting.signal.aborted) time.abort() })
    const signal = request.signal === undefined ? time.signal : AbortSignal.any([time.signal, request.signal])
    try {
      const response = await fetch(url, {
        method: request.method ?? 'GET', redirect: 'error', signal, ...(request.body === undefined ? {} : { body: request.body }),
        headers: { accept: 'application/fhir+json', ...(request.body === undefined ? {} : { 'content-type': 'application/fhir+json' }), ...request.headers, ...(authorization === undefined ? {} : { authorization }) },
      })
      const date = Date.parse(response.headers.get('date') ?? '')
      if (!Number.isNaN(date) && this.isHome(url)) this.#serverTime = date
      const streams = request.streamed === true && response.ok
      const body = streams ? Buffer.alloc(0) : await this.#read(response)
      return { kind: 'answer', answer: { status: response.status, headers: response.headers, body, stream: streams ? response.body ?? undefined : undefined } }
    } catch (e) {
      if (e instanceof TooLarge) throw invalid(`is larger than ${this.limits.responseBytesMax} bytes: ask for smaller pages`)
      if (e instanceof TypeError && /redirect/.test(String((e.cause as Error | undefined)?.message ?? ''))) throw invalid('leads elsewhere (a redirect)')
      return { kind: 'again', why: time.signal.aborted ? `does not answer within ${this.limits.timeoutMs} ms` : 'does not answer', afterMs: undefined, cause: e }
    } finally {
      waiting.abort()
    }
  }

  async #read (response: Response): Promise<Buffer> {
    const chunks: Uint8Array[] = []
    let size = 0
    if (response.body === null) return Buffer.alloc(0)
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      size += chunk.length
      if (size > this.limits.responseBytesMax) throw new TooLarge() // leaving the loop cancels the rest
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  }
}

function isStopped ({ signal }: RawRequest): boolean { return signal?.aborted === true }

class TooLarge extends Error {}
