import { z } from 'zod'
import { jsonOf } from '../kit/index.ts'

/** The tags of a study that are read, and no others. */
export interface StudyTags {
  readonly studyInstanceUid: string
  readonly studyDate: string
  readonly studyTime: string
  readonly timezoneOffset: string
  readonly patientId: string
  readonly issuer: string
  /** Of its series, sorted. */
  readonly modalities: readonly string[]
  readonly bodyParts: readonly string[]
  readonly series: number
  readonly procedure?: { readonly scheme: string, readonly code: string } | undefined
}

/** What is taken to the log: that a study is there as it is, or that it is gone. */
export interface StudyNotice {
  readonly kind: 'study'
  /** Orthanc's own identity of the study: a hash of the patient's identifier and the study's. */
  readonly orthancId: string
  /** Which saying of this study it is: another content is another version. */
  readonly version: number
  readonly gone: boolean
  readonly tags: StudyTags
}

const studyTags: z.ZodType<StudyTags> = z.strictObject({
  studyInstanceUid: z.string(), studyDate: z.string(), studyTime: z.string(), timezoneOffset: z.string(), patientId: z.string(), issuer: z.string(),
  modalities: z.array(z.string()), bodyParts: z.array(z.string()), series: z.number(), procedure: z.strictObject({ scheme: z.string(), code: z.string() }).optional(),
})

const studyNotice: z.ZodType<StudyNotice> = z.strictObject({ kind: z.literal('study'), orthancId: z.string().min(1), version: z.number(), gone: z.boolean(), tags: studyTags })

export function writeNotice (notice: StudyNotice): Buffer { return Buffer.from(JSON.stringify(notice)) }

export function readNotice (raw: Buffer): StudyNotice | undefined {
  const read = studyNotice.safeParse(jsonOf(raw))
  return read.success ? read.data : undefined
}
