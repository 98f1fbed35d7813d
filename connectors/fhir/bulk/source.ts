import type { KeptTable, Source, SourceMessage, SourceSession } from '../../kit/index.ts'
import type { DurationMs } from '../../../streams/time/index.ts'
import { invalid, issuesOf, type FhirClient } from '../http/index.ts'
import { deletionMessage, type References } from '../polling/index.ts'
import { envelopeOf, isResource, list, READ_TYPES, text, type FhirResource } from '../resources/index.ts'
import { discard, kickOff, waitFor, type ExportFile, type Manifest } from './job.ts'
import { linesOf } from './ndjson.ts'

/** How an export stands, as it is kept: what was exported last, and the job that runs. */
export interface ExportState {
  /** transactionTime of the last export that was taken whole: the next `_since`. */
  readonly since?: string
  /** The server's time of day of the last start, to keep the interval over restarts. */
  readonly startedAt?: number
  /** Where the running job is asked. */
  readonly job?: string
}

export interface BulkOptions {
  readonly client: FhirClient
  readonly references: References
  readonly table: KeptTable<ExportState>
  readonly path: string
  readonly types: readonly string[]
  /** Where the first export begins; undefined: with everything. */
  readonly from: string | undefined
  readonly everyMs: DurationMs
  readonly lineBytesMax: number
  /** Origins, beside the server's own, that files may be fetched from; a token goes to none of them. */
  readonly fileOrigins: readonly string[]
  readonly count: (what: string, n?: number) => void
  readonly say: (line: string) => void
}

const STATE = 'export'

/** How far the files of a job were taken: it is the position that the kit keeps. */
interface Progress { readonly job: string, readonly file: number, readonly line: number }

/**
 * Bulk Data `$export` with `_since`: started, waited for, read line by line, and discarded. A restart finds the running job and goes on at the line
 * behind the last that was taken; where the server no longer has it the export begins anew, and what is known is a duplicate.
 */
export function bulkSource (options: BulkOptions): Source {
  const rows = new Map(options.table.load())
  const state = { now: rows.get(STATE) ?? {} }
  return { endpoint: options.client.baseUrl, read: session => readExport(options, session, state) }
}

async function * readExport (options: BulkOptions, session: SourceSession, state: { now: ExportState }): AsyncIterable<SourceMessage> {
  const { client, table, everyMs, say } = options
  const { signal, clock } = session
  const keep = async (next: ExportState): Promise<void> => { state.now = next; await table.save(STATE, next) }
  if (state.now.job === undefined) {
    if (state.now.startedAt !== undefined && clock.now() < state.now.startedAt + everyMs) return
    const since = state.now.since ?? options.from
    const job = await kickOff(client, { path: options.path, types: options.types, since }, signal)
    await keep({ ...state.now, job, startedAt: clock.now() })
    say('an export has begun')
  }
  const job = state.now.job!
  const manifest = await waitFor(client, job, clock, signal, progress => { if (progress !== '') say(`the export says: ${progress}`) })
  if (signal.aborted) return
  if (manifest === undefined) { const { job: _, startedAt: __, ...rest } = state.now; await keep(rest); throw invalid('no longer knows the export: it is begun anew') }
  yield * readFiles(options, session, job, manifest)
  if (signal.aborted) return
  const { job: _, ...rest } = state.now
  await keep({ ...rest, since: manifest.transactionTime })
  await discard(client, job, signal)
  say('an export was taken')
}

/** Returns when the last message was taken: only then may the job be forgotten. */
async function * readFiles (options: BulkOptions, session: SourceSession, job: string, manifest: Manifest): AsyncIterable<SourceMessage> {
  const { signal } = session
  const done = progressOf(session.position, job)
  const taken = new Taken()
  const files = [...ordered(manifest.output).map(file => ({ file, read: resourceMessage })), ...manifest.deleted.map(file => ({ file, read: deletionMessages }))]
  for (const [number, { file, read }] of files.entries()) {
    if (number < done.file) continue
    let line = 0
    for await (const raw of lines(options, file, manifest, signal)) {
      line++
      if (number === done.file && line <= done.line) continue
      const messages = await read(options, raw, signal, manifest.transactionTime)
      for (const [i, message] of messages.entries()) {
        if (signal.aborted) return
        const isLast = i === messages.length - 1
        yield taken.follow({ ...message, ...(isLast ? { position: JSON.stringify({ job, file: number, line } satisfies Progress) } : {}) })
      }
    }
  }
  await tellIssues(options, manifest, signal)
  await taken.all(signal)
}

