import type { FhirClient } from '../http/index.ts'
import { unreachable } from '../http/index.ts'

/** The server's clock, to the second, from the Date of its answers. */
export async function serverNow (client: FhirClient, signal: AbortSignal): Promise<number> {
  const known = client.serverTime()
  if (known !== undefined) return known
  await client.fetch('metadata?_summary=true', { signal, expects: [401, 403, 404] })
  const now = client.serverTime()
  if (now === undefined) throw unreachable('does not say what time it is (no Date header): give `from` as a time')
  return now
}
