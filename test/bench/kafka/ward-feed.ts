import { partitionFor } from '../../../streams/codec/index.ts'
import { TOPICS, type EventCodecs } from '../../../streams/events/index.ts'
import type { Log, OutRecord } from '../../../streams/log/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { SeededRandom } from '../../kit/random.ts'
import { deviceSet } from '../device-set.ts'

const SLICE_MS = 20

export interface Feed {
  /** Records acknowledged so far, by partition. */
  readonly acknowledged: readonly number[]
  /** The furthest that the feed fell behind its rate, in milliseconds. */
  readonly worstLagMs: number
  stop (): Promise<void>
}

/** So many beds with six numerics a second each, one record a bed and second, spread evenly over the second. */
export function feedWard (log: Log, codecs: EventCodecs, beds: number): Feed {
  const partitions = log.partitionsOf(TOPICS.events)
  const keys = Array.from({ length: beds }, (_, i) => Buffer.from(`patient-${String(i).padStart(6, '0')}`))
  const places = keys.map(key => partitionFor(key, partitions))
  const random = new SeededRandom(1)
  const producer = log.producer()
  const acknowledged = Array.from({ length: partitions }, () => 0)
  const inFlight = new Set<Promise<void>>()
  let stopping = false
  let worstLagMs = 0
  const run = async (): Promise<void> => {
    const startedMs = systemClock.monotonicMs()
    for (let sent = 0; !stopping;) {
      const due = Math.floor((systemClock.monotonicMs() - startedMs) / 1_000 * beds)
      worstLagMs = Math.max(worstLagMs, (due - sent) / beds * 1_000)
      const slices = Array.from({ length: partitions }, (): OutRecord[] => [])
      for (; sent < due; sent++) slices[places[sent % beds]!]!.push({ key: keys[sent % beds]!, value: codecs.encode(deviceSet(random, systemClock.now())) })
      for (const [partition, records] of slices.entries()) {
        if (records.length === 0) continue
        const done = producer.append({ topic: TOPICS.events, partition }, records).then(() => { acknowledged[partition]! += records.length; inFlight.delete(done) })
        inFlight.add(done)
      }
      await systemClock.sleep(SLICE_MS)
    }
    await Promise.all(inFlight)
    await producer[Symbol.asyncDispose]()
  }
  const running = run()
  return { acknowledged, get worstLagMs () { return worstLagMs }, stop: async () => { stopping = true; await running } }
}
