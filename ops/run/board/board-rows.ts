import type { LatestReading, PatientAlert, PatientSummary } from '../../../dashboards/server/index.ts'
import type { FeatureView } from '../../../features/define/index.ts'
import type { OnlineStore, StoredRow } from '../../../features/online/index.ts'
import { tableOf } from '../../../features/serving/index.ts'
import { unpackVector } from '../../../features/vector-codec.ts'
import { labsView, NEWS2_PARTS, news2View, VITALS, vitalsView } from '../../../features/views/index.ts'
import type { AlertChange, Score } from '../../../inference/alerts/index.ts'
import { ONLINE_TABLES } from '../../../inference/processors.ts'
import { type ConceptId, CONCEPTS, type EncounterEvent, type PatientKey } from '../../../streams/events/index.ts'
import type { ArrivalTimeMs, DurationMs } from '../../../streams/time/index.ts'

/** Where the board finds the last reading of each concept: the view's feature, and when a reading counts as old. */
const READINGS: readonly { readonly concept: ConceptId, readonly view: FeatureView, readonly feature: string, readonly staleMs: DurationMs }[] = [
  ...VITALS.map(concept => ({ concept, view: vitalsView, feature: `${concept}Last`, staleMs: vitalsView.ttlMs })),
  ...(['lactate', 'creatinine'] as const).map(concept => ({ concept, view: labsView, feature: `${concept}Last`, staleMs: 24 * 3_600_000 })),
]

const BOARD_VIEWS = [vitalsView, labsView, news2View] as const
/** The tables of the online store that a card is made of. */
export const BOARD_TABLES: readonly string[] = ['encounters', ...BOARD_VIEWS.map(tableOf), ONLINE_TABLES.scores, ONLINE_TABLES.alerts]

/** Patients that one read asks for. */
const READ_AT_ONCE = 1_000

/** A patient as the online store had one when it was read. What depends on the time of day is found when it is shown. */
export interface BoardRow {
  readonly patient: PatientKey
  readonly encounter: EncounterEvent | undefined
  readonly readings: readonly (Omit<LatestReading, 'stale'> & { readonly staleMs: DurationMs })[]
  readonly news2: PatientSummary['news2']
  readonly score: Score | null
  readonly alerts: readonly PatientAlert[]
  /** The newest time of it, in the log's time. */
  readonly updatedAt: ArrivalTimeMs
}

/** Each read is one of all its patients' tables; a patient's rows are of one moment. undefined: nothing is stored of that patient. */
export async function readBoardRows (online: Pick<OnlineStore, 'get'>, patients: readonly string[]): Promise<readonly (BoardRow | undefined)[]> {
  const all: (BoardRow | undefined)[] = []
  for (let from = 0; from < patients.length; from += READ_AT_ONCE) {
    const some = patients.slice(from, from + READ_AT_ONCE)
    const rows = await online.get(BOARD_TABLES, some)
    for (const [i, patient] of some.entries()) all.push(boardRow(patient as PatientKey, rows[i]!))
  }
  return all
}

/** Whoever has a row in one of the tables: admitted, or only heard of through a device or a laboratory. */
export async function scanPatients (online: Pick<OnlineStore, 'scan'>): Promise<ReadonlySet<string>> {
  const patients = new Set<string>()
  for (const table of BOARD_TABLES) for (const { entity } of await online.scan(table)) patients.add(entity)
  return patients
}

export function summaryOf (row: BoardRow, now: ArrivalTimeMs): PatientSummary {
  const { patient, encounter, news2, score, alerts } = row
  return {
    patient,
    ward: encounter?.ward ?? '',
    bed: encounter?.bed ?? '',
    admitted: encounter?.action !== 'discharge',
    ageYears: encounter === undefined || encounter.ageYears < 0 ? null : encounter.ageYears,
    sex: encounter?.sex ?? 'unknown',
    readings: row.readings.map(({ concept, value, unit, eventTime, staleMs }) => ({ concept, value, unit, eventTime, stale: now - eventTime > staleMs })),
    news2: news2 === null || now - news2.asOf > news2View.ttlMs ? null : news2,
    score,
    alerts,
  }
}

interface RawVector { readonly asOf: ArrivalTimeMs, readonly values: Float64Array, readonly times: Float64Array }

function boardRow (patient: PatientKey, rows: readonly (StoredRow | undefined)[]): BoardRow | undefined {
  if (rows.every(row => row === undefined)) return undefined
  const valueOf = (table: string): Buffer | undefined => rows[BOARD_TABLES.indexOf(table)]?.value
  const encounter = jsonOf(valueOf('encounters')) as EncounterEvent | undefined
  const vectors = new Map<FeatureView, RawVector>()
  for (const view of BOARD_VIEWS) {
    const value = valueOf(tableOf(view))
    if (value !== undefined) vectors.set(view, { asOf: value.readDoubleLE(0), ...unpackVector(value.subarray(8)) })
  }
  const score = jsonOf(valueOf(ONLINE_TABLES.scores)) as Score | undefined
  const alerts = alertsOf(patient, valueOf(ONLINE_TABLES.alerts))
  return {
    patient, encounter, alerts, score: score ?? null,
    readings: READINGS.flatMap(reading => readingOf(reading, vectors.get(reading.view))),
    news2: news2Of(vectors.get(news2View)),
    updatedAt: Math.max(0, encounter?.eventTime ?? 0, score?.asOf ?? 0, ...[...vectors.values()].map(({ asOf }) => asOf), ...alerts.map(({ changedAt }) => changedAt)),
  }
}

function readingOf ({ concept, view, feature, staleMs }: (typeof READINGS)[number], vector: RawVector | undefined): BoardRow['readings'] {
  const place = view.names.indexOf(feature)
  const value = vector?.values[place] ?? NaN
  return vector === undefined || Number.isNaN(value) ? [] : [{ concept, value, unit: CONCEPTS[concept].unit, eventTime: vector.times[place]!, staleMs }]
}

function news2Of (vector: RawVector | undefined): PatientSummary['news2'] {
  if (vector === undefined) return null
  const at = (name: string): number => vector.values[news2View.names.indexOf(name)]!
  const score = at('news2')
  return Number.isNaN(score) ? null : { score, missing: NEWS2_PARTS.filter(part => Number.isNaN(at(part))), asOf: vector.asOf }
}

function alertsOf (patient: PatientKey, value: Buffer | undefined): readonly PatientAlert[] {
  const alerts = (jsonOf(value) ?? []) as (Omit<AlertChange, 'value'> & { readonly value: number | null })[]
  return alerts.map(alert => ({ ...alert, value: alert.value ?? NaN, patient })) // JSON has no NaN: the value of a no-data alert
}

function jsonOf (value: Buffer | undefined): unknown { return value === undefined ? undefined : JSON.parse(value.toString()) }
