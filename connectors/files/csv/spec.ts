import { z } from 'zod'
import { OBSERVATION_KINDS, type ObservationKind } from '../../../streams/events/index.ts'
import { isZone } from '../../../streams/time/index.ts'
import type { Delimiter } from '../row-scanner.ts'
import { TIME_FORMATS, type TimeFormat } from './time.ts'

/** What a column of a wide table holds. */
export interface ValueColumn { readonly code: string, readonly system: string, readonly unit: string }

/** What the columns of a CSV file mean. Long: a row is one value, with its code. Wide: a row is a moment, with a column for each code. */
export interface CsvSpec {
  readonly delimiter: Delimiter
  /** Of numbers: `7,4` where it is a comma. */
  readonly decimal: '.' | ','
  readonly patient: string
  /** Assigning authority of the patient's identifiers, as `mapping.namespaces` names it. */
  readonly authority: string
  readonly time: string
  readonly timeFormat: TimeFormat
  /** IANA zone of times without an offset; empty: the feed's. */
  readonly zone: string
  readonly kind: ObservationKind
  /** Long form. */
  readonly code: string
  /** Of the codes in that column. */
  readonly system: string
  readonly value: string
  /** Column of units; empty: there is none. */
  readonly unit: string
  /** Column of the result's own identity; empty: the row is it. */
  readonly result: string
  /** Wide form, by name of the column. */
  readonly columns: Readonly<Record<string, ValueColumn>>
}

const column = z.string().min(1).max(200)
const optional = z.string().max(200).default('')

export const csvSpec: z.ZodType<CsvSpec> = z.strictObject({
  delimiter: z.enum([',', ';', '|', '\t']).default(','),
  decimal: z.enum(['.', ',']).default('.'),
  patient: column,
  authority: optional,
  time: column,
  timeFormat: z.enum(TIME_FORMATS).default('iso'),
  zone: z.string().refine(zone => zone === '' || isZone(zone), 'there is no time zone of that name; write one as Europe/Madrid').default(''),
  kind: z.enum(OBSERVATION_KINDS).default('charted'),
  code: optional,
  system: optional,
  value: optional,
  unit: optional,
  result: optional,
  columns: z.record(column, z.strictObject({ code: z.string().min(1).max(200), system: optional, unit: optional })).default({}),
}).superRefine((spec, context) => {
  const [long, wide] = [spec.code !== '' || spec.value !== '', Object.keys(spec.columns).length > 0]
  const wrong = long === wide ? 'say either "code" and "value" (a row is one value), or "columns" (a column for each code)' : long && (spec.code === '' || spec.value === '') ? '"code" and "value" go together' : wide && (spec.unit !== '' || spec.result !== '') ? 'a column in "columns" says its own unit, and has no column for the result' : undefined
  if (wrong !== undefined) context.addIssue({ code: 'custom', message: wrong })
})

/** The columns that the header must have. */
export function columnsOf ({ patient, time, code, value, unit, result, columns }: CsvSpec): readonly string[] {
  return [...new Set([patient, time, code, value, unit, result, ...Object.keys(columns)].filter(name => name !== ''))]
}
