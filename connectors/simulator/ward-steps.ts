import { Ward } from './ward.ts'
import type { WardOptions } from './ward.ts'
import type { WardStep } from './ward-step.ts'

/**
 * Everything that a ward sends, for ever, in the order in which it is due; the same options give the same steps.
 * Pure: no clock, no socket. Who runs it waits until `dueMs` (milliseconds since 1970) and sends.
 */
export function * wardSteps (options: WardOptions): Generator<WardStep, never, void> {
  const ward = new Ward(options)
  for (;;) yield ward.next()
}
