import { COMPARATORS, isPossible, toCanonical } from '../../../streams/events/index.ts'
import { isMissing, numberOf, timeOf } from '../fields.ts'
import { percentOfInspiredOxygen } from '../oxygen.ts'
import type { Refusals } from '../refusals.ts'
import type { Row } from '../row-scanner.ts'
import { readTable, where, type ColumnIndex, type TableSpec } from '../table.ts'
import { ComaScores, GCS_PARTS, isGcsPart, type GcsPart } from './coma-score.ts'
import type { TableFile } from './directory.ts'
import { itemsOf, ITEMS, type Item, type ItemTable } from './items.ts'
import type { Patients } from './patients.ts'
import { COMPARATOR_SHIFT, INTUBATED, NOT_ARTERIAL, WITHDRAWN, type Readings } from './readings.ts'

const REQUIRED = ['subject_id', 'itemid', 'charttime', 'value', 'valueuom'] as const
type Column = (typeof REQUIRED)[number] | 'valuenum' | 'storetime' | 'error' | 'iserror'

export interface EventRules {
  /** Added to charttime where the table has no storetime, or the row none. */
  readonly delayMs: number
  /** An event time may be later than its arrival by this much. */
  readonly futureToleranceMs: number
  /** Which moments of a patient count; the rest is noted as `outside-stay`. */
  readonly keep: (patient: number, time: number) => boolean
  /** By how much a patient's times are moved. */
  readonly shiftMs: (patient: number) => number
}

/** Reads one table of events into `readings`; what cannot be used is refused or noted. */
export async function readEvents (table: ItemTable, file: TableFile, patients: Patients, readings: Readings, rules: EventRules, refusals: Refusals, onRead: (bytes: number) => void): Promise<void> {
  const spec: TableSpec<Column> = {
    delimiter: ',',
    required: table === 'outputevents' ? REQUIRED : [...REQUIRED, 'valuenum'],
    optional: ['storetime', 'error', 'iserror'],
    ignoreCase: true,
    what: `MIMIC-III's ${table}`,
  }
  const reader = new EventReader(table, file, patients, readings, rules, refusals)
  await readTable(file, spec, refusals, (row, columns) => { reader.row(row, columns) }, onRead)
  reader.finish()
}

class EventReader {
  readonly #items: ReadonlyMap<number, number>
  readonly #numberColumn: 'value' | 'valuenum'
  readonly #comaScores = new ComaScores()
  readonly #file: TableFile
  readonly #patients: Patients
  readonly #readings: Readings
  readonly #rules: EventRules
  readonly #refusals: Refusals

  constructor (table: ItemTable, file: TableFile, patients: Patients, readings: Readings, rules: EventRules, refusals: Refusals) {
    this.#items = itemsOf(table)
    this.#numberColumn = table === 'outputevents' ? 'value' : 'valuenum'
    this.#file = file
    this.#patients = patients
    this.#readings = readings
    this.#rules = rules
    this.#refusals = refusals
  }

