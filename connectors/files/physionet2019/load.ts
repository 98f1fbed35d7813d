import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { LatidoError } from '../../../streams/errors/index.ts'
import { isPossible, type ConceptId } from '../../../streams/events/index.ts'
import { isMissing, numberOf } from '../fields.ts'
import { percentOfInspiredOxygen } from '../oxygen.ts'
import type { ReadOptions } from '../port.ts'
import { failure, type NamedFile } from '../read-bytes.ts'
import type { Refusals } from '../refusals.ts'
import type { Row } from '../row-scanner.ts'
import { readTable, scanTable, where, type ColumnIndex, type TableSpec } from '../table.ts'
import { MEASURED_COLUMNS, MEASURED_CONCEPTS, OPTIONAL_STAY_COLUMNS, REQUIRED_STAY_COLUMNS, type Column, type MeasuredColumn } from './columns.ts'
import { StayTable, type FinishedStays, type Stay } from './stays.ts'

const WHAT = 'a table of the PhysioNet Challenge 2019'
const CSV: TableSpec<Column> = { delimiter: ',', required: ['pid', ...MEASURED_COLUMNS, ...REQUIRED_STAY_COLUMNS], optional: OPTIONAL_STAY_COLUMNS, what: WHAT }
const PSV: TableSpec<Column> = { delimiter: '|', required: [...MEASURED_COLUMNS, ...REQUIRED_STAY_COLUMNS], optional: OPTIONAL_STAY_COLUMNS, what: WHAT }
/** Hours since admission are kept in 16 bits; seven years. */
const HOUR_MAX = 65_000
const FIO2 = MEASURED_COLUMNS.indexOf('FiO2')

export interface LoadedStays { readonly table: FinishedStays, readonly totalBytes: number }

/** Reads one `.csv` or `.csv.gz` with a `pid` column, or a folder with a `.psv` file for each patient (the challenge's own form). */
export async function loadStays (path: string, refusals: Refusals, options: ReadOptions): Promise<LoadedStays> {
  const file = { path, name: basename(path) }
  const status = await stat(path).catch((e: unknown) => { throw failure(file, e) })
  const loader = new StayLoader(refusals, options.accept ?? (() => true))
  const totalBytes = status.isDirectory() ? await loadFolder(path, loader, refusals, options) : status.size
  if (!status.isDirectory()) {
    await readTable(file, CSV, refusals, (row, columns) => { loader.csvRow(file, row, columns) }, bytes => options.onRead?.(bytes, totalBytes))
  }
  return { table: loader.table.finish(), totalBytes }
}

async function loadFolder (path: string, loader: StayLoader, refusals: Refusals, options: ReadOptions): Promise<number> {
  const names = (await readdir(path)).filter(name => name.endsWith('.psv')).sort()
  if (names.length === 0) throw new LatidoError('FILE_INVALID', `${basename(path)} has no .psv files`, 'name the folder of the challenge\'s training set, or its .csv.gz file')
  let bytes = 0
  for (const [i, name] of names.entries()) {
    // A .psv file is named after its patient: messages count the files instead.
    const file = { path: join(path, name), name: `file ${i + 1} of ${basename(path)}` }
    const content = await readFile(file.path).catch((e: unknown) => { throw failure(file, e) })
    loader.beginFile(name.slice(0, -'.psv'.length))
    scanTable(file, content, PSV, refusals, (row, columns) => { loader.row(file, row, columns) })
    bytes += content.length
    options.onRead?.(i + 1, names.length)
  }
  return bytes
}

const NOBODY = -1
const NOT_ACCEPTED = -2

class StayLoader {
  readonly table = new StayTable()
  readonly #refusals: Refusals
  readonly #accept: (patientId: string) => boolean
  /** Patient to stay; -2 where the patient is not to be replayed. */
  readonly #stays = new Map<string, number>()
  #patientId = ''
  #patientBytes = Buffer.alloc(0)
  #stay = NOBODY

  constructor (refusals: Refusals, accept: (patientId: string) => boolean) {
    this.#refusals = refusals
    this.#accept = accept
  }

  beginFile (patientId: string): void {
    this.#patientId = patientId
    this.#stay = this.#stayOf(patientId)
  }

