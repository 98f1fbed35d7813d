import { z } from 'zod'
import type { EventTimeMs } from '../../streams/time/index.ts'
import type { Association } from './options.ts'

const id = z.string().trim().min(1).max(128).nullish()

/** The outer form of a numerics message. Each numeric is judged by itself, so that one bad value does not cost the others. */
export interface NumericsEnvelope {
  readonly time?: unknown
  readonly seq?: number | null | undefined
  readonly patient?: string | null | undefined
  readonly ward?: string | null | undefined
  readonly bed?: string | null | undefined
  readonly numerics: readonly unknown[]
}

const envelope: z.ZodType<NumericsEnvelope> = z.object({
  time: z.unknown().optional(),
  seq: z.number().int().nonnegative().nullish(),
  patient: id,
  ward: id,
  bed: id,
  numerics: z.array(z.unknown()),
})

const associationForm = z.object({ patient: id, ward: id, bed: id })
const statusForm = z.object({ state: z.string() })

export type Parsed<T> = { readonly kind: 'ok', readonly value: T } | { readonly kind: 'malformed', readonly detail: string }

export function parseNumerics (payload: Buffer): Parsed<NumericsEnvelope> { return parse(payload, envelope) }

/** `{"patient"}` or `{"ward", "bed"}`; undefined for `{}` and for an empty payload (which clears a retained message): the association ends. */
export function parseAssociation (payload: Buffer): Parsed<Association | undefined> {
  if (payload.length === 0) return { kind: 'ok', value: undefined }
  const parsed = parse(payload, associationForm)
  if (parsed.kind === 'malformed') return parsed
  const { patient, ward, bed } = parsed.value
  if (patient != null) return { kind: 'ok', value: { patient } }
  if (ward != null && bed != null) return { kind: 'ok', value: { ward, bed } }
  if (ward != null || bed != null) return { kind: 'malformed', detail: 'association: ward and bed belong together' }
  return { kind: 'ok', value: undefined }
}

/** The state of a status message, or undefined where it says none. */
export function parseStatus (payload: Buffer): string | undefined {
  const parsed = parse(payload, statusForm)
  return parsed.kind === 'ok' ? parsed.value.state : undefined
}

/** A date and time with its offset: without one nobody knows which hour is meant. */
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)$/
/** Earlier is a device that lost its clock, or counts in seconds. */
const EARLIEST_MS = Date.UTC(2000, 0, 1)

/** ISO 8601 with offset, or milliseconds since 1970; undefined where it is neither. */
export function parseTime (time: unknown): EventTimeMs | undefined {
  const ms = typeof time === 'number' ? Math.round(time) : typeof time === 'string' && ISO_TIME.test(time) ? Date.parse(time.replace(',', '.')) : NaN
  return Number.isFinite(ms) && ms >= EARLIEST_MS ? ms : undefined
}

function parse<T> (payload: Buffer, form: z.ZodType<T>): Parsed<T> {
  let json: unknown
  try { json = JSON.parse(payload.toString('utf8')) } catch { return { kind: 'malformed', detail: 'payload: not JSON' } }
  const result = form.safeParse(json)
  if (result.success) return { kind: 'ok', value: result.data }
  const issue = result.error.issues[0]
  return { kind: 'malformed', detail: `payload${(issue?.path ?? []).map(p => `.${String(p)}`).join('')}: ${issue?.code ?? 'invalid'}` }
}
