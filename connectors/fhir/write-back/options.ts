import { z } from 'zod'
import { CLINICAL_SCORE_NAMES, type ClinicalScoreName } from '../../kit/index.ts'
import type { DurationMs } from '../../../streams/time/index.ts'
import { OWN_SYSTEM } from '../resources/own.ts'

export interface WriteBackOptions {
  /** Alerts of these priorities become DetectedIssue resources; empty: none. */
  readonly alerts: readonly ('high' | 'medium' | 'low')[]
  /** Scores of these models become Observation resources; empty: none, `*`: all. */
  readonly scores: readonly string[]
  /** At most one Observation of a patient and model in each stretch of this length: a model scores every few seconds, which no chart can hold. */
  readonly scoreEveryMs: DurationMs
  /** NEWS2 and its kin: an Observation when one has changed, and of a patient at most once in `clinicalScoreEveryMs`. */
  readonly clinicalScores: readonly ClinicalScoreName[]
  readonly clinicalScoreEveryMs: DurationMs
  /** Status of a DetectedIssue whose alert is over. */
  readonly endedStatus: 'cancelled' | 'final'
  /** `create`: the server knows conditional create (If-None-Exist). `search`: it is searched first, which leaves a moment in which two instances could both create. */
  readonly once: 'create' | 'search'
  /** System of the identifiers that make a repeat harmless; `alert`, `score` and so on stand behind it. */
  readonly identifierSystem: string
}

const MINUTE_MS = 60_000

export const writeBackOptions: z.ZodType<WriteBackOptions> = z.strictObject({
  alerts: z.array(z.enum(['high', 'medium', 'low'])).default(['high', 'medium']),
  scores: z.array(z.string().min(1)).default(['*']),
  scoreEveryMs: z.int().min(1_000).max(1_440 * MINUTE_MS).default(15 * MINUTE_MS),
  clinicalScores: z.array(z.enum(CLINICAL_SCORE_NAMES)).default(['news2']),
  clinicalScoreEveryMs: z.int().min(0).max(1_440 * MINUTE_MS).default(15 * MINUTE_MS),
  endedStatus: z.enum(['cancelled', 'final']).default('cancelled'),
  once: z.enum(['create', 'search']).default('create'),
  identifierSystem: z.string().regex(/^[a-z][a-z0-9+.-]*:[^|\s]+$/, 'a URI').default(OWN_SYSTEM),
})

export const WRITE_BACK_LIMITS = {
  /** Patients whose reference on the server is remembered, and for how long: it changes with a merge there. */
  patientsKeptMax: 10_000,
  patientsKeptMs: 3_600_000,
  /** And so long that there is no such patient, or more than one: an alert of theirs costs no search. */
  patientsUnknownMs: 60_000,
  /** Times that an update starts anew because somebody else changed the resource. */
  conflictsMax: 5,
  /** Patients and models whose newest stretch is remembered. */
  stretchesKeptMax: 50_000,
} as const