  row (row: Row, columns: ColumnIndex<Column>): void {
    const index = this.#items.get(numberOf(row, columns.itemid))
    if (index === undefined) { this.#refusals.count('code-unknown'); return }
    const subject = numberOf(row, columns.subject_id)
    if (Number.isNaN(subject)) { this.#refuse('patient-missing', row, 'subject_id'); return }
    const patient = this.#patients.numberOf(subject)
    if (patient === undefined) return
    const times = this.#times(row, columns)
    if (times === undefined) return
    if (!this.#rules.keep(patient, times.charted)) { this.#refusals.note('outside-stay'); return }
    const shiftMs = this.#rules.shiftMs(patient)
    this.#add(row, columns, patient, index, { charted: times.charted + shiftMs, arrival: times.arrival + shiftMs })
  }

  #add (row: Row, columns: ColumnIndex<Column>, patient: number, index: number, times: Times): void {
    const item = ITEMS[index] as Item
    const add = (value: number, flags: number): void => { this.#readings.add(patient, index, times.charted, times.arrival, value, flags | (isWithdrawn(row, columns) ? WITHDRAWN : 0)) }
    if (item.role === 'specimen') {
      add(0, isMissing(row, columns.value) || row.text(columns.value) === 'ART' ? 0 : NOT_ARTERIAL)
      return
    }
    if (item.role === 'gcs-tube') { add(0, tubeFlag(row, columns)); return }
    const said = this.#said(row, columns)
    if (said === undefined) return
    if (!this.#unitAgrees(row, columns, item)) { this.#refuse('unit-unknown', row, 'valueuom'); return }
    const value = valueOf(item, said.value)
    if (value === undefined || !isPlausible(item, value)) { this.#refuse('value-impossible', row, this.#numberColumn); return }
    if (isGcsPart(item.role)) this.#addPart(row, columns, patient, index, times, item.role, value)
    else add(value, said.comparator << COMPARATOR_SHIFT)
  }

  #addPart (row: Row, columns: ColumnIndex<Column>, patient: number, index: number, times: Times, part: GcsPart, points: number): void {
    if (isWithdrawn(row, columns)) { this.#refusals.note('gcs-part-in-error'); return }
    const score = this.#comaScores.add(part, patient, times.charted, times.arrival, points, part === 'gcs-verbal' ? tubeFlag(row, columns) : 0)
    if (score !== undefined) this.#readings.add(patient, index, times.charted, score.arrival, score.total, score.flags)
  }

  finish (): void { if (this.#comaScores.incomplete > 0) this.#refusals.note('gcs-incomplete', this.#comaScores.incomplete) }

  #times (row: Row, columns: ColumnIndex<Column>): Times | undefined {
    const charted = timeOf(row, columns.charttime)
    if (Number.isNaN(charted)) { this.#refuse('time-unparsable', row, 'charttime'); return undefined }
    if (columns.storetime === -1) return { charted, arrival: charted + this.#rules.delayMs }
    if (isMissing(row, columns.storetime)) {
      this.#refusals.note('storetime-missing')
      return { charted, arrival: charted + this.#rules.delayMs }
    }
    const arrival = timeOf(row, columns.storetime)
    if (Number.isNaN(arrival)) { this.#refuse('time-unparsable', row, 'storetime'); return undefined }
    if (charted > arrival + this.#rules.futureToleranceMs) { this.#refuse('time-in-future', row, 'charttime'); return undefined }
    if (charted > arrival) this.#refusals.note('event-time-clamped')
    return { charted, arrival }
  }

  /** The number, or where there is none the text: `<5`, `GREATER THAN 500`, `40%`. */
  #said (row: Row, columns: ColumnIndex<Column>): Said | undefined {
    const field = columns[this.#numberColumn]
    if (!isMissing(row, field)) {
      const value = numberOf(row, field)
      if (!Number.isNaN(value)) return { value, comparator: 0 }
    } else if (isMissing(row, columns.value)) {
      this.#refusals.note('value-missing')
      return undefined
    }
    const said = parseText(row.text(columns.value))
    if (said === undefined) this.#refuse('value-unparsable', row, 'value')
    return said
  }

  #unitAgrees (row: Row, columns: ColumnIndex<Column>, item: Item): boolean {
    return isMissing(row, columns.valueuom) || item.written.length === 0 || item.written.includes(row.text(columns.valueuom).toLowerCase())
  }

  #refuse (cause: Parameters<Refusals['refuse']>[0], row: Row, column: Column): void {
    this.#refusals.refuse(cause, where(this.#file, row.line, column), row.raw())
  }
}

interface Times { readonly charted: number, readonly arrival: number }
interface Said { readonly value: number, readonly comparator: number }

const TEXT = /^(<=|>=|<|>|LESS THAN|GREATER THAN)? ?(\d+(?:\.\d+)?) ?%?$/
const COMPARATOR_WORDS: Readonly<Record<string, (typeof COMPARATORS)[number]>> = { 'LESS THAN': '<', 'GREATER THAN': '>' }

function parseText (text: string): Said | undefined {
  const match = TEXT.exec(text.trim().toUpperCase())
  if (match === null) return undefined
  const [, words = '=', digits] = match
  const comparator = COMPARATORS.findIndex(known => known === (COMPARATOR_WORDS[words] ?? words))
  return { value: Number(digits), comparator }
}

function valueOf (item: Item, value: number): number | undefined {
  return item.role === 'inspired-oxygen' ? percentOfInspiredOxygen(value) : toCanonical(item.concept, value, item.unit)
}

function isPlausible (item: Item, value: number): boolean {
  return isGcsPart(item.role) ? value >= 1 && value <= GCS_PARTS[item.role] : isPossible(item.concept, value)
}

function tubeFlag (row: Row, columns: ColumnIndex<Column>): number { return /ETT|ET\/TRACH/i.test(row.text(columns.value)) ? INTUBATED : 0 }

function isWithdrawn (row: Row, columns: ColumnIndex<Column>): boolean {
  const field = columns.error === -1 ? columns.iserror : columns.error
  return field !== -1 && row.text(field) === '1'
}
