import type { Sex } from '../../../streams/events/index.ts'
import { isMissing, numberOf, timeOf } from '../fields.ts'
import type { Refusals } from '../refusals.ts'
import type { Row } from '../row-scanner.ts'
import { readTable, where, type ColumnIndex, type TableSpec } from '../table.ts'
import type { TableFile, TableName } from './directory.ts'
import type { Patients } from './patients.ts'

const HOUR_MS = 3_600_000
const YEAR_MS = 365.25 * 24 * HOUR_MS

/** One stay in intensive care. */
export interface IcuStay {
  readonly patient: number
  readonly admittedAt: number
  /** undefined: not told. */
  readonly dischargedAt: number | undefined
  readonly ward: string
  readonly ageYears: number
  readonly sex: Sex
  readonly hoursSinceHospitalAdmission: number
}

interface Person { readonly bornAt: number, readonly sex: Sex }

const PATIENTS = spec('patients', ['subject_id', 'gender', 'dob'])
const ADMISSIONS = spec('admissions', ['hadm_id', 'admittime'])
const ICUSTAYS = spec('icustays', ['subject_id', 'hadm_id', 'first_careunit', 'intime', 'outtime'])

function spec<Name extends string> (table: TableName, required: readonly Name[]): TableSpec<Name> {
  return { delimiter: ',', required, ignoreCase: true, what: `MIMIC-III's ${table}` }
}

/** Reads who was where, and when. Times are read as UTC; ages over 89 are 90 (the set moves those births by centuries). */
export async function readStays (tables: ReadonlyMap<TableName, TableFile>, patients: Patients, refusals: Refusals, onRead: (file: TableFile, bytes: number) => void): Promise<IcuStay[]> {
  const people = new Map<number, Person>()
  const hospitalAdmissions = new Map<number, number>()
  const stays: IcuStay[] = []
  const read = async <Name extends string>(table: TableName, tableSpec: TableSpec<Name>, onRow: (row: Row, columns: ColumnIndex<Name>, file: TableFile) => void): Promise<void> => {
    const file = tables.get(table) as TableFile
    await readTable(file, tableSpec, refusals, (row, columns) => { onRow(row, columns, file) }, bytes => { onRead(file, bytes) })
  }
  await read('patients', PATIENTS, (row, columns) => {
    people.set(numberOf(row, columns.subject_id), { bornAt: timeOf(row, columns.dob), sex: sexOf(row.text(columns.gender)) })
  })
  await read('admissions', ADMISSIONS, (row, columns) => { hospitalAdmissions.set(numberOf(row, columns.hadm_id), timeOf(row, columns.admittime)) })
  await read('icustays', ICUSTAYS, (row, columns, file) => {
    const subject = numberOf(row, columns.subject_id)
    if (Number.isNaN(subject)) { refusals.refuse('patient-missing', where(file, row.line, 'subject_id'), row.raw()); return }
    const patient = patients.numberOf(subject)
    if (patient === undefined) return
    const admittedAt = timeOf(row, columns.intime)
    if (Number.isNaN(admittedAt)) { refusals.refuse('time-unparsable', where(file, row.line, 'intime'), row.raw()); return }
    const person = people.get(subject)
    stays.push({
      patient,
      admittedAt,
      dischargedAt: dischargeOf(file, row, columns.outtime, admittedAt, refusals),
      ward: isMissing(row, columns.first_careunit) ? '' : row.text(columns.first_careunit),
      ageYears: ageAt(admittedAt, person?.bornAt),
      sex: person?.sex ?? 'unknown',
      hoursSinceHospitalAdmission: hoursBetween(hospitalAdmissions.get(numberOf(row, columns.hadm_id)), admittedAt),
    })
  })
  return stays
}

function dischargeOf (file: TableFile, row: Row, field: number, admittedAt: number, refusals: Refusals): number | undefined {
  if (isMissing(row, field)) { refusals.note('discharge-not-told'); return undefined }
  const at = timeOf(row, field)
  if (at >= admittedAt) return at
  refusals.refuse('time-unparsable', `${where(file, row.line, 'outtime')}: no time after intime`, row.raw())
  return undefined
}

function ageAt (time: number, bornAt = NaN): number {
  const years = (time - bornAt) / YEAR_MS
  if (!(years >= 0)) return -1
  return years > 89 ? 90 : Math.floor(years)
}

function hoursBetween (admittedToHospital = NaN, admittedToUnit: number): number {
  return Number.isNaN(admittedToHospital) ? -1 : Math.max(0, (admittedToUnit - admittedToHospital) / HOUR_MS)
}

function sexOf (gender: string): Sex { return gender === 'F' ? 'female' : gender === 'M' ? 'male' : 'unknown' }
