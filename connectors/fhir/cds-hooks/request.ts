import { z } from 'zod'
import { identifierOf, jsonOf, type FeedMapping } from '../../kit/index.ts'
import { identityOf } from '../resources/identity.ts'
import type { Patient } from '../resources/types.ts'

const ID_MAX = 128

/** A call of the hook patient-view (CDS Hooks 2.0, "HTTP Request"): what we read of it. */
export interface HookRequest {
  readonly hookInstance: string
  readonly patientId: string
  readonly patient: Patient | undefined
}

const hookRequest = z.object({
  hook: z.literal('patient-view'),
  hookInstance: z.string().min(1).max(ID_MAX),
  context: z.object({ patientId: z.string().min(1).max(ID_MAX) }),
  prefetch: z.record(z.string(), z.unknown()).optional(),
})

/** undefined: it is no such call. */
export function readHookRequest (body: unknown): HookRequest | undefined {
  const read = hookRequest.safeParse(jsonIn(body))
  if (!read.success) return undefined
  const { hookInstance, context: { patientId }, prefetch } = read.data
  return { hookInstance, patientId, patient: patientIn(prefetch?.['patient'], patientId) }
}

/** Of the same patient as the context, else it is as if there were none: a card must never be of another person. */
function patientIn (prefetched: unknown, patientId: string): Patient | undefined {
  const said = prefetched as { resourceType?: unknown, id?: unknown } | null | undefined
  return said?.resourceType === 'Patient' && said.id === patientId ? prefetched as Patient : undefined
}

/** By which identifier we may know the patient; undefined: the call does not say. */
export function patientIdOf ({ patientId, patient }: HookRequest, mapping: FeedMapping, logicalIdNamespace: string | undefined): string | undefined {
  if (patient !== undefined) {
    try {
      const identity = identityOf(patient, mapping, new Map())
      if (identity !== undefined) return identity.id
    } catch {
      return undefined // not as R4 has it
    }
  }
  if (logicalIdNamespace === undefined) return undefined
  return identifierOf({ ...mapping, namespaces: new Map([['', logicalIdNamespace]]) }, '', patientId)
}

export interface Feedback {
  /** The card's uuid. */
  readonly card: string
  readonly outcome: 'accepted' | 'overridden'
  readonly suggestions: readonly string[]
}

const feedback = z.object({
  feedback: z.array(z.object({
    card: z.string().min(1).max(ID_MAX),
    outcome: z.enum(['accepted', 'overridden']),
    acceptedSuggestions: z.array(z.object({ id: z.string().max(ID_MAX) })).max(16).optional(),
  })).min(1).max(100),
})

/** undefined: it is no feedback. Reasons of the user are free text about a patient, and are not read. */
export function readFeedback (body: unknown): readonly Feedback[] | undefined {
  const read = feedback.safeParse(jsonIn(body))
  if (!read.success) return undefined
  return read.data.feedback.map(({ card, outcome, acceptedSuggestions = [] }) => ({ card, outcome, suggestions: acceptedSuggestions.map(({ id }) => id) }))
}

function jsonIn (body: unknown): unknown { return Buffer.isBuffer(body) ? jsonOf(body) : undefined }
