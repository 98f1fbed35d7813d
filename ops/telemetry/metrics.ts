import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** The Prometheus metrics of the product; no label ever holds an identifier of a person. */
export interface Metrics {
  readonly registry: Registry
  readonly intake: Counter<'source' | 'what'>
  readonly readings: Counter<'became'>
  /** 1 while a feed's connector takes messages. */
  readonly connectorUp: Gauge<'feed'>
  readonly feedMessages: Counter<'feed' | 'what'>
  /** Devices of a feed by how far their clocks are off; and the one that is furthest out. */
  readonly deviceClocks: Gauge<'feed' | 'off'>
  readonly deviceClockWorst: Gauge<'feed'>
  readonly lag: Gauge<'processor'>
  readonly records: Gauge<'topic'>
  readonly alerts: Counter<'rule' | 'state'>
  readonly alertLatency: Histogram
  readonly deadLetters: Gauge<'cause'>
  readonly deadLettersOpen: Gauge
  /** Somebody has read the bytes of a dead letter. */
  readonly deadLettersOpened: Counter
  /** 1 while the log answers; its driver as a label. */
  readonly logUp: Gauge<'driver'>
  readonly commitLatency: Histogram
  readonly appendLatency: Histogram
  readonly rebalances: Counter<'group' | 'what'>
  readonly partitions: Gauge<'group'>
  readonly schemaLookups: Counter<'became'>
  /** Of an online store on Redis: 1 while it takes writes. */
  readonly onlineUp: Gauge
  readonly onlineRetries: Counter
  /** Feature values that were served and computed again from the observations; those that differ, by how. */
  readonly skewCompared: Counter<'view'>
  readonly skewDifferent: Counter<'view' | 'outcome'>
}

const LOG_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]

export function openMetrics (): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'latido_' })
  const registers = [registry]
  return {
    registry,
    intake: new Counter({ name: 'latido_intake_total', help: 'What became of messages at the connectors', labelNames: ['source', 'what'], registers }),
    readings: new Counter({ name: 'latido_readings_total', help: 'What became of readings in the features machine', labelNames: ['became'], registers }),
    connectorUp: new Gauge({ name: 'latido_connector_up', help: '1 while the connector of a feed takes messages', labelNames: ['feed'], registers }),
    feedMessages: new Counter({ name: 'latido_feed_total', help: 'What became of the messages of each feed', labelNames: ['feed', 'what'], registers }),
    deviceClocks: new Gauge({ name: 'latido_device_clocks', help: 'Devices heard in the last day, by how far their clocks are off', labelNames: ['feed', 'off'], registers }),
    deviceClockWorst: new Gauge({ name: 'latido_device_clock_offset_seconds_max', help: 'How far the clock is off that is furthest out, of the devices heard in the last day', labelNames: ['feed'], registers }),
    lag: new Gauge({ name: 'latido_processor_lag_records', help: 'Records behind the end of the input topic', labelNames: ['processor'], registers }),
    records: new Gauge({ name: 'latido_topic_end_offset', help: 'Records ever appended', labelNames: ['topic'], registers }),
    alerts: new Counter({ name: 'latido_alert_changes_total', help: 'Changes of alerts', labelNames: ['rule', 'state'], registers }),
    alertLatency: new Histogram({ name: 'latido_alert_latency_seconds', help: 'From the moment an alert is due by the log\'s clock to its being shown', buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5], registers }),
    deadLetters: new Gauge({ name: 'latido_dead_letters', help: 'Dead letters kept', labelNames: ['cause'], registers }),
    deadLettersOpen: new Gauge({ name: 'latido_dead_letters_open', help: 'Dead letters that nobody has dealt with', registers }),
    deadLettersOpened: new Counter({ name: 'latido_dead_letters_read_total', help: 'Times that the bytes of a dead letter were read', registers }),
    logUp: new Gauge({ name: 'latido_log_up', help: '1 while the log answers', labelNames: ['driver'], registers }),
    commitLatency: new Histogram({ name: 'latido_log_commit_seconds', help: 'Duration of a transaction\'s commit at the log', buckets: LOG_BUCKETS, registers }),
    appendLatency: new Histogram({ name: 'latido_log_append_seconds', help: 'Duration of an append outside transactions', buckets: LOG_BUCKETS, registers }),
    rebalances: new Counter({ name: 'latido_rebalances_total', help: 'Times that partitions came to this instance or left it', labelNames: ['group', 'what'], registers }),
    partitions: new Gauge({ name: 'latido_partitions', help: 'Partitions of a group that this instance has', labelNames: ['group'], registers }),
    schemaLookups: new Counter({ name: 'latido_schema_lookups_total', help: 'Schema ids that were looked up while running, by what became of them', labelNames: ['became'], registers }),
    onlineUp: new Gauge({ name: 'latido_online_up', help: '1 while the online store on Redis takes writes', registers }),
    onlineRetries: new Counter({ name: 'latido_online_retries_total', help: 'Writes to the online store that were said again because it was away', registers }),
    skewCompared: new Counter({ name: 'latido_skew_compared_total', help: 'Feature values that were served and computed again from the observations', labelNames: ['view'], registers }),
    skewDifferent: new Counter({ name: 'latido_skew_different_total', help: 'Of these, those that differ, by how', labelNames: ['view', 'outcome'], registers }),
  }
}
