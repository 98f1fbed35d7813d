import { z } from 'zod'
import { TELEMEDICINE_LIMITS } from './options.ts'

/** RFC 3339 with an offset: a phone knows its zone, and a time without one could be hours off. */
const moment = z.iso.datetime({ offset: true }).meta({ description: 'RFC 3339 with an offset, for example 2031-05-06T08:30:00+02:00' })
const ownId = z.string().min(1).max(128).meta({ description: 'The sender\'s own identity of the item: a later item with the same one replaces this' })
/** A code holds no blanks: what has some is text, and text may name somebody. */
const code = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.:_/-]{0,63}$/, 'a code: a letter or digit, then letters, digits, ".", ":", "_", "/" and "-" alone, at most 64 characters')
const system = z.string().regex(/^(?:https?:\/\/|urn:)[A-Za-z0-9./:_#-]{1,200}$/, 'the address of a code system, which begins with http://, https:// or urn:')

const reading = {
  value: z.number(),
  unit: z.string().min(1).max(40).meta({ description: 'UCUM' }),
  takenAt: moment,
  device: z.string().min(1).max(64).optional().meta({ description: 'Which device, where one person has several; never a name' }),
  id: ownId.optional(),
  status: z.enum(['final', 'corrected', 'withdrawn']).default('final'),
}

/** A home value: by concept, or by a code that the feed's mapping, LOINC or MDC knows. */
export const observationItem: z.ZodType<ObservationItem> = z.union([
  z.strictObject({ concept: z.string().min(1).max(64), ...reading }),
  z.strictObject({ system: system.optional(), code, ...reading }),
])
export interface ObservationItem {
  readonly concept?: string
  readonly system?: string | undefined
  readonly code?: string
  readonly value: number
  readonly unit: string
  readonly takenAt: string
  readonly device?: string | undefined
  readonly id?: string | undefined
  readonly status: 'final' | 'corrected' | 'withdrawn'
}

export const SNOMED = 'http://snomed.info/sct'
export const HPO = 'http://human-phenotype-ontology.org'

/** Severity is the numeric rating scale from 0 (none) to 10 (worst imaginable). */
export const symptomItem: z.ZodType<SymptomItem> = z.strictObject({
  system: z.enum([SNOMED, HPO]),
  code,
  presence: z.enum(['present', 'absent']),
  severity: z.number().min(0).max(10).optional(),
  onset: moment.optional(),
  ended: moment.optional(),
  reportedAt: moment,
  id: ownId.optional(),
})
export interface SymptomItem {
  readonly system: typeof SNOMED | typeof HPO
  readonly code: string
  readonly presence: 'present' | 'absent'
  readonly severity?: number | undefined
  readonly onset?: string | undefined
  readonly ended?: string | undefined
  readonly reportedAt: string
  readonly id?: string | undefined
}

/** As FHIR's QuestionnaireResponse, with its scored answers alone: no text that was typed. */
export const questionnaireItem: z.ZodType<QuestionnaireItem> = z.strictObject({
  questionnaire: z.strictObject({ system, code }),
  authored: moment,
  answers: z.array(z.strictObject({ system, code, score: z.number() })).max(TELEMEDICINE_LIMITS.answersMax),
  total: z.number().optional(),
  id: ownId.optional(),
})
export interface QuestionnaireItem {
  readonly questionnaire: { readonly system: string, readonly code: string }
  readonly authored: string
  readonly answers: readonly { readonly system: string, readonly code: string, readonly score: number }[]
  readonly total?: number | undefined
  readonly id?: string | undefined
}
