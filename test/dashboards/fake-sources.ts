import { catalogueOf, type CatalogueView } from '../../features/catalogue/index.ts'
import { STANDARD_GROUP_VIEWS, STANDARD_VIEWS } from '../../features/views/index.ts'
import type { OfflineStore, ScorePoint, TrendPoint } from '../../features/offline/port.ts'
import type { AlertRule, DriftResult, Priority } from '../../inference/alerts/index.ts'
import { OwnBoardIndex, type BoardQuery } from '../../features/board/index.ts'
import { entityOf } from '../../ops/run/board/board-entity.ts'
import type { AcknowledgeOutcome, DashboardSources, PatientAlert, PatientIdentity, PatientSearch, PatientSummary, PipelineStatus, ViewInfo, ViewValues } from '../../dashboards/server/index.ts'
import type { ConceptId, PatientKey } from '../../streams/events/index.ts'
import { LatidoError } from '../../streams/errors/index.ts'
import type { Clock } from '../../streams/time/index.ts'
import { FakeFeeds, FakeLetters } from './fake-desks.ts'
import { FAKE_BEDS, READING_AGE_MS, UNITS, missingParts, news2Features, news2Reasons, summaryOf, valueAt, type FakeBed } from './fake-ward.ts'

/** What tests turn: the rest of the ward is a function of the clock. */
export interface FakeOptions { readonly clock: Clock, readonly offline?: 'on' | 'off' | 'away', readonly beds?: readonly FakeBed[], readonly searchWhy?: string }

/** An invented ward behind the dashboards' contract. Acknowledgements take effect when the test says so, or at once. */
export class FakeSources implements DashboardSources {
  readonly clock: Clock
  readonly version = '0.0.0-test'
  readonly beds: readonly FakeBed[]
  readonly offline: OfflineStore | undefined
  readonly feeds: FakeFeeds
  readonly deadLetters: FakeLetters
  readonly acknowledged: { readonly alertId: string, readonly by: string }[] = []
  isReady = true
  failing = false
  reads = 0
  #alerts = new Map<string, PatientAlert>()
  #listeners = new Set<() => void>()

  readonly #searchWhy: string | undefined

  constructor ({ clock, offline = 'on', beds = FAKE_BEDS, searchWhy }: FakeOptions) {
    this.clock = clock
    this.#searchWhy = searchWhy
    this.beds = beds
    this.offline = offline === 'off' ? undefined : new FakeOffline(this, offline === 'away')
    const now = clock.now()
    this.feeds = new FakeFeeds(now)
    this.deadLetters = new FakeLetters(now)
    this.raise('alert-1', 0, 'news2-emergency', 'high', now - 95_000, 13, 7)
    this.raise('alert-2', 2, 'news2-urgent', 'medium', now - 640_000, 6, 5)
    this.raise('alert-3', 6, 'sepsis-risk', 'medium', now - 1_200_000, 0.42, 0.3)
    this.raise('alert-4', 4, 'no-data', 'low', now - 130_000, NaN, 60_000)
    this.change('alert-3', 'acknowledged', 'nurse')
  }

