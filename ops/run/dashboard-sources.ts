import { partitionFor } from '../../streams/codec/index.ts'
import { type EventCodecs, type PatientKey, TOPICS } from '../../streams/events/index.ts'
import type { Log } from '../../streams/log/index.ts'
import type { Clock } from '../../streams/time/index.ts'
import type { Connector } from '../../connectors/kit/index.ts'
import type { AcknowledgeOutcome, DashboardSources, DeadLetterDesk, FeedDesk, PatientIdentity, PipelineStatus } from '../../dashboards/server/index.ts'
import type { OfflineStore } from '../../features/offline/index.ts'
import type { OnlineStore } from '../../features/online/index.ts'
import type { CatalogueView } from '../../features/catalogue/index.ts'
import type { FeatureView } from '../../features/define/index.ts'
import type { DriftResult } from '../../inference/alerts/index.ts'
import { ONLINE_TABLES } from '../../inference/processors.ts'
import type { IdentityVault } from '../security/index.ts'
import type { Metrics } from '../telemetry/index.ts'
import type { Board } from './board/index.ts'

export interface DashboardParts {
  readonly clock: Clock
  readonly version: string
  readonly log: Log
  readonly codecs: EventCodecs
  readonly online: OnlineStore
  readonly board: Board
  /** Of patients, as they are served now. */
  readonly views: () => readonly FeatureView[]
  readonly catalogue: () => readonly CatalogueView[]
  readonly search: DashboardSources['search']
  readonly vault: IdentityVault
  readonly metrics: Metrics
  readonly offline: OfflineStore | undefined
  readonly changes: Changes
  readonly pipeline: () => Promise<PipelineStatus>
  readonly ready: () => boolean
  readonly connectors: () => readonly Connector[]
  readonly feeds: FeedDesk | undefined
  readonly deadLetters: DeadLetterDesk
}

const NOTICE_MS = 250

/** Something that the board shows has changed: said at most each 250 ms. */
export class Changes {
  readonly #listeners = new Set<() => void>()
  #pending = false
  constructor (clock: Clock) {
    clock.every(NOTICE_MS, () => {
      if (!this.#pending) return
      this.#pending = false
      for (const listener of this.#listeners) listener()
    })
  }

  mark (): void { this.#pending = true }
  listen (listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }
}

/** What the pages and the API read, over the stores. */
export function dashboardSources (parts: DashboardParts): DashboardSources {
  const { clock, version, online, board, vault, offline, changes } = parts
  return {
    clock,
    version,
    offline,
    ready: parts.ready,
    keyOf: sourceId => vault.keyOf(sourceId),
    identityOf: patient => identityOf(vault, patient),
    patients: () => board.patients(),
    search: parts.search,
    patient: patient => board.patient(patient),
    features: patient => board.features(patient),
    catalogue: parts.catalogue,
    views: () => parts.views().map(({ name, version: v, ttlMs, names, units }) => ({ name, version: v, ttlMs, features: names.map((feature, i) => ({ name: feature, unit: units[i]! })) })),
    activeAlerts: () => board.activeAlerts(),
    acknowledge: (alertId, by) => acknowledge(parts, board, alertId, by),
    drift: async () => (await online.scan(ONLINE_TABLES.drift)).map(({ value }) => JSON.parse(value.toString()) as DriftResult),
    pipeline: parts.pipeline,
    feeds: parts.feeds,
    deadLetters: parts.deadLetters,
    metrics: () => metricsText(parts),
    onChange: changed => changes.listen(changed),
  }
}

function metricsText ({ metrics, connectors }: DashboardParts): Promise<string> {
  measureFeeds(metrics, connectors())
  return metrics.registry.metrics()
}

/** What is asked of feeds when somebody reads the metrics. No series a device: they would have no bound. */
export function measureFeeds (metrics: Pick<Metrics, 'connectorUp' | 'deviceClocks' | 'deviceClockWorst'>, connectors: readonly Connector[]): void {
  metrics.connectorUp.reset() // a feed that has ended is no feed that is up
  for (const connector of connectors) {
    metrics.connectorUp.set({ feed: connector.name }, connector.health().state === 'up' ? 1 : 0)
    const clocks = connector.clocks?.()
    if (clocks === undefined) continue
    for (const [off, devices] of Object.entries(clocks.byDistance)) metrics.deviceClocks.set({ feed: connector.name, off }, devices)
    metrics.deviceClockWorst.set({ feed: connector.name }, Math.abs(clocks.worst[0]?.offsetMs ?? 0) / 1_000)
  }
}

function identityOf (vault: IdentityVault, patient: PatientKey): PatientIdentity | undefined {
  const identity = vault.identityOf(patient)
  return identity === undefined ? undefined : { id: identity.id, familyName: identity.familyName ?? '', givenName: identity.givenName ?? '', birthDate: identity.birthDate ?? '' }
}

/** An acknowledgement is a record of the patient's partition: it takes effect in order, and a replay repeats it. */
export async function acknowledge ({ log, codecs }: Pick<DashboardParts, 'log' | 'codecs'>, board: Board, alertId: string, by: string): Promise<AcknowledgeOutcome> {
  const alert = (await board.activeAlerts()).find(a => a.alertId === alertId)
  if (alert === undefined) return { kind: 'unknown-alert' }
  if (alert.state === 'acknowledged') return { kind: 'already', state: alert.state }
  const key = Buffer.from(alert.patient)
  await log.producer().append({ topic: TOPICS.events, partition: partitionFor(key, log.partitionsOf(TOPICS.events)) }, [{ key, value: codecs.encode({ type: 'acknowledgement', alertId, by }) }])
  return { kind: 'accepted' }
}
