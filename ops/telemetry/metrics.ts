import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** The Prometheus metrics of the product; no label ever holds an identifier of a person. */
export interface Metrics {
  readonly registry: Registry
  readonly intake: Counter<'source' | 'what'>
  readonly readings: Counter<'became'>
  readonly lag: Gauge<'processor'>
  readonly records: Gauge<'topic'>
  readonly alerts: Counter<'rule' | 'state'>
  readonly alertLatency: Histogram
  readonly deadLetters: Gauge<'cause'>
}

export function openMetrics (): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'latido_' })
  const registers = [registry]
  return {
    registry,
    intake: new Counter({ name: 'latido_intake_total', help: 'What became of messages at the connectors', labelNames: ['source', 'what'], registers }),
    readings: new Counter({ name: 'latido_readings_total', help: 'What became of readings in the features machine', labelNames: ['became'], registers }),
    lag: new Gauge({ name: 'latido_processor_lag_records', help: 'Records behind the end of the input topic', labelNames: ['processor'], registers }),
    records: new Gauge({ name: 'latido_topic_end_offset', help: 'Records ever appended', labelNames: ['topic'], registers }),
    alerts: new Counter({ name: 'latido_alert_changes_total', help: 'Changes of alerts', labelNames: ['rule', 'state'], registers }),
    alertLatency: new Histogram({ name: 'latido_alert_latency_seconds', help: 'From the moment an alert is due by the log\'s clock to its being shown', buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5], registers }),
    deadLetters: new Gauge({ name: 'latido_dead_letters', help: 'Dead letters kept', labelNames: ['cause'], registers }),
  }
}
