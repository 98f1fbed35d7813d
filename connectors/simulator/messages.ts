import type { EventTimeMs } from '../../streams/time/index.ts'
import type { Laboratory } from './courses.ts'
import type { Person } from './people.ts'

export const WARD = 'W1'
/** HL7 separators. Segments end in CR. */
const CR = '\r'

export interface ResultLine {
  /** OBX-3 */
  readonly code: string
  /** OBX-2: a number, or a coded answer whose value is already in HL7 form. */
  readonly type: 'NM' | 'CWE'
  readonly value: string
  readonly unit: string
  readonly status: 'F' | 'C'
}

export interface ResultSet {
  readonly feed: 'SIM-LIS' | 'SIM-CHART'
  /** Filler order number: with the code, the identity of each result. */
  readonly order: string
  readonly title: string
  readonly takenAt: EventTimeMs
  readonly lines: readonly ResultLine[]
}

export interface Movement {
  readonly trigger: 'A01' | 'A02' | 'A03' | 'A08'
  readonly at: EventTimeMs
  readonly bed: string
  readonly priorBed?: string
  readonly hospitalAdmissionAt: EventTimeMs
}

export function movementMessage (controlId: string, sentAt: EventTimeMs, person: Person, movement: Movement): string {
  const { trigger, at, bed, priorBed = '', hospitalAdmissionAt } = movement
  const discharge = trigger === 'A03' ? hl7Time(at) : ''
  return [
    msh('SIM-ADT', `ADT^${trigger}^ADT_${trigger === 'A02' || trigger === 'A03' ? trigger : 'A01'}`, controlId, sentAt),
    `EVN|${trigger}|${hl7Time(at)}`,
    pid(person),
    `PV1|1|I|${location(bed)}|||${priorBed === '' ? '' : location(priorBed)}${'|'.repeat(13)}V${person.id}${'|'.repeat(25)}${hl7Time(hospitalAdmissionAt)}|${discharge}`,
  ].join(CR) + CR
}

export function resultMessage (controlId: string, sentAt: EventTimeMs, person: Person, bed: string, set: ResultSet): string {
  const corrected = set.lines.some(line => line.status === 'C')
  return [
    msh(set.feed, 'ORU^R01^ORU_R01', controlId, sentAt),
    pid(person),
    `PV1|1|I|${location(bed)}`,
    `OBR|1||${set.order}|${set.title}|||${hl7Time(set.takenAt)}${'|'.repeat(15)}${hl7Time(sentAt)}||${set.feed === 'SIM-LIS' ? 'LAB' : 'NRS'}|${corrected ? 'C' : 'F'}`,
    ...set.lines.map((line, i) => `OBX|${i + 1}|${line.type}|${line.code}||${line.value}|${line.unit}|||||${line.status}|||${hl7Time(set.takenAt)}`),
  ].join(CR) + CR
}

/** OBX-3 and unit of each laboratory value, and its decimals. */
export const LABORATORY_FORM: Readonly<Record<Laboratory, { readonly code: string, readonly unit: string, readonly decimals: number }>> = {
  lactate: { code: '2524-7^Lactate^LN', unit: 'mmol/L', decimals: 1 },
  creatinine: { code: '2160-0^Creatinine^LN', unit: 'mg/dL', decimals: 2 },
  ureaNitrogen: { code: '3094-0^Urea nitrogen^LN', unit: 'mg/dL', decimals: 0 },
  wbc: { code: '6690-2^Leukocytes^LN', unit: '10*3/uL', decimals: 1 },
  platelets: { code: '777-3^Platelets^LN', unit: '10*3/uL', decimals: 0 },
  bilirubin: { code: '1975-2^Bilirubin^LN', unit: 'mg/dL', decimals: 1 },
  glucose: { code: '2345-7^Glucose^LN', unit: 'mg/dL', decimals: 0 },
  bicarbonate: { code: '1963-8^Bicarbonate^LN', unit: 'mmol/L', decimals: 0 },
  hemoglobin: { code: '718-7^Hemoglobin^LN', unit: 'g/dL', decimals: 1 },
  potassium: { code: '2823-3^Potassium^LN', unit: 'mmol/L', decimals: 1 },
  sodium: { code: '2951-2^Sodium^LN', unit: 'mmol/L', decimals: 0 },
}

/** Answers of LOINC 67775-7, by ACVPU level. */
export const CONSCIOUSNESS_ANSWERS = ['LA9340-6^Alert^LN', 'LA6560-2^Confused^LN', 'LA17108-4^Voice^LN'] as const

/** `YYYYMMDDHHMMSS+0000`; the fraction is dropped, so a time never moves into the future. */
export function hl7Time (ms: EventTimeMs): string { return `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}+0000` }

function msh (application: string, type: string, controlId: string, sentAt: EventTimeMs): string {
  return `MSH|^~\\&|${application}|SIMULATOR|LATIDO|LATIDO|${hl7Time(sentAt)}||${type}|${controlId}|P|2.5.1||||||UNICODE UTF-8`
}

function pid (person: Person): string { return `PID|1||${person.id}^^^SIMULATOR^MR||${person.family}^${person.given}||${person.birthDate}|${person.sex}` }

function location (bed: string): string { return `${WARD}^^${bed}` }
