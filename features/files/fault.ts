import { LatidoError } from '../../streams/errors/index.ts'

/** A mistake in a user's file: `my-views/shock.ts:12: what`. */
export function faultAt (file: string, line: number | undefined, what: string, action: string, cause?: unknown): LatidoError {
  return new LatidoError('VIEW_INVALID', `${file}${line === undefined ? '' : `:${line}`}: ${what}`, action, cause)
}
