import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { LatidoError } from '../../streams/errors/index.ts'
import type { Clock } from '../../streams/time/index.ts'
import { systemCode } from '../kit/index.ts'
import { ORTHANC_LIMITS } from './options.ts'

/** Reads from an archive's REST API; undefined: there is no such thing. */
export interface Rest { get (path: string, signal: AbortSignal): Promise<unknown> }

const CONNECTIONS_MAX = 4

export interface ClientOptions {
  readonly url: string
  readonly clock: Clock
  readonly login?: { readonly username: string, readonly password: string } | undefined
}

/** GET with limits on time and size, over connections that are kept. */
export class RestClient implements Rest, Disposable {
  readonly #base: string
  readonly #clock: Clock
  readonly #authorization: string | undefined
  readonly #agent: HttpAgent | HttpsAgent

  constructor ({ url, clock, login }: ClientOptions) {
    this.#base = url.replace(/\/+$/, '')
    this.#clock = clock
    this.#authorization = login === undefined ? undefined : `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`
    const options = { keepAlive: true, maxSockets: CONNECTIONS_MAX }
    this.#agent = url.startsWith('https:') ? new HttpsAgent(options) : new HttpAgent(options)
  }

  /** The answer as JSON; undefined: there is no such thing (404). Throws a LatidoError when the archive is away or refuses. */
  async get (path: string, signal: AbortSignal): Promise<unknown> {
    const done = new AbortController()
    const late = this.#clock.sleep(ORTHANC_LIMITS.requestMsMax, done.signal).then(() => { if (!done.signal.aborted) done.abort() })
    try {
      const { status, body } = await this.#ask(path, AbortSignal.any([signal, done.signal]))
      if (status === 404) return undefined
      if (status === 401 || status === 403) throw unavailable('Orthanc refuses the login', 'check username and password of the feed, and RegisteredUsers and RemoteAccessAllowed of Orthanc')
      if (status !== 200) throw unavailable(`Orthanc answers ${status}`, 'look at its log')
      return JSON.parse(body.toString('utf8'))
    } catch (e) {
      throw e instanceof LatidoError ? e : unavailable(`Orthanc does not answer (${systemCode(e) ?? 'the connection failed'})`, 'start it, or check url of the feed', e)
    } finally {
      done.abort()
      await late
    }
  }

  [Symbol.dispose] (): void { this.#agent.destroy() }

  #ask (path: string, signal: AbortSignal): Promise<{ readonly status: number, readonly body: Buffer }> {
    return new Promise((resolve, reject) => {
      const send = this.#base.startsWith('https:') ? httpsRequest : httpRequest
      const headers = { accept: 'application/json', ...this.#authorization === undefined ? {} : { authorization: this.#authorization } }
      send(`${this.#base}${path}`, { agent: this.#agent, headers, signal }, response => { read(response).then(body => { resolve({ status: response.statusCode ?? 0, body }) }, reject) }).on('error', reject).end()
    })
  }
}

async function read (response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > ORTHANC_LIMITS.answerBytesMax) throw unavailable('an answer of Orthanc is too large', 'look at what it holds: tags are far smaller')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export function unavailable (message: string, action: string, cause?: unknown): LatidoError { return new LatidoError('SOURCE_UNAVAILABLE', message, action, cause) }
