import { openDataDir } from '../../ops/run/data-dir.ts'
import { Closers } from '../../ops/run/closers.ts'
import { openPipeline } from '../../ops/run/pipeline.ts'
import { openStores } from '../../ops/run/stores.ts'
import { tableOf } from '../../features/serving/index.ts'
import { news2View } from '../../features/views/index.ts'
import { ONLINE_TABLES } from '../../inference/processors.ts'
import { partitionFor } from '../../streams/codec/index.ts'
import { TOPICS, type ConceptId, type ObservationSet } from '../../streams/events/index.ts'
import type { OnlineRow, OnlineStore } from '../../features/online/index.ts'
import { systemClock } from '../../streams/time/index.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { quantile, type Benchmark } from './measure.ts'

const PATIENTS = 200
const PER_SECOND = 100

/** The first second warms up. */
const WARM_UP_MS = 1_000

/** From the call of append to the row in the online store, in one process with the real embedded log: charted sets that cross NEWS2 7 each time. */
export const path: Benchmark = {
  summary: 'append to feature and to alert, in process',
  run: async ({ seconds = 10, runs = 3, say }) => {
    const features: number[][] = []
    const alerts: number[][] = []
    for (let run = 0; run < runs; run++) {
      const watch = new Watch()
      await drive(watch, seconds)
      features.push(watch.features)
      alerts.push(watch.alerts)
      say(`${watch.features.length} features, ${watch.alerts.length} alerts at ${PER_SECOND} messages a second`)
    }
    return [
      { name: 'append to feature, p50', unit: 'ms', values: features.map(v => quantile(v, 0.5)) },
      { name: 'append to feature, p99', unit: 'ms', values: features.map(v => quantile(v, 0.99)) },
      { name: 'append to alert, p50', unit: 'ms', values: alerts.map(v => quantile(v, 0.5)), target: '10' },
      { name: 'append to alert, p99', unit: 'ms', values: alerts.map(v => quantile(v, 0.99)), target: '40' },
    ]
  },
}

/** Sees rows become visible, and knows when what caused them was appended. */
class Watch {
  readonly features: number[] = []
  readonly alerts: number[] = []
  readonly #appendedMs = { feature: new Map<string, number>(), alert: new Map<string, number>() }
  counting = false

  appended (patient: string): void {
    const now = systemClock.monotonicMs()
    this.#appendedMs.feature.set(patient, now)
    this.#appendedMs.alert.set(patient, now)
  }

  saw (rows: readonly OnlineRow[]): void {
    for (const { table, entity } of rows) {
      if (table === tableOf(news2View)) this.#take('feature', this.features, entity)
      if (table === ONLINE_TABLES.alerts) this.#take('alert', this.alerts, entity)
    }
  }

  #take (what: 'feature' | 'alert', into: number[], patient: string): void {
    const since = this.#appendedMs[what].get(patient)
    if (since === undefined) return
    this.#appendedMs[what].delete(patient)
    if (this.counting) into.push(systemClock.monotonicMs() - since)
  }
}

async function drive (watch: Watch, seconds: number): Promise<void> {
  const temporary = tempDir()
  {
    await using closers = new Closers()
    const dir = closers.use(openDataDir(temporary.path))
    const stores = await openStores(dir, { clock: systemClock, partitions: 4, retentionMs: 0, replay: false }, closers)
    const quiet = (): void => undefined
    const pipeline = await openPipeline({ ...stores, online: watched(stores.online, watch) }, {
      clock: systemClock, logger: { debug: quiet, info: quiet, warn: quiet, error: quiet }, sealer: { seal: b => b, open: b => b }, model: '', alerts: {}, driftWindowMs: 300_000, ownsTicks: true,
    }, closers)
    for (const processor of pipeline.processors) void processor.run()
    const producer = stores.log.producer()
    const startedMs = systemClock.monotonicMs()
    for (let n = 0; ; n++) {
      const dueMs = startedMs + n * 1_000 / PER_SECOND
      if (dueMs > startedMs + WARM_UP_MS + seconds * 1_000) break
      watch.counting = dueMs > startedMs + Math.min(WARM_UP_MS, seconds * 200)
      await systemClock.sleep(Math.max(0, dueMs - systemClock.monotonicMs()))
      const patient = `patient-${n % PATIENTS}`
      const key = Buffer.from(patient)
      watch.appended(patient)
      void producer.append({ topic: TOPICS.events, partition: partitionFor(key, 4) }, [{ key, value: stores.codecs.encode(charted(Math.floor(n / PATIENTS) % 2 === 0, n)) }])
    }
    await systemClock.sleep(500)
  }
  temporary.remove()
}

function charted (ill: boolean, n: number): ObservationSet {
  const at = systemClock.now()
  const values: readonly (readonly [ConceptId, number])[] = ill ? [['respiratoryRate', 27], ['spo2', 90], ['heartRate', 124], ['systolic', 96], ['temperature', 38.6]] : [['respiratoryRate', 16], ['spo2', 97], ['heartRate', 72], ['systolic', 122], ['temperature', 36.8]]
  return { type: 'observations', kind: 'charted', source: 'hl7:bench', observations: values.map(([concept, value]) => ({ concept, value, comparator: '=', eventTime: at, status: 'final', quality: 'valid', resultId: `${n}|${concept}` })) }
}

function watched (online: OnlineStore, watch: Watch): OnlineStore {
  return { get: (t, e) => online.get(t, e), scan: t => online.scan(t), put: async rows => { await online.put(rows); watch.saw(rows) }, erase: e => online.erase(e), [Symbol.asyncDispose]: () => Promise.resolve() }
}
