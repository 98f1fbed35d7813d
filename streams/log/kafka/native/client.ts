import { LatidoError } from '../../../errors/index.ts'
import type { Clock, DurationMs } from '../../../time/index.ts'
import type { KafkaOptions, OauthToken } from '../options.ts'
import { nativeError } from './errors.ts'
import type { KafkaConsumer, LibraryProducer, LibrdKafkaError } from './library.ts'

/** The library closes within a second; it may hang with a broker that is away, and then the process goes on without it. */
const CLOSE_TIMEOUT_MS = 10_000
/** A token is renewed so long before it expires, or after half of its life if that is shorter. */
const RENEW_BEFORE_MS = 60_000

export type Client = KafkaConsumer | LibraryProducer

/** A call of the library as a promise. `value` is undefined for calls that answer nothing. */
export function answer<T = void> (run: (done: (e: LibrdKafkaError | null | undefined, value?: T) => void) => unknown): Promise<T> {
  // oxlint-disable-next-line prefer-promise-reject-errors -- the library's errors are objects with a code, which is read by `codeOf`
  return new Promise((resolve, reject) => { run((e, value) => { if (e) reject(e); else resolve(value as T) }) })
}

/** What the library tells besides its answers: it goes on trying, so it is kept for the next call. */
export interface Trouble { last: LibrdKafkaError | undefined }

export interface Connected { readonly trouble: Trouble, readonly stop: () => void }

/** Connects and keeps an OAUTHBEARER token fresh until `stop`. Throws BROKER_UNREACHABLE or BROKER_AUTHENTICATION_FAILED. */
export async function connect (client: Client, options: KafkaOptions): Promise<Connected> {
  const trouble: Trouble = { last: undefined }
  const events: { on (event: 'event.error', listener: (e: LibrdKafkaError) => void): unknown } = client // a union of overloads cannot be called
  events.on('event.error', e => { trouble.last = e })
  const renewal = new AbortController()
  if (options.sasl?.kind === 'oauthbearer') {
    const token = await options.sasl.token()
    client.setOauthBearerToken(token.token)
    void renew(client, options.clock, options.sasl.token, token, renewal.signal, trouble)
  }
  try {
    await answer<unknown>(done => client.connect({ timeout: options.requestTimeoutMs, allTopics: false }, done))
  } catch (e) {
    renewal.abort('over')
    throw nativeError(`connect to ${options.brokers.join(', ')}`, trouble.last === undefined ? e : { ...trouble.last, message: `${(e as LibrdKafkaError).message}, ${trouble.last.message}` })
  }
  return { trouble, stop: () => { renewal.abort('over') } }
}

async function renew (client: Client, clock: Clock, provide: () => Promise<OauthToken>, first: OauthToken, signal: AbortSignal, trouble: Trouble): Promise<void> {
  for (let token = first; ;) {
    const left = token.expiresAtMs - clock.now()
    await clock.sleep(Math.max(1_000, Math.min(2 ** 31 - 1, Math.max(left - RENEW_BEFORE_MS, left / 2))), signal)
    if (signal.aborted) return
    try {
      token = await provide()
      client.setOauthBearerToken(token.token)
    } catch (e) { // the brokers will say when the old one no longer does
      trouble.last = { message: `authentication: no new token: ${e instanceof Error ? e.message : ''}`, code: -169, errno: -169, origin: 'local' }
    }
  }
}

/** Ends a client in bounded time. */
export async function disconnect (client: Client, clock: Clock): Promise<void> {
  if (!client.isConnected()) return
  await within(CLOSE_TIMEOUT_MS, clock, new Promise<void>(resolve => { (client as { disconnect (done: () => void): unknown }).disconnect(() => { resolve() }) }))
}

/** Waits for `work`, but not longer; answers whether it ended. */
export async function within (ms: DurationMs, clock: Clock, work: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController()
  const ended = await Promise.race([work.then(() => true, () => true), clock.sleep(ms, timer.signal).then(() => false)])
  timer.abort('over')
  return ended
}

/** Tries again while `again` says that the error may pass, for at most `ms`. */
export async function persist<T> (what: string, ms: DurationMs, clock: Clock, again: (e: unknown) => boolean, attempt: () => Promise<T>): Promise<T> {
  const deadline = clock.monotonicMs() + ms
  for (;;) {
    try { return await attempt() } catch (e) {
      if (e instanceof LatidoError) throw e
      if (!again(e) || clock.monotonicMs() >= deadline) throw nativeError(what, e)
      await clock.sleep(20)
    }
  }
}
