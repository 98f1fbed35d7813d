import { randomUUID } from 'node:crypto'
import type { Log } from '../../../../../streams/log/index.ts'
import { openDirectLog, type DirectLimits } from '../../../../../streams/log/kafka/direct/index.ts'
import { KAFKA_DEFAULTS, type KafkaOptions } from '../../../../../streams/log/kafka/options.ts'
import { systemClock, type Clock, type DurationMs } from '../../../../../streams/time/index.ts'

export function directOptions (bootstrap: string, more: Partial<KafkaOptions> = {}): KafkaOptions {
  return { ...KAFKA_DEFAULTS, driver: 'direct', brokers: bootstrap.split(','), replication: 1, minInsyncReplicas: 1, requestTimeoutMs: 10_000, transactionTimeoutMs: 30_000, clock: systemClock, ...more }
}

export async function openDirect (bootstrap: string, more: Partial<KafkaOptions> = {}, limits: Partial<DirectLimits> = {}): Promise<Log> {
  return await openDirectLog(directOptions(bootstrap, more), limits)
}

export function freshPrefix (): string { return `direct-${randomUUID().slice(0, 8)}-` }

/** The machine's clock, which can be stopped: what sleeps then sleeps on. */
export class StoppableClock implements Clock {
  #stopped: Promise<void> | undefined
  #wake: () => void = () => {}

  now (): number { return systemClock.now() }
  monotonicMs (): number { return systemClock.monotonicMs() }

  async sleep (ms: DurationMs, signal?: AbortSignal): Promise<void> {
    await systemClock.sleep(ms, signal)
    while (this.#stopped !== undefined && signal?.aborted !== true) await this.#stopped
  }

  every (ms: DurationMs, run: () => void): () => void { return systemClock.every(ms, () => { if (this.#stopped === undefined) run() }) }

  stop (): void { this.#stopped = new Promise(resolve => { this.#wake = resolve }) }

  go (): void {
    this.#stopped = undefined
    this.#wake()
  }
}
