import { z } from 'zod'
import type { DurationMs } from '../../streams/time/index.ts'
import { csvSpec, type CsvSpec } from './csv/spec.ts'
import { wfdbOptions, type WfdbOptions } from './wfdb/options.ts'

export const FORMAT_NAMES = ['csv', 'fhir-ndjson', 'hl7', 'mimic3', 'physionet2019', 'wfdb'] as const
export type FormatName = (typeof FORMAT_NAMES)[number]

/** What a feed of files may say. */
export interface FilesOptions {
  readonly format: FormatName
  /** The folder that is looked through; empty: the feed is for `latido import` alone, and for its dead letters. */
  readonly folder: string
  /** Names that are taken; `*` is anything. */
  readonly names: string
  readonly pollEveryMs: DurationMs
  /** A file that was written to more recently is left alone. */
  readonly settleMs: DurationMs
  readonly csv?: CsvSpec | undefined
  readonly wfdb: WfdbOptions
  /** For recordings that hide their dates: when they begin. */
  readonly startAt: string
}

const object = z.strictObject({
  format: z.enum(FORMAT_NAMES),
  folder: z.string().max(4_096).default(''),
  names: z.string().min(1).max(200).default('*'),
  pollEveryMs: z.number().int().min(100).max(86_400_000).default(5_000),
  settleMs: z.number().int().min(0).max(3_600_000).default(2_000),
  csv: csvSpec.optional(),
  wfdb: wfdbOptions.default({ patient: '', patientPattern: '^(.+)$', authority: '', startAt: '', ignore: [] }),
  startAt: z.iso.datetime({ offset: true }).default('2019-01-01T00:00:00Z'),
})

export const FILES_OPTIONS: z.ZodType<FilesOptions> = object.superRefine(({ format, csv, folder }, context) => {
  if (format === 'csv' && csv === undefined) context.addIssue({ code: 'custom', path: ['csv'], message: 'say what its columns mean' })
  if (format !== 'csv' && csv !== undefined) context.addIssue({ code: 'custom', path: ['csv'], message: 'is for the format csv' })
  if (format === 'mimic3' && folder !== '') context.addIssue({ code: 'custom', path: ['folder'], message: 'mimic3 is a folder of tables: give it to latido import' })
})
