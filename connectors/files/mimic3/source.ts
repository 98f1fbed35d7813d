import type { ArrivalTimeMs, DurationMs } from '../../../streams/time/index.ts'
import type { HistoricalMessage, HistoricalSource, ReadOptions } from '../port.ts'
import { Refusals } from '../refusals.ts'
import { findTables, type TableFile } from './directory.ts'
import { encountersOf, type Encounter } from './encounters.ts'
import { readEvents, type EventRules } from './events.ts'
import type { ItemTable } from './items.ts'
import { momentOf, momentsOf, SOURCE, type Moments } from './moments.ts'
import { Patients } from './patients.ts'
import { Readings } from './readings.ts'
import { readStays, type IcuStay } from './stays.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

export interface Mimic3Options extends ReadOptions {
  /** From drawing to result: labevents tells only when the sample was drawn. Default 0: the result is known at once, which flatters. */
  readonly labDelayMs?: DurationMs
  /** A storetime may be before its charttime by this much (12.6 % are, by minutes); the event time becomes the arrival. Default 60 minutes. */
  readonly futureToleranceMs?: DurationMs
  /** Laboratory results count from this long before a stay in intensive care until its end; default 7 days. */
  readonly labsBeforeStayMs?: DurationMs
  /** `dated`: as the set has them, each patient in another century. `aligned`: each patient's first stay begins on the day of `startAt`. Default dated. */
  readonly timeline?: 'dated' | 'aligned'
  /** For `aligned`; default 2150-01-01T00:00Z. */
  readonly startAt?: ArrivalTimeMs
  /** Readings held in memory at most, 32 bytes each while read and as much again while sorted. Default 20 million. */
  readonly readingsMax?: number
}

const DEFAULTS = { labDelayMs: 0, futureToleranceMs: 60 * MINUTE_MS, labsBeforeStayMs: 7 * DAY_MS, timeline: 'dated', startAt: Date.UTC(2150, 0, 1), readingsMax: 20_000_000 } as const

/**
 * MIMIC-III or its demo (Johnson et al. 2016; demo v1.4 under ODbL 1.0) as a stream in order of arrival: charted values and outputs
 * arrive at storetime, laboratory results at charttime plus `labDelayMs`, admissions and discharges at the unit's intime and outtime.
 * Readings of a patient with the same kind, charttime and arrival are one set. `directory` holds the tables as .csv or .csv.gz.
 *
 * Notes: `event-time-clamped`, `storetime-missing`, `value-missing`, `outside-stay` (laboratory results far from any stay),
 * `discharge-not-told`, `specimen-not-arterial`, `gcs-incomplete`, `gcs-part-in-error`, `in-error` (told as withdrawn).
 * Memory: 100 bytes a reading. Throws FILE_UNREADABLE or FILE_INVALID.
 */
export async function openMimic3 (directory: string, options: Mimic3Options = {}): Promise<HistoricalSource> {
  const settings = { ...DEFAULTS, ...options }
  const refusals = new Refusals(SOURCE, options.onRefused)
  const tables = await findTables(directory)
  const patients = new Patients(options.accept)
  const readings = new Readings(settings.readingsMax)
  const totalBytes = [...tables.values()].reduce((sum, file) => sum + file.bytes, 0)
  const read = new Map<TableFile, number>()
  const onRead = (file: TableFile, bytes: number): void => {
    read.set(file, bytes)
    options.onRead?.([...read.values()].reduce((sum, n) => sum + n, 0), totalBytes)
  }
  const stays = await readStays(tables, patients, refusals, onRead)
  const shifts = settings.timeline === 'aligned' ? shiftsTo(settings.startAt, stays) : new Map<number, number>()
  const shiftMs = (patient: number): number => shifts.get(patient) ?? 0
  const common = { futureToleranceMs: settings.futureToleranceMs, shiftMs }
  const rules = {
    chartevents: { ...common, delayMs: 0, keep: () => true },
    outputevents: { ...common, delayMs: 0, keep: () => true },
    labevents: { ...common, delayMs: settings.labDelayMs, keep: nearStay(stays, settings.labsBeforeStayMs) },
  } satisfies Record<ItemTable, EventRules>
  for (const table of ['chartevents', 'outputevents', 'labevents'] as const) {
    const file = tables.get(table)
    if (file !== undefined) await readEvents(table, file, patients, readings, rules[table], refusals, bytes => { onRead(file, bytes) })
  }
  return new Mimic3(patients.ids, encountersOf(stays, shiftMs), momentsOf(readings.finish(), refusals), totalBytes, refusals)
}

class Mimic3 implements HistoricalSource {
  readonly name = SOURCE
  readonly totalBytes: number
  readonly messages: number
  readonly patients: number
  readonly refused: HistoricalSource['refused']
  readonly notes: HistoricalSource['notes']
  readonly #ids: readonly string[]
  readonly #encounters: readonly Encounter[]
  readonly #moments: Moments
  #handedOver = 0

  constructor (ids: readonly string[], encounters: readonly Encounter[], moments: Moments, totalBytes: number, refusals: Refusals) {
    this.#ids = ids
    this.#encounters = encounters
    this.#moments = moments
    this.totalBytes = totalBytes
    this.messages = encounters.length + moments.starts.length
    this.patients = ids.length
    this.refused = refusals.refused
    this.notes = refusals.notes
  }

  progress (): number { return this.messages === 0 ? 1 : this.#handedOver / this.messages }

  async * [Symbol.asyncIterator] (): AsyncGenerator<HistoricalMessage> {
    const { starts, ends, readings } = this.#moments
    this.#handedOver = 0
    let next = 0
    for (const [i, start] of starts.entries()) {
      const first = readings.order[start] as number
      const arrival = readings.arrival[first] as number
      for (; (this.#encounters[next]?.event.eventTime ?? Infinity) <= arrival; next++) yield this.#encounter(this.#encounters[next] as Encounter)
      const event = momentOf(readings, start, ends[i] as number, () => {})
      yield this.#handOver({ patientId: this.#ids[readings.patient[first] as number] as string, arrival, event })
    }
    for (; next < this.#encounters.length; next++) yield this.#encounter(this.#encounters[next] as Encounter)
  }

  #encounter ({ patient, event }: Encounter): HistoricalMessage {
    return this.#handOver({ patientId: this.#ids[patient] as string, arrival: event.eventTime, event })
  }

  #handOver (message: HistoricalMessage): HistoricalMessage {
    this.#handedOver++
    return message
  }
}

/** Whether a moment lies in one of the patient's stays, or up to `beforeMs` before it. */
function nearStay (stays: readonly IcuStay[], beforeMs: DurationMs): EventRules['keep'] {
  const byPatient = new Map<number, IcuStay[]>()
  for (const stay of stays) byPatient.set(stay.patient, [...byPatient.get(stay.patient) ?? [], stay])
  return (patient, time) => byPatient.get(patient)?.some(stay => time >= stay.admittedAt - beforeMs && time <= (stay.dischargedAt ?? Infinity)) ?? false
}

/** Whole days by which each patient is moved, so that the times of day stay. */
function shiftsTo (startAt: ArrivalTimeMs, stays: readonly IcuStay[]): Map<number, number> {
  const first = new Map<number, number>()
  for (const { patient, admittedAt } of stays) first.set(patient, Math.min(first.get(patient) ?? Infinity, admittedAt))
  return new Map([...first].map(([patient, time]) => [patient, (Math.floor(startAt / DAY_MS) - Math.floor(time / DAY_MS)) * DAY_MS]))
}
