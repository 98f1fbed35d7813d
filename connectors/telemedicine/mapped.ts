import type { z } from 'zod'
import { readShape } from '../../streams/shapes/index.ts'
import type { Observation, RefusalCause, StatementEvent } from '../../streams/events/index.ts'
import { note, type MapContext, type Notices } from '../kit/index.ts'
import type { TelemedicineOptions } from './options.ts'

/** What became of one item. `identity` is the same for two that say something of the same. */
export type Mapped =
  | { readonly kind: 'observation', readonly identity: string, readonly observation: Observation }
  | { readonly kind: 'statements', readonly identity: string, readonly statements: readonly StatementEvent[] }
  | { readonly kind: 'nothing' }
  | RefusedItem

/** `path` is a JSON pointer within the item; `detail` never has a value. */
export interface RefusedItem { readonly kind: 'refused', readonly cause: RefusalCause, readonly path: string, readonly detail: string }

export interface Setting {
  readonly context: MapContext
  readonly options: TelemedicineOptions
  readonly source: string
  readonly notices: Notices
}

export function refuseItem (cause: RefusalCause, path: string, detail: string): RefusedItem { return { kind: 'refused', cause, path, detail } }

/** Fields whose fault has a cause of its own. */
const CAUSES: Readonly<Record<string, RefusalCause>> = {
  value: 'value-unparsable', severity: 'value-unparsable', score: 'value-unparsable', total: 'value-unparsable',
  takenAt: 'time-unparsable', reportedAt: 'time-unparsable', onset: 'time-unparsable', ended: 'time-unparsable', authored: 'time-unparsable',
  unit: 'unit-unknown', code: 'code-unknown', system: 'code-unknown', concept: 'code-unknown',
}

/** An item by its schema, or where it does not fit; nothing of it is repeated. */
export function readItem<T> (schema: z.ZodType<T>, item: unknown): { readonly kind: 'ok', readonly value: T } | RefusedItem {
  const read = readShape(schema, item, 'hidden')
  if (read.kind === 'ok') return read
  const [{ path, why, about }] = read.faults
  const field = path.findLast(step => typeof step === 'string')
  const cause = typeof field === 'string' && about === 'value' ? CAUSES[field] ?? 'malformed' : 'malformed'
  return refuseItem(cause, path.map(step => `/${step}`).join(''), cause === 'time-unparsable' ? 'missing, or not RFC 3339 with an offset' : why)
}

const DAY_MS = 86_400_000

/** The moment, or why it cannot be: ahead of the log's clock within the tolerance it is the arrival's. */
export function momentOf (text: string, path: string, { context, options, notices }: Setting): number | RefusedItem {
  const at = Date.parse(text)
  if (Number.isNaN(at)) return refuseItem('time-unparsable', path, 'not a date that exists')
  if (at > context.now + options.futureToleranceMs) return refuseItem('time-in-future', path, 'ahead of the log\'s clock')
  if (at < context.now - options.daysBackMax * DAY_MS) return refuseItem('time-implausible', path, `more than ${options.daysBackMax} days ago`)
  if (at <= context.now) return at
  note(notices, 'time-clamped')
  return context.now
}
