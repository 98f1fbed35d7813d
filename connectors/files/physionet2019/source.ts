import type { ConceptId, EncounterAction, Observation, ObservationSet } from '../../../streams/events/index.ts'
import type { ArrivalTimeMs } from '../../../streams/time/index.ts'
import type { HistoricalMessage, HistoricalSource, ReadOptions } from '../port.ts'
import { Refusals } from '../refusals.ts'
import { stayEvent } from '../stay-event.ts'
import { MEASURED_CONCEPTS } from './columns.ts'
import { loadStays } from './load.ts'
import type { FinishedStays, HourIndex, Stay } from './stays.ts'

const SOURCE = 'file:physionet2019'
const HOUR_MS = 3_600_000

export interface Physionet2019Options extends ReadOptions {
  /** When all stays begin: the set has hours since admission only. Default 2019-01-01T00:00Z. */
  readonly startAt?: ArrivalTimeMs
}

/**
 * PhysioNet/CinC Challenge 2019 (Reyna et al. 2019, CC BY 4.0): hourly rows of ICU stays as a stream in order of arrival. `path` is a
 * `.csv`, a `.csv.gz` (with a `pid` column) or a folder of `.psv` files. All stays begin at one synthetic moment; the row with
 * ICULOS = h is true, and arrives, h hours later. A stay is an admission one hour before its first row, one set of observations
 * for each row (empty where the row is), and a discharge one hour after its last. SepsisLabel is not read.
 *
 * Memory: 60 MB for set A. Throws FILE_UNREADABLE or FILE_INVALID.
 */
export async function openPhysionet2019 (path: string, options: Physionet2019Options = {}): Promise<HistoricalSource> {
  const refusals = new Refusals(SOURCE, options.onRefused)
  const { table, totalBytes } = await loadStays(path, refusals, options)
  return new Physionet2019(table, totalBytes, refusals, options.startAt ?? Date.UTC(2019, 0, 1))
}

class Physionet2019 implements HistoricalSource {
  readonly name = SOURCE
  readonly totalBytes: number
  readonly messages: number
  readonly patients: number
  readonly refused: HistoricalSource['refused']
  readonly notes: HistoricalSource['notes']
  readonly #table: FinishedStays
  readonly #startAt: ArrivalTimeMs
  #handedOver = 0

  constructor (table: FinishedStays, totalBytes: number, refusals: Refusals, startAt: ArrivalTimeMs) {
    this.#table = table
    this.#startAt = startAt
    this.totalBytes = totalBytes
    this.messages = table.rows + 2 * table.stays.length
    this.patients = table.stays.length
    this.refused = refusals.refused
    this.notes = refusals.notes
  }

  progress (): number { return this.messages === 0 ? 1 : this.#handedOver / this.messages }

  async * [Symbol.asyncIterator] (): AsyncGenerator<HistoricalMessage> {
    const { stays, stayOfRow, admissionsByHour, dischargesByHour, rowsByHour } = this.#table
    this.#handedOver = 0
    for (let hour = 0; hour < dischargesByHour.starts.length - 1; hour++) {
      const at = this.#startAt + hour * HOUR_MS
      for (const s of itemsOf(dischargesByHour, hour)) yield this.#handOver(encounter('discharge', stays[s] as Stay, at))
      for (const s of itemsOf(admissionsByHour, hour)) yield this.#handOver(encounter('admit', stays[s] as Stay, at))
      const resultId = `h${hour}`
      for (const r of itemsOf(rowsByHour, hour)) {
        const stay = stays[stayOfRow[r] as number] as Stay
        yield this.#handOver({ patientId: stay.patientId, arrival: at, event: this.#observations(r, at, resultId) })
      }
    }
  }

  #handOver (message: HistoricalMessage): HistoricalMessage {
    this.#handedOver++
    return message
  }

  #observations (row: number, eventTime: number, resultId: string): ObservationSet {
    const { firstValueOfRow, columns, values } = this.#table
    const observations: Observation[] = []
    const end = firstValueOfRow[row + 1] as number
    for (let i = firstValueOfRow[row] as number; i < end; i++) {
      const concept = MEASURED_CONCEPTS[columns[i] as number] as ConceptId
      observations.push({ concept, value: values[i] as number, comparator: '=', eventTime, status: 'final', quality: 'valid', resultId })
    }
    return { type: 'observations', kind: 'charted', source: SOURCE, observations }
  }
}

function itemsOf (index: HourIndex, hour: number): Uint32Array {
  return hour + 1 < index.starts.length ? index.items.subarray(index.starts[hour], index.starts[hour + 1]) : new Uint32Array(0)
}

function encounter (action: EncounterAction, stay: Stay, at: ArrivalTimeMs): HistoricalMessage {
  return { patientId: stay.patientId, arrival: at, event: stayEvent(action, stay, at, SOURCE) }
}