  csvRow (file: NamedFile, row: Row, columns: ColumnIndex<Column>): void {
    const start = row.starts[columns.pid] as number
    const end = row.ends[columns.pid] as number
    if (start === end) { this.#refusals.refuse('patient-missing', where(file, row.line, 'pid'), row.raw()); return }
    const { buffer } = row
    if (this.#patientBytes.length !== end - start || this.#patientBytes.compare(buffer, start, end) !== 0) {
      this.#patientBytes = Buffer.from(buffer.subarray(start, end))
      this.beginFile(row.text(columns.pid))
    }
    this.row(file, row, columns)
  }

  row (file: NamedFile, row: Row, columns: ColumnIndex<Column>): void {
    if (this.#stay === NOT_ACCEPTED) return
    const hour = numberOf(row, columns.ICULOS)
    if (!(Number.isInteger(hour) && hour >= 1 && hour <= HOUR_MAX)) { this.#refusals.refuse('time-unparsable', where(file, row.line, 'ICULOS'), row.raw()); return }
    const stay = this.table.stays[this.#stay]
    if (stay !== undefined && hour <= stay.lastHour) {
      this.#refusals.refuse(hour === stay.lastHour ? 'duplicate' : 'malformed', `${where(file, row.line, 'ICULOS')}: not after the row before`, row.raw())
      return
    }
    if (stay === undefined) this.#begin(file, row, columns, hour)
    else stay.lastHour = hour
    this.table.addRow(this.#stay, hour)
    this.#values(file, row, columns)
  }

  #stayOf (patientId: string): number {
    const known = this.#stays.get(patientId)
    if (known !== undefined) return known
    const stay = this.#accept(patientId) ? NOBODY : NOT_ACCEPTED
    this.#stays.set(patientId, stay)
    return stay
  }

  #begin (file: NamedFile, row: Row, columns: ColumnIndex<Column>, hour: number): void {
    const said = (name: Column): number => columns[name] === -1 || isMissing(row, columns[name]) ? NaN : this.#number(file, row, columns, name)
    const stay: Stay = { patientId: this.#patientId, firstHour: hour, lastHour: hour, ward: wardOf(said('Unit1'), said('Unit2')), ageYears: ageOf(said('Age')), sex: sexOf(said('Gender')), hoursSinceHospitalAdmission: hoursOf(said('HospAdmTime')) }
    this.#stay = this.table.stays.push(stay) - 1
    this.#stays.set(this.#patientId, this.#stay)
  }

  #values (file: NamedFile, row: Row, columns: ColumnIndex<Column>): void {
    for (let i = 0; i < MEASURED_COLUMNS.length; i++) {
      const name = MEASURED_COLUMNS[i] as MeasuredColumn
      const field = columns[name]
      if (row.starts[field] === row.ends[field] || isMissing(row, field)) continue
      const written = this.#number(file, row, columns, name)
      if (Number.isNaN(written)) continue
      const value = i === FIO2 ? percentOfInspiredOxygen(written) : written
      if (isPossible(MEASURED_CONCEPTS[i] as ConceptId, value)) this.table.addValue(i, value)
      else this.#refusals.refuse('value-impossible', where(file, row.line, name), row.raw())
    }
  }

  #number (file: NamedFile, row: Row, columns: ColumnIndex<Column>, name: Column): number {
    const value = numberOf(row, columns[name])
    if (Number.isNaN(value)) this.#refusals.refuse('value-unparsable', where(file, row.line, name), row.raw())
    return value
  }
}

function wardOf (unit1: number, unit2: number): Stay['ward'] { return unit1 === 1 ? 'MICU' : unit2 === 1 ? 'SICU' : '' }

function ageOf (years: number): number { return years >= 0 && years < 130 ? (years > 89 ? 90 : years) : -1 }

function sexOf (gender: number): Stay['sex'] { return gender === 0 ? 'female' : gender === 1 ? 'male' : 'unknown' }

/** HospAdmTime is the hour of the hospital's admission counted from the unit's, so mostly negative; after it means: not before. */
function hoursOf (hospitalAdmissionTime: number): number { return Number.isNaN(hospitalAdmissionTime) ? -1 : Math.max(0, -hospitalAdmissionTime) }
