import { z } from 'zod'

/** What a feed says of WFDB records. */
export interface WfdbOptions {
  /** Whose they are; empty: the first group of `patientPattern` in the record's name. */
  readonly patient: string
  /** Default: the whole name. */
  readonly patientPattern: string
  readonly authority: string
  /** Moment of the first frame, with its offset, where the header tells no date or one that was shifted; empty: the header's, in the feed's zone. */
  readonly startAt: string
  /** Names of signals that are left out. */
  readonly ignore: readonly string[]
}

export const wfdbOptions: z.ZodType<WfdbOptions> = z.strictObject({
  patient: z.string().max(200).default(''),
  patientPattern: z.string().max(200).refine(isPattern, 'it is no regular expression with one group').default('^(.+)$'),
  authority: z.string().max(200).default(''),
  startAt: z.union([z.literal(''), z.iso.datetime({ offset: true })]).default(''),
  ignore: z.array(z.string()).max(200).default([]),
})

function isPattern (text: string): boolean {
  try {
    return (new RegExp(`${text}|`).exec('')?.length ?? 0) === 2
  } catch {
    return false // it does not compile
  }
}
