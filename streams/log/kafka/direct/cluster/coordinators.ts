import type { Clock, DurationMs } from '../../../../time/index.ts'
import type { FindCoordinatorResponse } from './api/find-coordinator.ts'
import { backoffMs } from './backoff.ts'
import { ERROR_CODE, isConnectionLost, KafkaError } from './errors.ts'
import type { ClusterLimits } from './options.ts'

export type CoordinatorOf = 'group' | 'transaction'

export interface CoordinatorSource {
  readonly clock: Clock
  readonly random: () => number
  readonly limits: ClusterLimits
  ask (of: CoordinatorOf, key: string): Promise<FindCoordinatorResponse>
}

/** The topic of coordinators is being made or loaded: it passes. */
const PASSING: ReadonlySet<number> = new Set([ERROR_CODE.COORDINATOR_LOAD_IN_PROGRESS, ERROR_CODE.COORDINATOR_NOT_AVAILABLE])

/** Which broker coordinates what; looked up once, by one question however many wait for it. */
export class Coordinators {
  readonly #source: CoordinatorSource
  readonly #known = new Map<string, number>()
  readonly #asked = new Map<string, Promise<FindCoordinatorResponse>>()

  constructor (source: CoordinatorSource) { this.#source = source }

  known (of: CoordinatorOf, key: string): number | undefined { return this.#known.get(`${of}:${key}`) }
  forget (of: CoordinatorOf, key: string): void { this.#known.delete(`${of}:${key}`) }

  find (of: CoordinatorOf, key: string): Promise<FindCoordinatorResponse> {
    const name = `${of}:${key}`
    let asked = this.#asked.get(name)
    if (asked === undefined) {
      asked = this.#ask(of, key).then(found => { this.#known.set(name, found.id); return found }).finally(() => this.#asked.delete(name))
      this.#asked.set(name, asked)
    }
    return asked
  }

  async #ask (of: CoordinatorOf, key: string): Promise<FindCoordinatorResponse> {
    const { clock, limits, random } = this.#source
    const dueMs: DurationMs = clock.monotonicMs() + limits.requestTimeoutMs
    for (let failures = 1; ; failures++) {
      let failure: Error
      try {
        const found = await this.#source.ask(of, key)
        if (found.errorCode === ERROR_CODE.NONE) return found
        failure = new KafkaError(found.errorCode, 'FindCoordinator', found.errorMessage)
        if (!PASSING.has(found.errorCode)) throw failure
      } catch (e) {
        if (!isConnectionLost(e) ) throw e
        failure = e
      }
      const wait = backoffMs(failures, limits, random)
      if (clock.monotonicMs() + wait >= dueMs) throw failure
      await clock.sleep(wait)
    }
  }
}