/** What the server could not export is not to be had by asking again: it is counted, and told once. */
async function tellIssues (options: BulkOptions, manifest: Manifest, signal: AbortSignal): Promise<void> {
  let errors = 0
  for (const file of manifest.error) {
    for await (const raw of lines(options, file, manifest, signal)) {
      const isError = issuesOf(parse(raw)).some(one => /^(error|fatal)/.test(one))
      options.count(isError ? 'export-issue-error' : 'export-issue')
      if (isError) errors++
    }
  }
  if (errors > 0) options.say(`the server says of ${errors} things that it could not export them: what it exported is taken, and the rest is missing`)
}

/** Who and where before what, so that what is said later is read against it. */
function ordered (files: readonly ExportFile[]): readonly ExportFile[] {
  const rank = (type: string): number => type === 'Location' || type === 'Medication' ? -1 : READ_TYPES.includes(type) ? READ_TYPES.indexOf(type) : READ_TYPES.length
  return files.map((file, i) => ({ file, i })).toSorted((a, b) => rank(a.file.type) - rank(b.file.type) || a.i - b.i).map(one => one.file)
}

async function * lines ({ client, fileOrigins, lineBytesMax }: BulkOptions, { url }: ExportFile, { requiresAccessToken }: Manifest, signal: AbortSignal): AsyncIterable<Buffer> {
  const home = new URL(url).origin === new URL(client.baseUrl).origin
  if (!home && !fileOrigins.includes(new URL(url).origin)) throw invalid('names an export file on another host: name it in fileOrigins if it is right')
  const answer = await client.fetch(url, { signal, streamed: true, authorized: home && requiresAccessToken, headers: { accept: 'application/fhir+ndjson' } })
  if (answer.stream === undefined) return
  yield * linesOf(answer.stream as unknown as AsyncIterable<Uint8Array>, lineBytesMax)
}

async function resourceMessage ({ references }: BulkOptions, raw: Buffer, signal: AbortSignal): Promise<readonly SourceMessage[]> {
  const resource = parse(raw)
  if (resource === undefined) return [{ raw }] // the mapper says what is wrong with it
  if (resource.resourceType === 'Location' || resource.resourceType === 'Medication') { references.remember(resource); await references.note(resource); return [] }
  const message = envelopeOf(resource, await references.includesOf(resource, signal))
  references.remember(resource)
  return [{ raw: message, acknowledge: () => references.note(resource) }]
}

/** A line is a transaction Bundle of DELETE entries (Bulk Data Access 2.0, 2.5.4). */
async function deletionMessages ({ client, references }: BulkOptions, raw: Buffer, signal: AbortSignal, noticedAt: string): Promise<readonly SourceMessage[]> {
  const bundle = parse(raw)
  if (bundle?.resourceType !== 'Bundle') return [{ raw }]
  const messages: SourceMessage[] = []
  for (const { request } of list(bundle.entry)) {
    const [, type, id] = /([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})$/.exec(text(request?.url)) ?? []
    if (request?.method === 'DELETE' && type !== undefined && id !== undefined) messages.push({ raw: await deletionMessage(client, references, { type, id, noticedAt }, signal) })
  }
  return messages
}

function parse (raw: Buffer): FhirResource | undefined {
  try {
    const said: unknown = JSON.parse(raw.toString('utf8'))
    return isResource(said) ? said : undefined
  } catch {
    return undefined // handed on as it is: the mapper refuses it
  }
}

function progressOf (position: string | undefined, job: string): Progress {
  try {
    const said = JSON.parse(position ?? '{}') as Partial<Progress>
    if (said.job === job && Number.isInteger(said.file) && Number.isInteger(said.line)) return { job, file: said.file!, line: said.line! }
  } catch {
    // of another mode: nothing of this job was taken
  }
  return { job, file: 0, line: 0 }
}

/** Counts messages until they were taken. */
class Taken {
  #open = 0
  #wake = (): void => {}

  follow (message: SourceMessage): SourceMessage {
    this.#open++
    return { ...message, acknowledge: async () => { await message.acknowledge?.(); this.#open--; this.#wake() } }
  }

  async all (signal: AbortSignal): Promise<void> {
    const wake = (): void => { this.#wake() }
    signal.addEventListener('abort', wake)
    while (this.#open > 0 && !signal.aborted) await new Promise<void>(resolve => { this.#wake = resolve })
    signal.removeEventListener('abort', wake)
  }
}
