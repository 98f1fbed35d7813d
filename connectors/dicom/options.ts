import { z } from 'zod'
import type { SecretRef } from '../kit/index.ts'

/** What an archive can cost us. */
export const ORTHANC_LIMITS = {
  /** An answer above this is not read. Tags of one instance are far smaller, unless somebody put text into them. */
  answerBytesMax: 33_554_432,
  requestMsMax: 20_000,
  changesPerPage: 1_000,
  studiesPerPage: 1_000,
  seriesMax: 10_000,
  /** What a study that is gone leaves behind is kept for so long: it must be known again after the intake has forgotten its messages. */
  goneKeptMs: 604_800_000,
} as const

export interface OrthancOptions {
  /** Of the REST API: `http://127.0.0.1:8042`. */
  readonly url: string
  readonly username?: string | undefined
  readonly password?: SecretRef | undefined
  /** The password, and patients' identifiers, may go to another machine unencrypted. */
  readonly allowPlain: boolean
  /** Authority of patient identifiers of images that name none (IssuerOfPatientID, 0010,0021). */
  readonly issuer: string
  /** Stands in the records after `dicom:`. */
  readonly source: string
  readonly pollEveryMs: number
  /** How often the archive's list of studies is compared with what is known of it. */
  readonly compareEveryMs: number
  /** `keep` for an archive that throws old studies away (MaximumStorageSize) or only forwards them. */
  readonly deletions: 'withdraw' | 'keep'
  readonly futureToleranceMs: number
}

const secret: z.ZodType<SecretRef> = z.union([z.strictObject({ file: z.string().min(1) }), z.strictObject({ env: z.string().min(1) })])

/** The options of a feed of kind `orthanc`. */
export const orthancOptions: z.ZodType<OrthancOptions> = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  username: z.string().min(1).optional(),
  password: secret.optional(),
  allowPlain: z.boolean().default(false),
  issuer: z.string().default(''),
  source: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, 'a small letter, then small letters, digits and "-" alone, at most 31 characters').default('orthanc'),
  pollEveryMs: z.int().min(100).max(3_600_000).default(2_000),
  compareEveryMs: z.int().min(1_000).max(86_400_000).default(60_000),
  deletions: z.enum(['withdraw', 'keep']).default('withdraw'),
  futureToleranceMs: z.int().min(0).max(3_600_000).default(300_000),
})
