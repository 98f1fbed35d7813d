import { z } from 'zod'
import { lineOfShapeFault, readShape } from '../../streams/shapes/index.ts'
import type { DurationMs, EventTimeMs } from '../../streams/time/index.ts'
import type { DeviceState } from './devices.ts'
import type { Association } from './options.ts'

const id = z.string().trim().min(1).max(128).nullish()

/** Whose values a message holds, and when they were measured. */
export interface Addressed {
  readonly time?: unknown
  readonly seq?: number | null | undefined
  readonly patient?: string | null | undefined
  readonly authority?: string | null | undefined
  readonly ward?: string | null | undefined
  readonly bed?: string | null | undefined
}

/** The outer form of a numerics message. Each numeric is judged by itself, so that one bad value does not cost the others. */
export interface NumericsEnvelope extends Addressed { readonly numerics: readonly unknown[] }
/** Waveforms over the interval that begins at `time`. */
export interface WavesEnvelope extends Addressed { readonly intervalMs: DurationMs, readonly waves: readonly unknown[] }
export interface StatusEnvelope extends Addressed { readonly state: string }

const addressed = { time: z.unknown().optional(), seq: z.number().int().nonnegative().nullish(), patient: id, authority: id, ward: id, bed: id }
const numericsForm: z.ZodType<NumericsEnvelope> = z.object({ ...addressed, numerics: z.array(z.unknown()) })
const wavesForm: z.ZodType<WavesEnvelope> = z.object({ ...addressed, intervalMs: z.number().int().min(1).max(3_600_000), waves: z.array(z.unknown()) })
const statusForm: z.ZodType<StatusEnvelope> = z.object({ ...addressed, state: z.string() })
const associationForm = z.object({ patient: id, ward: id, bed: id, from: z.unknown().optional(), to: z.unknown().optional() })

export type Parsed<T> = { readonly kind: 'ok', readonly value: T } | { readonly kind: 'malformed', readonly detail: string }

export function parseNumerics (payload: Buffer): Parsed<NumericsEnvelope> { return parse(payload, numericsForm) }
export function parseWaves (payload: Buffer): Parsed<WavesEnvelope> { return parse(payload, wavesForm) }
export function parseStatus (payload: Buffer): Parsed<StatusEnvelope> { return parse(payload, statusForm) }

const STATES: ReadonlySet<string> = new Set(['online', 'offline', 'lost'])
export function isDeviceState (text: string): text is DeviceState { return STATES.has(text) }

/** `who` undefined: nobody from then on. */
export interface SaidAssociation { readonly who: Association | undefined, readonly from?: EventTimeMs | undefined, readonly to?: EventTimeMs | undefined }

/** `{"patient"}` or `{"ward", "bed"}`, each with `from` and `to` or without; nobody for `{}` and for an empty payload (which clears a retained message). */
export function parseAssociation (payload: Buffer): Parsed<SaidAssociation> {
  if (payload.length === 0) return { kind: 'ok', value: { who: undefined } }
  const parsed = parse(payload, associationForm)
  if (parsed.kind === 'malformed') return parsed
  const { patient, ward, bed } = parsed.value
  if (patient == null && (ward != null) !== (bed != null)) return { kind: 'malformed', detail: 'association: ward and bed belong together' }
  const [from, to] = [limit(parsed.value.from), limit(parsed.value.to)]
  if (from === null || to === null) return { kind: 'malformed', detail: 'association: from and to are ISO 8601 with an offset, or milliseconds since 1970' }
  if (from !== undefined && to !== undefined && to <= from) return { kind: 'malformed', detail: 'association: to is not after from' }
  const who = patient != null ? { patient } : ward != null && bed != null ? { ward, bed } : undefined
  return { kind: 'ok', value: { who, ...from === undefined ? {} : { from }, ...to === undefined ? {} : { to } } }
}

function limit (time: unknown): EventTimeMs | undefined | null { return time === undefined || time === null ? undefined : parseTime(time) ?? null }

/** A date and time with its offset: without one nobody knows which hour is meant. */
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)$/

/** ISO 8601 with offset, or milliseconds since 1970; undefined where it is neither. Whether it is plausible is another question. */
export function parseTime (time: unknown): EventTimeMs | undefined {
  const ms = typeof time === 'number' ? Math.round(time) : typeof time === 'string' && ISO_TIME.test(time) ? Date.parse(time.replace(',', '.')) : NaN
  return Number.isFinite(ms) ? ms : undefined
}

function parse<T> (payload: Buffer, form: z.ZodType<T>): Parsed<T> {
  let json: unknown
  try { json = JSON.parse(payload.toString('utf8')) } catch { return { kind: 'malformed', detail: 'payload: not JSON' } }
  const read = readShape(form, json, 'hidden')
  return read.kind === 'ok' ? read : { kind: 'malformed', detail: lineOfShapeFault({ ...read.faults[0], path: ['payload', ...read.faults[0].path] }) }
}
