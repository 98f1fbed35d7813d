import type { Metric, Registry } from 'prom-client'
import type { Buckets, ServingTally, ViewTally } from '../../features/serving/index.ts'

interface Sample { readonly labels: Readonly<Record<string, string | number>>, readonly value: number, readonly metricName?: string }

/** Adds what is served of each view to the metrics. Serving counts in plain numbers; they are written out only when somebody asks. */
export function registerServing (registry: Registry, tally: ServingTally): void {
  const of = (samples: (tally: ViewTally, labels: Readonly<Record<string, string>>) => readonly Sample[]) => (): readonly Sample[] => [...tally.views].flatMap(([view, counts]) => samples(counts, { view }))
  const count = (what: string, help: string, pick: (tally: ViewTally) => number): void => { register(registry, `latido_serving_${what}_total`, 'counter', help, of((counts, labels) => [{ labels, value: pick(counts) }])) }
  const histogram = (what: string, help: string, pick: (tally: ViewTally) => Buckets): void => {
    const name = `latido_serving_${what}_seconds`
    register(registry, name, 'histogram', help, of((counts, labels) => bucketSamples(name, pick(counts), labels)))
  }
  count('requests', 'Reads in which the view took part', t => t.requests)
  count('entities', 'Entities that were asked for', t => t.entities)
  count('features_missing', 'Values that were asked for and are absent', t => t.missing)
  count('features_stale', 'Of those, the ones past the time to live', t => t.stale)
  histogram('freshness', 'How long before it was served a row was computed', t => t.freshness)
  histogram('staleness', 'By how much rows were past the time to live', t => t.staleness)
  histogram('latency', 'One read of the online store, with its unpacking', t => t.latency)
}

function bucketSamples (name: string, { bounds, counts, sum }: Buckets, labels: Readonly<Record<string, string>>): readonly Sample[] {
  let total = 0
  const samples: Sample[] = []
  counts.forEach((count, i) => {
    total += count
    samples.push({ labels: { ...labels, le: bounds[i] ?? '+Inf' }, value: total, metricName: `${name}_bucket` })
  })
  return [...samples, { labels, value: sum, metricName: `${name}_sum` }, { labels, value: total, metricName: `${name}_count` }]
}

/** A metric that is read from elsewhere. The registry asks its members for these alone. */
function register (registry: Registry, name: string, type: 'counter' | 'histogram', help: string, samples: () => readonly Sample[]): void {
  const metric = { name, help, type, aggregator: 'sum', get: () => Promise.resolve({ name, help, type, aggregator: 'sum', values: samples() }), reset: () => {} }
  registry.registerMetric(metric as unknown as Metric)
}
