import { isLatidoError, LatidoError } from '../../../errors/index.ts'
import type { DurationMs } from '../../../time/index.ts'
import { ERROR_CODE, isConnectionLost, isKafkaError, type Target } from './cluster/index.ts'
import type { Api } from './wire/index.ts'
import type { Direct } from './direct.ts'

const MOVED: ReadonlySet<number> = new Set([ERROR_CODE.NOT_COORDINATOR, ERROR_CODE.COORDINATOR_NOT_AVAILABLE])

/** May pass by itself: the answer was lost, or the broker says so. */
export function passes (e: unknown): boolean { return isConnectionLost(e) || (isKafkaError(e) && e.retriable) }

export interface Patience {
  readonly forMs?: DurationMs
  /** First wait; it doubles up to the maximum. */
  readonly firstMs?: DurationMs
  readonly maxMs?: DurationMs
  readonly signal?: AbortSignal
}

/** Tries `attempt` until it answers or throws something that does not pass. When patience ends: BROKER_UNREACHABLE, with the last cause. */
export async function patiently<T> (direct: Direct, what: string, { forMs = direct.limits.deliveryTimeoutMs, firstMs = direct.limits.backoffMinMs, maxMs = direct.limits.backoffMaxMs, signal = direct.closed }: Patience, attempt: () => Promise<T>): Promise<T> {
  const untilMs = direct.clock.monotonicMs() + forMs
  for (let waitMs = firstMs; ; waitMs = Math.min(waitMs * 2, maxMs)) {
    if (signal.aborted) throw closedError()
    try {
      return await attempt()
    } catch (e) {
      if (!passes(e)) throw refusal(e)
      if (direct.clock.monotonicMs() + waitMs >= untilMs) throw new LatidoError('BROKER_UNREACHABLE', `${what} did not succeed within ${forMs} ms`, 'look at the brokers and the network', e)
    }
    await direct.clock.sleep(waitMs, signal)
  }
}

/** A call to a coordinator, which is looked up again when it has moved. `codeOf`: the answer's error; anything but 0 is thrown as KafkaError by the caller. */
export async function askCoordinator<Request, Response> (direct: Direct, to: Extract<Target, { kind: 'coordinator' }>, api: Api<Request, Response>, request: Request, codesOf: (response: Response) => readonly number[], options: { readonly lane?: string, readonly timeoutMs?: DurationMs } = {}): Promise<Response> {
  const response = await direct.cluster.call(to, api, request, options)
  if (codesOf(response).some(code => MOVED.has(code))) direct.cluster.forgetCoordinator(to.of, to.key)
  return response
}

/** What a caller sees of an error that does not pass. */
export function refusal (e: unknown): unknown {
  if (isLatidoError(e) || !isKafkaError(e)) return e
  return new LatidoError('BROKER_REFUSED', e.message, 'look the reason up in Kafka\'s list of errors; for an authorization, allow the user what the message names', e)
}

export function closedError (): LatidoError { return new LatidoError('LOG_CLOSED', 'the log is closed', 'nothing: the process is stopping') }
