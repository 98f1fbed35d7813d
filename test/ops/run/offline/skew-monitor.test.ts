import { afterAll, beforeAll, expect, it } from 'vitest'
import { featureView, last, type FeatureView } from '../../../../features/define/index.ts'
import type { ClickHouseOffline } from '../../../../features/offline/index.ts'
import { SkewMonitor } from '../../../../ops/run/offline/skew-monitor.ts'
import { openMetrics } from '../../../../ops/telemetry/index.ts'
import type { PatientKey } from '../../../../streams/events/index.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { batchOf, describeWithEngine, startTestEngine, type TestEngine } from '../../../features/offline/clickhouse/kit.ts'
import { storeOn } from '../../../kit/offline-store.ts'

const START = Date.UTC(2026, 0, 15)
const EVERY_MS = 600_000
const view: FeatureView = featureView({ name: 'pulse', version: 1, owner: 'test', description: 'test', ttl: '1 h', emit: { every: '10 s' }, features: { pulse: last('heartRate') } })

describeWithEngine('the skew monitor', () => {
  let engine: TestEngine
  let store: ClickHouseOffline
  beforeAll(async () => {
    engine = await startTestEngine()
    store = await storeOn(engine.engine)
  })
  afterAll(async () => { await store[Symbol.asyncDispose](); await engine[Symbol.asyncDispose]() })

  /** One reading, and the vector that was served of it. */
  async function serve (offset: number, arrival: number, value: number, served: number): Promise<void> {
    const at = { patient: 'p' as PatientKey, arrival, partition: 0, offset }
    await store.write(batchOf({
      observations: [{ ...at, kind: 'device', source: 'test', observations: [{ concept: 'heartRate', value, comparator: '=', eventTime: arrival, status: 'final', quality: 'valid', resultId: '' }] }],
      vectors: [{ ...at, vector: { type: 'vector', view: 'pulse', version: 1, asOf: arrival, trigger: 'device', through: offset + 1, values: Float64Array.of(served), times: Float64Array.of(arrival) } }],
    }))
  }

  it('counts what it compared, says once that a view is skewed and once that it agrees again, and looks at nothing while the store is behind', async () => {
    const clock = new ManualClock(START)
    const metrics = openMetrics()
    const lines: string[] = []
    let caughtUp = true
    await using monitor = new SkewMonitor({ sql: store.sql, views: [view], clock, metrics, everyMs: EVERY_MS, caughtUp: () => caughtUp, logger: { warn: (_details: object, line: string) => { lines.push(line) }, info: (_details: object, line: string) => { lines.push(line) } } as never })
    const counts = async (): Promise<readonly number[]> => [await total(metrics.skewCompared), await total(metrics.skewDifferent)]

    await serve(0, START + 1_000, 80, 80)
    await clock.advance(60_000)
    await monitor.look()
    expect(await counts()).toEqual([1, 0])
    expect(lines).toEqual([])

    await serve(1, START + 70_000, 90, 91)
    await clock.advance(60_000)
    caughtUp = false
    await monitor.look()
    expect(await counts()).toEqual([1, 0])
    caughtUp = true
    await monitor.look()
    await monitor.look()
    expect(await counts()).toEqual([5, 2])
    expect(lines).toEqual(['served features differ from the observations: run "latido skew"'])

    await clock.advance(3 * EVERY_MS)
    await serve(2, clock.now() - 60_000, 85, 85)
    await monitor.look()
    expect(lines.at(-1)).toBe('served features agree with the observations again')
  })
})

async function total (counter: { get (): Promise<{ readonly values: readonly { readonly value: number }[] }> }): Promise<number> { return (await counter.get()).values.reduce((n, v) => n + v.value, 0) }
