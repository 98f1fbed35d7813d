import { Ward } from './ward.ts'
import type { WardOptions } from './ward.ts'

/** Something a ward sends: over MLLP, or by a monitor over MQTT. */
export type WardStep =
  | { readonly kind: 'hl7', readonly dueMs: number, readonly controlId: string, readonly text: string }
  | { readonly kind: 'association', readonly dueMs: number, readonly device: string, readonly payload: string }
  | { readonly kind: 'numerics', readonly dueMs: number, readonly device: string, readonly payload: string }

/**
 * Everything that a ward sends, for ever, in the order in which it is due; the same options give the same steps.
 * Pure: no clock, no socket. Who runs it waits until `dueMs` (milliseconds since 1970) and sends.
 */
export function * wardSteps (options: WardOptions): Generator<WardStep, never, void> {
  const ward = new Ward(options)
  for (;;) yield ward.next()
}
