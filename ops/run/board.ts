import type { LatestReading, PatientAlert, PatientSummary, ViewValues } from '../../dashboards/server/index.ts'
import type { FeatureView } from '../../features/define/index.ts'
import type { OnlineStore } from '../../features/online/index.ts'
import { readView, tableOf } from '../../features/serving/index.ts'
import { unpackVector } from '../../features/vector-codec.ts'
import { labsView, NEWS2_PARTS, news2View, STANDARD_VIEWS, VITALS, vitalsView } from '../../features/views/index.ts'
import type { AlertChange, Score } from '../../inference/alerts/index.ts'
import { ONLINE_TABLES } from '../../inference/processors.ts'
import { CONCEPTS, type ConceptId, type EncounterEvent, type PatientKey } from '../../streams/events/index.ts'
import type { ArrivalTimeMs, Clock } from '../../streams/time/index.ts'

/** Where the board finds the last reading of each concept: the view's feature, and when a reading counts as old. */
const READINGS: readonly { readonly concept: ConceptId, readonly view: FeatureView, readonly feature: string, readonly staleMs: number }[] = [
  ...VITALS.map(concept => ({ concept, view: vitalsView, feature: `${concept}Last`, staleMs: vitalsView.ttlMs })),
  ...(['lactate', 'creatinine'] as const).map(concept => ({ concept, view: labsView, feature: `${concept}Last`, staleMs: 24 * 3_600_000 })),
]

const SUMMARY_VIEWS = [vitalsView, labsView, news2View] as const
const SUMMARY_TABLES: readonly string[] = ['encounters', ...SUMMARY_VIEWS.map(tableOf), ONLINE_TABLES.scores, ONLINE_TABLES.alerts]

interface RawVector { readonly asOf: ArrivalTimeMs, readonly values: Float64Array, readonly times: Float64Array }

/** The ward as the online store has it. */
export class Board {
  readonly #online: OnlineStore
  readonly #clock: Clock

  constructor (online: OnlineStore, clock: Clock) {
    this.#online = online
    this.#clock = clock
  }

  /** Everybody of whom anything is stored: admitted, or only heard of through a device or a laboratory. */
  async patients (): Promise<readonly PatientSummary[]> {
    const keys = new Set<string>()
    for (const table of ['encounters', tableOf(vitalsView), tableOf(news2View), tableOf(labsView)]) for (const { entity } of await this.#online.scan(table)) keys.add(entity)
    return await this.#summaries([...keys] as PatientKey[])
  }

  async patient (patient: PatientKey): Promise<PatientSummary | undefined> {
    const [known] = await this.#online.get(['encounters', ...STANDARD_VIEWS.map(tableOf)], [patient])
    return known!.some(row => row !== undefined) ? (await this.#summaries([patient]))[0] : undefined
  }

  async features (patient: PatientKey): Promise<readonly ViewValues[]> {
    return await Promise.all(STANDARD_VIEWS.map(async view => (await readView(this.#online, view, [patient], this.#clock.now()))[0]!))
  }

  async activeAlerts (): Promise<readonly PatientAlert[]> {
    return (await this.#online.scan(ONLINE_TABLES.alerts)).flatMap(({ entity, value }) => alertsOf(entity as PatientKey, value))
  }

  /** One read for all: what a patient's card shows is of one moment. */
  async #summaries (patients: readonly PatientKey[]): Promise<readonly PatientSummary[]> {
    const rows = await this.#online.get(SUMMARY_TABLES, patients)
    return patients.map((patient, i) => this.#summary(patient, new Map(SUMMARY_TABLES.map((table, t) => [table, rows[i]![t]?.value]))))
  }

  #summary (patient: PatientKey, row: ReadonlyMap<string, Buffer | undefined>): PatientSummary {
    const encounter = row.get('encounters')
    const event = encounter === undefined ? undefined : JSON.parse(encounter.toString()) as EncounterEvent
    const vectors = new Map<FeatureView, RawVector>()
    for (const view of SUMMARY_VIEWS) {
      const value = row.get(tableOf(view))
      if (value !== undefined) vectors.set(view, { asOf: value.readDoubleLE(0), ...unpackVector(value.subarray(8)) })
    }
    const score = row.get(ONLINE_TABLES.scores)
    const alerts = row.get(ONLINE_TABLES.alerts)
    return {
      patient,
      ward: event?.ward ?? '',
      bed: event?.bed ?? '',
      admitted: event?.action !== 'discharge',
      ageYears: event === undefined || event.ageYears < 0 ? null : event.ageYears,
      sex: event?.sex ?? 'unknown',
      readings: READINGS.flatMap(r => this.#reading(r, vectors.get(r.view))),
      news2: news2Of(vectors.get(news2View), this.#clock.now()),
      score: score === undefined ? null : JSON.parse(score.toString()) as Score,
      alerts: alerts === undefined ? [] : alertsOf(patient, alerts),
    }
  }

  #reading ({ concept, view, feature, staleMs }: (typeof READINGS)[number], vector: RawVector | undefined): readonly LatestReading[] {
    const place = view.names.indexOf(feature)
    const value = vector?.values[place] ?? NaN
    if (vector === undefined || Number.isNaN(value)) return []
    const eventTime = vector.times[place]!
    return [{ concept, value, unit: CONCEPTS[concept].unit, eventTime, stale: this.#clock.now() - eventTime > staleMs }]
  }
}

function news2Of (vector: RawVector | undefined, now: ArrivalTimeMs): PatientSummary['news2'] {
  if (vector === undefined || now - vector.asOf > news2View.ttlMs) return null
  const at = (name: string): number => vector.values[news2View.names.indexOf(name)]!
  const score = at('news2')
  return Number.isNaN(score) ? null : { score, missing: NEWS2_PARTS.filter(part => Number.isNaN(at(part))), asOf: vector.asOf }
}

function alertsOf (patient: PatientKey, value: Buffer): readonly PatientAlert[] {
  const alerts = JSON.parse(value.toString()) as (Omit<AlertChange, 'value'> & { readonly value: number | null })[]
  return alerts.map(alert => ({ ...alert, value: alert.value ?? NaN, patient })) // JSON has no NaN: the value of a no-data alert
}
