import { invalid, issuesOf, refusedBy, retryAfterMs, type FhirClient, type RawAnswer } from '../http/index.ts'
import { list } from '../resources/index.ts'
import type { Clock, DurationMs } from '../../../streams/time/index.ts'

export interface ExportFile { readonly type: string, readonly url: string }

/** What a finished export holds (Bulk Data Access 2.0, 2.5.4). */
export interface Manifest {
  /** The server's time that the export is of: the next `_since`. */
  readonly transactionTime: string
  readonly requiresAccessToken: boolean
  readonly output: readonly ExportFile[]
  readonly deleted: readonly ExportFile[]
  readonly error: readonly ExportFile[]
}

export interface ExportRequest {
  /** `Group/123/$export`, `Patient/$export`, `$export`. */
  readonly path: string
  readonly types: readonly string[]
  readonly since: string | undefined
}

const POLL_MS: DurationMs = 10_000
const POLL_MS_MAX: DurationMs = 5 * 60_000

/** Starts an export; answers where its state is asked. */
export async function kickOff (client: FhirClient, { path, types, since }: ExportRequest, signal: AbortSignal): Promise<string> {
  const query = [`_outputFormat=${encodeURIComponent('application/fhir+ndjson')}`, ...(types.length === 0 ? [] : [`_type=${types.join(',')}`]), ...(since === undefined ? [] : [`_since=${encodeURIComponent(since)}`])].join('&')
  const answer = await client.fetch(`${path}?${query}`, { signal, headers: { accept: 'application/fhir+json', prefer: 'respond-async' }, expects: [200, 202, 400, 403, 404, 422, 501] })
  const location = answer.headers.get('content-location')
  if (answer.status >= 400) throw refusedBy(`will not export (${[answer.status, ...issuesOf(parsed(answer))].join(', ')})`)
  if (answer.status !== 202 || location === null || !URL.canParse(location, client.baseUrl)) throw invalid('to $export is not 202 with a Content-Location: the server cannot export')
  const url = new URL(location, `${client.baseUrl}/`).href
  if (new URL(url).origin !== new URL(client.baseUrl).origin) throw invalid('to $export has a Content-Location on another host')
  return url
}

/** Asks until the export is done. undefined: the server does not know it (any more). */
export async function waitFor (client: FhirClient, url: string, clock: Clock, signal: AbortSignal, onProgress: (text: string) => void): Promise<Manifest | undefined> {
  let pauseMs = POLL_MS
  while (!signal.aborted) {
    const answer = await client.fetch(url, { signal, headers: { accept: 'application/json' }, expects: [404, 410] })
    if (answer.status === 404 || answer.status === 410) return undefined
    if (answer.status === 200) return manifestOf(answer)
    const progress = answer.headers.get('x-progress') ?? ''
    onProgress(/^[\w .,:%/()-]{1,100}$/.test(progress) ? progress : '')
    await clock.sleep(retryAfterMs(answer.headers.get('retry-after'), answer.headers.get('date'), clock.now()) ?? pauseMs, signal)
    pauseMs = Math.min(pauseMs * 2, POLL_MS_MAX)
  }
  return undefined
}

/** Tells the server that its files may go. It is no failure where it cannot. */
export async function discard (client: FhirClient, url: string, signal: AbortSignal): Promise<void> {
  await client.fetch(url, { method: 'DELETE', signal, expects: [400, 403, 404, 405, 410, 501] })
}

function manifestOf (answer: RawAnswer): Manifest {
  const said = parsed(answer) as Readonly<Record<string, unknown>> | undefined
  const transactionTime = said?.['transactionTime']
  if (typeof transactionTime !== 'string' || Number.isNaN(Date.parse(transactionTime))) throw invalid('to a finished export is no manifest')
  return { transactionTime, requiresAccessToken: said?.['requiresAccessToken'] !== false, output: filesOf(said?.['output']), deleted: filesOf(said?.['deleted']), error: filesOf(said?.['error']) }
}

function filesOf (value: unknown): readonly ExportFile[] {
  return list(value as readonly Partial<ExportFile>[] | undefined).flatMap(({ type, url }) => typeof url === 'string' && URL.canParse(url) ? [{ type: typeof type === 'string' ? type : '', url }] : [])
}

function parsed ({ body }: RawAnswer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown
  } catch {
    return undefined // an answer without a body that can be read
  }
}
