import type { z } from 'zod'
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

/** Where an item does not fit its schema. The library's own texts may quote what was sent. */
export function refuseShape (error: z.ZodError): RefusedItem {
  const issue = innermost(error.issues)
  const path = issue?.path ?? []
  const field = path.findLast(step => typeof step === 'string')
  const cause = typeof field === 'string' && issue?.code !== 'unrecognized_keys' ? CAUSES[field] ?? 'malformed' : 'malformed'
  return refuseItem(cause, path.map(step => `/${String(step)}`).join(''), cause === 'time-unparsable' ? 'missing, or not RFC 3339 with an offset' : whatIsWrong(issue))
}

/** In words that quote nothing. */
export function whatIsWrong (issue: z.core.$ZodIssue | undefined): string { return WHAT[issue?.code ?? ''] ?? 'not as described' }

const WHAT: Readonly<Record<string, string>> = {
  invalid_type: 'missing, or of another type', unrecognized_keys: 'has a field that is not known', invalid_value: 'not one of those that are known',
  invalid_format: 'not in the form described', too_small: 'too small or too short', too_big: 'too large or too long',
}

/** Of a union the member that came furthest says what is wrong. */
function innermost (issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue | undefined {
  const [first] = issues
  if (first?.code !== 'invalid_union' || first.errors.length === 0) return first
  const [nearest = []] = first.errors.toSorted((a, b) => a.length - b.length)
  return innermost(nearest) ?? first
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
