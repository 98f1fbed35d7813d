import { randomUUID } from 'node:crypto'
import type { Log } from '../../../../../streams/log/index.ts'
import { openDirectLog, type DirectLimits } from '../../../../../streams/log/kafka/direct/index.ts'
import { clusterOptions, openCluster } from '../../../../../streams/log/kafka/direct/cluster/index.ts'
import type { Api } from '../../../../../streams/log/kafka/direct/wire/index.ts'
import { KAFKA_DEFAULTS, type KafkaOptions } from '../../../../../streams/log/kafka/options.ts'
import { systemClock, type Clock, type DurationMs } from '../../../../../streams/time/index.ts'

export function directOptions (bootstrap: string, more: Partial<KafkaOptions> = {}): KafkaOptions {
  return { ...KAFKA_DEFAULTS, driver: 'direct', brokers: bootstrap.split(','), replication: 1, minInsyncReplicas: 1, requestTimeoutMs: 10_000, transactionTimeoutMs: 30_000, clock: systemClock, ...more }
}

export async function openDirect (bootstrap: string, more: Partial<KafkaOptions> = {}, limits: Partial<DirectLimits> = {}): Promise<Log> {
  return await openDirectLog(directOptions(bootstrap, more), limits)
}

interface GroupSetting { readonly group: string, readonly name: string, readonly value: string }
const GROUP = 32
const alterGroup: Api<GroupSetting, number> = {
  name: 'IncrementalAlterConfigs', key: 44, minVersion: 1, maxVersion: 1, flexibleFrom: 1,
  encode: (w, s) => { w.compactArray([s], ({ group, name, value }) => { w.int8(GROUP).compactString(group).compactArray([name], n => { w.compactString(n).int8(0).compactString(value).tags() }).tags() }).boolean(false).tags() },
  decode: r => { r.int32(); return r.compactArray(() => { const code = r.int16(); r.compactString(); r.int8(); r.compactString(); r.tags(); return code })[0] ?? -1 },
}

/** Longer than the 3 s of the tests' brokers, for tests that are not about it: a machine may be busy for so long. */
export async function patientGroup (bootstrap: string, group: string, sessionMs: DurationMs = 30_000): Promise<void> {
  await using cluster = await openCluster(clusterOptions(directOptions(bootstrap)))
  const code = await cluster.call({ kind: 'any' }, alterGroup, { group, name: 'consumer.session.timeout.ms', value: String(sessionMs) })
  if (code !== 0) throw new Error(`the group could not be configured: ${code}`)
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
