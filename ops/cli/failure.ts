import { isLatidoError, LatidoError, messageOf } from '../../streams/errors/index.ts'

const STORE_COMMIT = 'Commit failed (see commitError for details)'

/** What ended the process, for the person at the terminal: a line, or one for each fault of several; a fault of ours with its stack. */
export function lineOf (e: unknown): string {
  const failure = isLatidoError(e) ? e : storeFailure(e)
  if (failure !== undefined) return `latido: ${failure.message.replaceAll('\n', '\nlatido: ')}: ${failure.action} [${failure.code}]`
  return `latido: ${e instanceof Error ? e.stack ?? e.message : messageOf(e)}`
}

/**
 * LMDB tells a full or broken disk by rejecting each write of the commit, also those that nobody awaits (lmdb 3.5: `Commit failed`, and the
 * system's error with its number). What was committed before stays whole; the log has the rest.
 */
function storeFailure (e: unknown): LatidoError | undefined {
  if (!(e instanceof Error)) return undefined
  const { code } = e as { readonly code?: unknown }
  const ofStore = e.message.startsWith(STORE_COMMIT) || (typeof code === 'number' && /[\\/]lmdb[\\/]/.test(e.stack ?? ''))
  return ofStore ? new LatidoError('STORE_WRITE_FAILED', 'a store of the data directory could not be written', 'free the disk or mend it, then start again: what was stored is whole, and the log has the rest', e) : undefined
}
