import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { registerServing } from '../../../ops/telemetry/index.ts'
import { fakeFeatures } from '../../dashboards/feature-kit.ts'

it('what is served of each view stands in the metrics, without any identifier', async () => {
  const { features } = fakeFeatures()
  const registry = new Registry()
  registerServing(registry, features.tally)
  await features.read({ service: 'both' }, ['anna', 'ben'])
  await features.read({ features: ['numerics:spo2Last'] }, ['anna'])
  const lines = (await registry.metrics()).split('\n')
  expect(lines).toEqual(expect.arrayContaining([
    '# TYPE latido_serving_requests_total counter',
    'latido_serving_requests_total{view="numerics@1"} 2', 'latido_serving_requests_total{view="blood@2"} 1',
    'latido_serving_entities_total{view="numerics@1"} 3',
    'latido_serving_features_missing_total{view="numerics@1"} 5', 'latido_serving_features_stale_total{view="numerics@1"} 3',
    '# TYPE latido_serving_freshness_seconds histogram',
    'latido_serving_freshness_seconds_bucket{view="numerics@1",le="1"} 2', 'latido_serving_freshness_seconds_bucket{view="numerics@1",le="60"} 2',
    'latido_serving_freshness_seconds_bucket{view="numerics@1",le="+Inf"} 3', 'latido_serving_freshness_seconds_sum{view="blood@2"} 11', 'latido_serving_freshness_seconds_count{view="blood@2"} 1',
    'latido_serving_staleness_seconds_bucket{view="numerics@1",le="0.1"} 1', 'latido_serving_staleness_seconds_count{view="blood@2"} 0',
    'latido_serving_latency_seconds_count{view="numerics@1"} 2',
  ]))
  expect(lines.join('\n')).not.toMatch(/anna|ben/)
})
