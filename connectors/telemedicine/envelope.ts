import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Fault } from '../kit/index.ts'
import { TELEMEDICINE_LIMITS } from './options.ts'

/** One item of a request that was refused: which, and where in it. `path` is a JSON pointer into the request's body. */
export interface ItemFault extends Fault { readonly index: number, readonly path: string }

export const ITEM_KINDS = ['observations', 'symptoms', 'questionnaires'] as const
export type ItemKind = (typeof ITEM_KINDS)[number]

/** What is taken to the log: a request's items with what its credential said. A dead letter is one, with a single item. */
export interface Envelope {
  readonly kind: ItemKind
  /** Identity of the request: a hash of who sent it and its idempotency key. */
  readonly id: string
  /** Which item of the request this is, where it stands alone. */
  readonly part?: number | undefined
  readonly patient: { readonly id: string, readonly authority: string }
  readonly items: readonly unknown[]
}

const envelope: z.ZodType<Envelope> = z.strictObject({
  kind: z.enum(ITEM_KINDS), id: z.string().min(1), part: z.int().min(0).optional(),
  patient: z.strictObject({ id: z.string().min(1), authority: z.string() }), items: z.array(z.unknown()).min(1),
})

export function writeEnvelope (message: Envelope): Buffer { return Buffer.from(JSON.stringify(message)) }

export function readEnvelope (raw: Buffer): Envelope | undefined {
  const parsed = readJson(raw)
  if (parsed.kind === 'refused') return undefined
  const read = envelope.safeParse(parsed.value)
  return read.success ? read.data : undefined
}

export type Json = { readonly kind: 'json', readonly value: unknown } | { readonly kind: 'refused', readonly why: string }

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** JSON in strict UTF-8 (RFC 8259, 8.1), no deeper than the limit: what walks it later may recurse. */
export function readJson (raw: Uint8Array): Json {
  let value: unknown
  try { value = JSON.parse(utf8.decode(raw)) } catch { return { kind: 'refused', why: 'the body is not JSON in UTF-8' } }
  return depthWithin(value, TELEMEDICINE_LIMITS.depthMax + 4) ? { kind: 'json', value } : { kind: 'refused', why: 'the body is nested too deeply' }
}

function depthWithin (value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return levels > 0 && Object.values(value).every(one => depthWithin(one, levels - 1))
}

/** The same for the same content, however its fields are ordered and spaced. */
export function canonical (value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  return `{${Object.entries(value).filter(([, one]) => one !== undefined).toSorted(([a], [b]) => a < b ? -1 : 1).map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(',')}}`
}

/** Short, and without what it was made of. */
export function identityOf (...parts: readonly string[]): string { return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32) }
