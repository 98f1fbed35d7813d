import { z } from 'zod'
import { CLINICAL_SCORE_NAMES, CLINICAL_SCORES, type ClinicalCode, type ClinicalScoreName } from '../../kit/index.ts'
import { hl7ClientTlsSchema, type Hl7ClientTls } from '../tls.ts'

export interface Hl7Code { readonly code: string, readonly text: string, readonly system: string }

export interface Hl7Addresses {
  readonly sendingApplication: string
  readonly sendingFacility: string
  readonly receivingApplication: string
  readonly receivingFacility: string
  /** MSH-11 (table 0103): `P` production, `T` training, `D` debugging. */
  readonly processingId: 'P' | 'T' | 'D'
  /** MSH-12, for receivers that look at it: what is sent is the same. */
  readonly version: string
}

/** Where alerts and scores go as HL7 v2. Whoever is named here gets to know who is ill. */
export interface Hl7SenderOptions extends Hl7Addresses {
  readonly host: string
  readonly port: number
  readonly tls?: Hl7ClientTls | undefined
  /** Beyond this machine without TLS, on a network that is secured by other means. */
  readonly plain: boolean
  readonly alerts: boolean
  readonly scores: boolean
  /** Of a patient and model at most one score in this time; 0: all. A model may score every few seconds. */
  readonly scoreEveryMs: number
  /** NEWS2 and its kin, each sent when it has changed, and of a patient at most once in `clinicalScoreEveryMs`. */
  readonly clinicalScores: readonly ClinicalScoreName[]
  readonly clinicalScoreEveryMs: number
  /** What a rule, a model, a score or a part of one is called at the receiver, by its name; LOINC (`LN`) or its own. */
  readonly codes: Readonly<Record<string, Hl7Code>>
  /** An answer is waited for so long; then the message is sent again. */
  readonly answerMs: number
  readonly pauseMsMin: number
  readonly pauseMsMax: number
  /** Errors (AE, CE) that one message may get before it is a dead letter. A receiver that is away is waited for without a limit. */
  readonly attemptsMax: number
}

/** Names of coding systems in HL7 table 0396; 99LATIDO is a local one. */
const SYSTEMS: Readonly<Record<ClinicalCode['system'], string>> = { 'http://snomed.info/sct': 'SCT', 'http://loinc.org': 'LN', '': '99LATIDO' }

function hl7Code ({ system, code, text }: ClinicalCode): Hl7Code { return { code, text, system: SYSTEMS[system] } }

const SEPSIS: Hl7Code = { code: 'sepsis-risk', text: 'Probability of sepsis', system: '99LATIDO' }
const NEWS2 = hl7Code(CLINICAL_SCORES.news2.code)

/** The names that stand in messages unless `codes` has others. */
export const HL7_CODES: Readonly<Record<string, Hl7Code>> = {
  'news2-emergency': NEWS2, 'news2-urgent': NEWS2, 'sepsis-risk': SEPSIS, sepsis: SEPSIS,
  ...Object.fromEntries(CLINICAL_SCORE_NAMES.flatMap(name => [[name, CLINICAL_SCORES[name].code] as const, ...Object.entries(CLINICAL_SCORES[name].parts)]).map(([name, said]) => [name, hl7Code(said)])),
}

const name = z.string().max(180).default('')
const code = z.strictObject({ code: z.string().min(1).max(80), text: z.string().max(200).default(''), system: z.string().min(1).max(20).default('L') })
const ms = (fallback: number, min = 0): z.ZodDefault<z.ZodNumber> => z.number().int().min(min).max(86_400_000).default(fallback)

export const hl7SenderSchema: z.ZodType<Hl7SenderOptions> = z.strictObject({
  host: z.string().min(1),
  port: z.number().int().min(1).max(65_535),
  tls: hl7ClientTlsSchema.optional(),
  plain: z.boolean().default(false),
  alerts: z.boolean().default(true),
  scores: z.boolean().default(true),
  scoreEveryMs: ms(300_000),
  clinicalScores: z.array(z.enum(CLINICAL_SCORE_NAMES)).default(['news2']),
  clinicalScoreEveryMs: ms(900_000),
  codes: z.record(z.string(), code).default({}),
  sendingApplication: z.string().min(1).max(180).default('LATIDO'),
  sendingFacility: name,
  receivingApplication: name,
  receivingFacility: name,
  processingId: z.enum(['P', 'T', 'D']).default('P'),
  version: z.string().regex(/^2\.[3-9](?:\.\d)?$/, 'a version of HL7 v2').default('2.6'),
  answerMs: ms(30_000, 100),
  pauseMsMin: ms(1_000, 1),
  pauseMsMax: ms(60_000, 1),
  attemptsMax: z.number().int().min(1).max(1_000).default(5),
})

/** The receiver's name of a rule or model. */
export function codeFor (name: string, { codes }: Pick<Hl7SenderOptions, 'codes'>): Hl7Code { return codes[name] ?? HL7_CODES[name] ?? { code: name, text: name, system: '99LATIDO' } }