  get listeners (): number { return this.#listeners.size }

  raise (alertId: string, bedIndex: number, rule: AlertRule, priority: Priority, raisedAt: number, value: number, threshold: number): void {
    const b = this.beds[bedIndex]
    if (b === undefined) return
    const reasons = rule === 'no-data' ? [] : rule === 'sepsis-risk'
      ? [{ feature: 'lactateLast', value: b.base.lactate ?? null, contribution: 0.84, eventTime: raisedAt - 5_400_000 }, { feature: 'heartRateMean5m', value: b.base.heartRate ?? null, contribution: 0.51, eventTime: raisedAt }]
      : news2Reasons(b, raisedAt)
    const missing = rule.startsWith('news2') ? missingParts(b) : []
    this.#alerts.set(alertId, { patient: b.key, alertId, rule, priority, state: 'active', raisedAt, changedAt: raisedAt, onsetEventTime: raisedAt - 10_000, value, threshold, missing, reasons, acknowledgedBy: '', basis: rule === 'sepsis-risk' ? 'sepsis 1' : 'news2@1' })
  }

  change (alertId: string, state: PatientAlert['state'], by = ''): void {
    const alert = this.#alerts.get(alertId)
    if (alert !== undefined) this.#alerts.set(alertId, { ...alert, state, changedAt: this.clock.now(), acknowledgedBy: by })
  }

  /** Tells whoever listens that the board has changed. */
  announce (): void { for (const listener of this.#listeners) listener() }

  ready (): boolean { return this.isReady }
  keyOf (id: string): PatientKey | undefined { return this.beds.find(b => b.identity.id === id)?.key }
  identityOf (key: PatientKey): PatientIdentity | undefined { return this.beds.find(b => b.key === key)?.identity }
  async patients (): Promise<readonly PatientSummary[]> {
    this.reads++
    if (this.failing) throw new Error('Testova could not be read')
    return this.beds.map(b => this.#summary(b))
  }
  async search (query: BoardQuery): Promise<PatientSearch> {
    const summaries = await this.patients()
    const index = new OwnBoardIndex(this.#searchWhy)
    await index.put(summaries.map(summary => entityOf(summary, this.clock.now())), 1)
    const { entities, ...answer } = await index.search(query)
    return { ...answer, patients: entities.map(({ patient }) => summaries.find(one => one.patient === patient)!) }
  }
  async patient (key: PatientKey): Promise<PatientSummary | undefined> {
    const b = this.beds.find(one => one.key === key)
    return b === undefined ? undefined : this.#summary(b)
  }

  #summary (b: FakeBed): PatientSummary {
    const alerts = [...this.#alerts.values()].filter(alert => alert.patient === b.key && alert.state !== 'cleared')
    return summaryOf(b, this.clock.now(), alerts, alerts.some(alert => alert.rule === 'no-data') ? 130_000 : 0)
  }

  async features (key: PatientKey): Promise<readonly ViewValues[]> {
    const b = this.beds.find(one => one.key === key)
    if (b === undefined) return []
    const now = this.clock.now()
    return [
      { view: 'news2', version: 1, asOf: now, features: news2Features(b, now) },
      { view: 'vitals', version: 1, asOf: now, features: [{ name: 'heartRateMean5m', unit: '/min', present: true, value: b.base.heartRate ?? null, eventTime: now - 1_000, ageMs: 1_000 }, { name: 'heartRateSlope1h', unit: '/min/h', present: false, value: NaN, eventTime: null, ageMs: null }, { name: 'shockIndex', unit: '1', present: true, value: Infinity, eventTime: now, ageMs: 0 }] },
    ]
  }

  views (): readonly ViewInfo[] {
    return [{ name: 'news2', version: 1, ttlMs: 43_200_000, features: [{ name: 'news2Respiration', unit: '1' }] }, { name: 'vitals', version: 1, ttlMs: 900_000, features: [{ name: 'heartRateMean5m', unit: '/min' }] }]
  }

  catalogue (): readonly CatalogueView[] { return catalogueOf([...STANDARD_VIEWS, ...STANDARD_GROUP_VIEWS].map(view => ({ view, origin: 'standard', state: view.name === 'labs' ? 'building' : 'live', served: true })), [{ view: 'sepsis', version: 1, by: 'model sepsis 1.0.0' }]) }

  async activeAlerts (): Promise<readonly PatientAlert[]> { return [...this.#alerts.values()].filter(alert => alert.state !== 'cleared') }

  async acknowledge (alertId: string, by: string): Promise<AcknowledgeOutcome> {
    const alert = this.#alerts.get(alertId)
    if (alert === undefined) return { kind: 'unknown-alert' }
    if (alert.state === 'acknowledged' || alert.state === 'cleared') return { kind: 'already', state: alert.state }
    this.acknowledged.push({ alertId, by })
    this.change(alertId, 'acknowledged', by)
    this.announce()
    return { kind: 'accepted' }
  }

  async drift (): Promise<readonly DriftResult[]> {
    const windowEnd = this.clock.now()
    const row = (view: string, feature: string, psi: number, missingShare: number, referenceMissingShare: number): DriftResult =>
      ({ view, viewVersion: 1, feature, windowStart: windowEnd - 3_600_000, windowEnd, count: 4_820, psi, threshold: 0.1, alarm: psi > 0.1, missingShare, referenceMissingShare })
    return [row('vitals', 'heartRateMean5m', 0.031, 0.02, 0.03), row('vitals', 'spo2Min15m', 0.34, 0.22, 0.04), row('vitals', 'shockIndex', NaN, 1, 0.12), row('vitals', 'respiratoryRateMean5m', 0.062, 0.05, 0.05), row('labs', 'lactateLast', 0.127, 0.61, 0.55), row('labs', 'creatinineLast', 0.044, 0.34, 0.31), row('labs', 'plateletsLast', 0.012, 0.42, 0.4)]
  }

  async pipeline (): Promise<PipelineStatus> {
    const now = this.clock.now()
    return {
      log: { driver: 'embedded', state: 'on', why: '' },
      topics: [{ topic: 'latido.events', partitions: 4, records: 1_284_552, perSecond: 56.4 }, { topic: 'latido.features', partitions: 4, records: 220_481, perSecond: 9.6 }, { topic: 'latido.scores', partitions: 4, records: 219_994, perSecond: 9.6 }, { topic: 'latido.alerts', partitions: 4, records: 214, perSecond: 0.01 }, { topic: 'latido.deadletter', partitions: 1, records: 17, perSecond: NaN }],
      processors: [{ name: 'features', lag: 3, perSecond: 56.1, state: 'running' }, { name: 'inference', lag: 0, perSecond: 9.6, state: 'running' }, { name: 'offline', lag: 1_420, perSecond: 48, state: 'running' }],
      connectors: [{ name: 'hl7', endpoint: 'mllp://127.0.0.1:2575', health: { state: 'up', since: now - 8_000_000, why: '' }, counters: [{ what: 'accepted', count: 4_211 }, { what: 'refused', count: 11 }, { what: 'duplicate', count: 3 }] }, { name: 'mqtt', endpoint: 'mqtt://127.0.0.1:1883', health: { state: 'waiting', since: now - 30_000, why: 'the log is away' }, counters: [{ what: 'accepted', count: 1_280_310 }, { what: 'refused', count: 6 }] }],
      deadLetters: { total: 17, open: 15, byCause: { 'unit-unknown': 9, 'value-impossible': 5, 'not-hl7': 3 }, newest: [{ offset: 16, cause: 'unit-unknown', detail: 'OBX-6 of segment 4', source: 'hl7:lab', refusedAt: now - 42_000, bytes: 612 }, { offset: 15, cause: 'value-impossible', detail: 'OBX-5 of segment 7', source: 'hl7:lab', refusedAt: now - 310_000, bytes: 655 }, { offset: 14, cause: 'not-hl7', detail: 'frame does not begin with MSH', source: 'hl7', refusedAt: now - 900_000, bytes: 38 }] },
      late: 231, leftBehind: 0, offline: this.offline === undefined ? { state: 'off', why: 'chdb has no build for this platform' } : { state: 'on', why: '' }, uptimeMs: 8_040_000,
    }
  }

  async metrics (): Promise<string> { return '# HELP latido_records_total Records.\n# TYPE latido_records_total counter\nlatido_records_total 42\n' }
  onChange (changed: () => void): () => void {
    this.#listeners.add(changed)
    return () => { this.#listeners.delete(changed) }
  }
}

/** Trends with the sensors off for half an hour, and one past alert as the offline table names its columns. */
class FakeOffline implements OfflineStore {
  readonly #sources: FakeSources
  readonly #away: boolean
  constructor (sources: FakeSources, away: boolean) { this.#sources = sources; this.#away = away }
  #check (): void { if (this.#away) throw new LatidoError('OFFLINE_UNAVAILABLE', 'the offline store does not answer', 'wait; it starts again by itself') }

  async write (): Promise<void> {}
  async trends (patient: PatientKey, concepts: readonly ConceptId[], from: number, to: number, pointsMax: number): Promise<readonly TrendPoint[]> {
    this.#check()
    const b = this.#sources.beds.find(one => one.key === patient)
    if (b === undefined) return []
    const gapEnd = to - 3_600_000
    return concepts.filter(concept => UNITS[concept] !== undefined).flatMap(concept => {
      const sparse = (READING_AGE_MS[concept] ?? 0) > 10_000
      const step = Math.max(sparse ? READING_AGE_MS[concept]! : 30_000, (to - from) / pointsMax)
      const points: TrendPoint[] = []
      for (let time = to - (READING_AGE_MS[concept] ?? 0); time >= from; time -= step) {
        const value = valueAt(b, concept, time)
        const off = !sparse && time > gapEnd - 1_800_000 && time < gapEnd
        if (value !== undefined && !off) points.push({ concept, eventTime: Math.round(time), arrival: Math.round(time), value, kind: sparse ? 'charted' : 'device' })
      }
      return points
    })
  }

  async scores (patient: PatientKey, from: number, to: number): Promise<readonly ScorePoint[]> {
    this.#check()
    const b = this.#sources.beds.find(one => one.key === patient)
    return b === undefined ? [] : Array.from({ length: 60 }, (_, i) => ({ model: 'sepsis', asOf: Math.round(from + (to - from) * (i + 1) / 60), probability: Math.max(0.01, b.risk * (0.35 + 0.65 * i / 59)) }))
  }

  async alertHistory (patient: PatientKey | undefined): Promise<readonly Readonly<Record<string, unknown>>[]> {
    this.#check()
    const first = this.#sources.beds[0]!
    if (patient !== undefined && patient !== first.key) return []
    return [{ patient: first.key, alert_id: 'alert-0', rule: 'news2-urgent', priority: 'medium', state: 'cleared', raised_at: this.#sources.clock.now() - 14_400_000, changed_at: '2026-01-31 08:00:00.000', onset_event_time: '2026-01-31 07:40:00.000', value: 5, threshold: 5, missing: '[]', reasons: '[]', acknowledged_by: 'nurse', basis: 'news2@1' }]
  }
  async driftHistory (): Promise<readonly Readonly<Record<string, unknown>>[]> { return [] }
  async query (): Promise<readonly Readonly<Record<string, unknown>>[]> { return [] }
  async [Symbol.asyncDispose] (): Promise<void> {}
}
