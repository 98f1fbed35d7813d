import type { PatientAlert, PatientSearch, PatientSummary, ViewValues } from '../../../dashboards/server/index.ts'
import type { BoardIndex, BoardQuery } from '../../../features/board/index.ts'
import type { FeatureView } from '../../../features/define/index.ts'
import type { OnlineRow, OnlineStore } from '../../../features/online/index.ts'
import { readView, tableOf } from '../../../features/serving/index.ts'
import { STANDARD_VIEWS } from '../../../features/views/index.ts'
import type { PatientKey } from '../../../streams/events/index.ts'
import type { Clock, DurationMs } from '../../../streams/time/index.ts'
import { BOARD_TABLES, readBoardRows, scanPatients, summaryOf, type BoardRow } from './board-rows.ts'

export interface BoardParts {
  readonly online: OnlineStore
  readonly index: BoardIndex
  readonly clock: Clock
  /** What a patient's page lists; default: the product's. */
  readonly views?: () => readonly FeatureView[]
  /** The store changes without our doing (others write, rows expire): it is scanned anew when the last scan is this old. undefined: it is ours alone. */
  readonly rescanMs?: DurationMs
}

/**
 * The ward as the online store has it. All patients stand in memory; whoever is told to have changed is read again, the others are not.
 * The store's rows are the truth: a start reads them all.
 */
export class Board {
  readonly #parts: BoardParts
  readonly #rows = new Map<string, BoardRow>()
  readonly #changed = new Set<string>()
  #scannedAt = -Infinity
  /** One after another: an older reading never replaces a newer one. */
  #reading: Promise<unknown> = Promise.resolve()

  constructor (parts: BoardParts) { this.#parts = parts }

  /** These were written, and are to be read before anything is shown. */
  changed (patients: Iterable<string>): void { for (const patient of patients) this.#changed.add(patient) }

  /** Everybody of whom anything is stored. */
  async patients (): Promise<readonly PatientSummary[]> {
    await this.#refresh()
    const now = this.#parts.clock.now()
    return [...this.#rows.values()].map(row => summaryOf(row, now))
  }

  async patient (patient: PatientKey): Promise<PatientSummary | undefined> {
    const { online, clock } = this.#parts
    const [row] = await readBoardRows(online, [patient])
    if (row !== undefined) return summaryOf(row, clock.now())
    const [known] = await online.get(STANDARD_VIEWS.map(tableOf), [patient])
    return known!.some(one => one !== undefined) ? summaryOf({ patient, encounter: undefined, readings: [], news2: null, score: null, alerts: [], updatedAt: 0 }, clock.now()) : undefined
  }

  async features (patient: PatientKey): Promise<readonly ViewValues[]> {
    const { online, clock } = this.#parts
    return await Promise.all((this.#parts.views?.() ?? STANDARD_VIEWS).map(async view => (await readView(online, view, [patient], clock.now()))[0]!))
  }

  async activeAlerts (): Promise<readonly PatientAlert[]> {
    await this.#refresh()
    return [...this.#rows.values()].flatMap(({ alerts }) => alerts)
  }

  /** Who is found is as of the index, a second old at most; what is shown of them is read now. */
  async search (query: BoardQuery): Promise<PatientSearch> {
    const { online, index, clock } = this.#parts
    const { total, entities, by, why } = await index.search(query)
    const rows = await readBoardRows(online, entities.map(({ patient }) => patient))
    return { total, patients: rows.flatMap(row => row === undefined ? [] : [summaryOf(row, clock.now())]), by, ...(why === undefined ? {} : { why }) }
  }

  /** Reads everybody. */
  async scan (): Promise<void> {
    this.changed(this.#rows.keys())
    this.changed(await scanPatients(this.#parts.online))
    this.#scannedAt = this.#parts.clock.monotonicMs()
    await this.read([...this.#changed])
  }

  /** Reads these now; in the answer, undefined is whoever is no more. */
  read (patients: readonly string[]): Promise<readonly (BoardRow | undefined)[]> {
    const work = this.#reading.then(() => this.#read(patients))
    this.#reading = work.catch(() => {}) // whoever asked is told
    return work
  }

  /** Whether the store may change without being told of here. */
  get rescans (): boolean { return this.#parts.rescanMs !== undefined }
  /** Everybody as last read. */
  rows (): Iterable<BoardRow> { return this.#rows.values() }
  has (patient: string): boolean { return this.#rows.has(patient) }

  async #read (patients: readonly string[]): Promise<readonly (BoardRow | undefined)[]> {
    for (const patient of patients) this.#changed.delete(patient) // what is written from here on is read once more
    try {
      const rows = await readBoardRows(this.#parts.online, patients)
      for (const [i, patient] of patients.entries()) {
        const row = rows[i]
        if (row === undefined) this.#rows.delete(patient); else this.#rows.set(patient, row)
      }
      return rows
    } catch (error) {
      this.changed(patients)
      throw error
    }
  }

  async #refresh (): Promise<void> {
    const { rescanMs, clock } = this.#parts
    if (clock.monotonicMs() - this.#scannedAt >= (rescanMs ?? Infinity)) await this.scan() // a first time in any case: never is infinitely long ago
    else if (this.#changed.size > 0) await this.read([...this.#changed])
    else await this.#reading
  }
}

/** The store as it was, and `told` of the patients whose card a write changes. */
export function watchedStore (online: OnlineStore, told: (patients: ReadonlySet<string>) => void): OnlineStore {
  return {
    get: (tables, entities) => online.get(tables, entities),
    scan: table => online.scan(table),
    put: async (rows: readonly OnlineRow[]) => {
      await online.put(rows)
      told(new Set(rows.flatMap(({ table, entity }) => BOARD_TABLES.includes(table) ? [entity] : [])))
    },
    erase: async entity => {
      await online.erase(entity)
      told(new Set([entity]))
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

