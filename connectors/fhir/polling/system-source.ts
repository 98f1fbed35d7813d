import type { Source, SourceMessage, SourceSession } from '../../kit/index.ts'
import type { DurationMs } from '../../../streams/time/index.ts'
import type { FhirClient } from '../http/index.ts'
import { envelopeOf, isResource, list, text, type Bundle, type FhirResource } from '../resources/index.ts'
import { deletionMessage } from './deletions.ts'
import { Recent, readMarks, writeMarks } from './position.ts'
import type { References } from './references.ts'
import { serverNow } from './server-now.ts'

export interface SystemPollOptions {
  readonly client: FhirClient
  readonly references: References
  /** Types, in the order in which they are read. */
  readonly types: readonly string[]
  /** Search parameters of a type beside ours: `category=vital-signs,laboratory`. */
  readonly filters: Readonly<Record<string, string>>
  readonly pageSize: number
  /** Read again before the watermark: what the server shows late (an index behind, a transaction that was open, a clock of another node). */
  readonly overlapMs: DurationMs
  /** Where the first reading begins: an ISO time, or so long before the server's now. */
  readonly from: { readonly at: string } | { readonly beforeNowMs: DurationMs }
  /**
   * `keyset`: each page is a new search from the last time seen, so that pages which move under way lose nothing; `links`: the server's next links,
   * for servers whose pages are a snapshot, or that do not sort.
   */
  readonly paging: 'keyset' | 'links'
  /** Whether `_sort=_lastUpdated` is obeyed. Without it the watermark moves at the end of a whole reading only. */
  readonly sorted: boolean
  /** Whether the server tells deletions by `[type]/_history`. */
  readonly deletions: boolean
}

const RECENT_MAX = 50_000

/**
 * Polls whole types by `_lastUpdated`. The watermark is the server's own time, read from what it sends, so its clock may be wrong. A version that
 * comes twice is one: by this source's memory, and after a restart by the intake.
 */
export function systemSource (options: SystemPollOptions): Source {
  const memory: Memory = { recent: new Recent(RECENT_MAX), reached: new Map() }
  return { endpoint: options.client.baseUrl, read: session => readAll(options, session, memory) }
}

interface Memory {
  readonly recent: Recent
  /** How far a reading came that broke off: it goes on there, for if it read the overlap anew each time it might never come beyond it. */
  readonly reached: Map<string, string>
}

async function * readAll (options: SystemPollOptions, session: SourceSession, memory: Memory): AsyncIterable<SourceMessage> {
  const marks = readMarks(session.position)
  for (const type of options.types) {
    marks[type] ??= await beginning(options, session)
    yield * readType(type, marks, options, session, memory)
    if (session.signal.aborted) return
    if (options.deletions) yield * readDeletions(type, marks, options, session, memory)
    if (session.signal.aborted) return
  }
}

async function beginning ({ client, from }: SystemPollOptions, { signal }: SourceSession): Promise<string> {
  return 'at' in from ? from.at : new Date(await serverNow(client, signal) - from.beforeNowMs).toISOString()
}

/** Each message moves the watermark to its own time while they come in order; else the last one of a whole reading moves it to the newest of all. */
async function * readType (type: string, marks: Record<string, string>, options: SystemPollOptions, session: SourceSession, memory: Memory): AsyncIterable<SourceMessage> {
  const { references } = options
  let newest = marks[type]!
  let held: Held | undefined
  for await (const { resource, key, inOrder } of changes(type, memory.reached.get(type) ?? minus(newest, options.overlapMs), options, session, memory)) {
    if (held !== undefined) { references.remember(held.resource); yield held.message }
    const at = text(resource.meta?.lastUpdated)
    if (isBefore(newest, at)) newest = at
    if (inOrder && isBefore(marks[type]!, at)) marks[type] = at
    const raw = envelopeOf(resource, await references.includesOf(resource, session.signal))
    held = { resource, message: { raw, position: writeMarks(marks), acknowledge: async () => { memory.recent.add(key); await references.note(resource) } } }
  }
  if (isBefore(marks[type]!, newest)) marks[type] = newest
  if (held !== undefined) { references.remember(held.resource); yield { ...held.message, position: writeMarks(marks) } }
}

/** Read, and not yet handed on: the last of a reading carries its mark. Only what is handed on is remembered, since a reading may end in between. */
interface Held { readonly resource: FhirResource, readonly message: SourceMessage }

interface Change { readonly resource: FhirResource, readonly key: string, readonly inOrder: boolean }

/** What has changed since a moment, each version once. `inOrder`: everything up to here came by rising times. */
async function * changes (type: string, since: string, options: SystemPollOptions, { signal }: SourceSession, { recent, reached }: Memory): AsyncIterable<Change> {
  const met = new Recent(RECENT_MAX)
  let inOrder = options.sorted
  let from: string | undefined = since
  let last = since
  while (from !== undefined && !signal.aborted) {
    const began: string = from
    from = undefined
    for await (const bundle of options.client.search(query(type, began, options), { signal, headers: FRESH })) {
      for (const resource of resourcesOf(bundle, type)) {
        const at = text(resource.meta?.lastUpdated)
        if (at === '' || isBefore(at, last)) inOrder = false
        if (isBefore(last, at)) last = at
        if (inOrder) reached.set(type, last)
        else reached.delete(type)
        const key = `${type}/${resource.id ?? ''}/${resource.meta?.versionId ?? ''}/${at}`
        if (!recent.has(key) && met.add(key)) yield { resource, key, inOrder }
      }
      const hasNext = list(bundle.link).some(one => one.relation === 'next')
      // A page of one instant alone does not lead on: then its own link is followed.
      if (options.paging === 'keyset' && inOrder && hasNext && isBefore(began, last)) { from = last; break }
    }
  }
  reached.delete(type)
}

/** A server's cache would answer the same search with the same page for a while (HAPI FHIR: a minute). */
const FRESH: Readonly<Record<string, string>> = { 'cache-control': 'no-cache' }

function query (type: string, from: string, { filters, pageSize, sorted }: SystemPollOptions): string {
  const own = filters[type] ?? ''
  return `${type}?_lastUpdated=ge${encodeURIComponent(from)}${sorted ? '&_sort=_lastUpdated' : ''}&_count=${pageSize}${own === '' ? '' : `&${own}`}`
}

function resourcesOf (bundle: Bundle, type: string): readonly FhirResource[] {
  return list(bundle.entry).filter(entry => entry.search?.mode !== 'include' && entry.search?.mode !== 'outcome').flatMap(({ resource }) => isResource(resource) && resource.resourceType === type ? [resource] : [])
}

async function * readDeletions (type: string, marks: Record<string, string>, options: SystemPollOptions, { signal }: SourceSession, { recent }: Memory): AsyncIterable<SourceMessage> {
  const { client, references, overlapMs, pageSize } = options
  const name = `${type}/deleted`
  const since = marks[name] ?? marks[type]!
  let newest = since
  let held: SourceMessage | undefined
  for await (const bundle of client.search(`${type}/_history?_since=${encodeURIComponent(minus(since, overlapMs))}&_count=${pageSize}`, { signal, headers: FRESH })) {
    for (const entry of list(bundle.entry)) {
      const at = text(entry.response?.lastModified) || text(entry.resource?.meta?.lastUpdated)
      if (isBefore(newest, at)) newest = at
      const id = /([A-Za-z0-9.-]{1,64})(?:\/_history\/[^/]+)?$/.exec(text(entry.request?.url) || text(entry.fullUrl))?.[1]
      const key = `deleted/${type}/${id ?? ''}/${at}`
      if (entry.request?.method !== 'DELETE' || id === undefined || recent.has(key)) continue
      if (held !== undefined) yield held
      held = { raw: await deletionMessage(client, references, { type, id, at }, signal), acknowledge: () => { recent.add(key); return Promise.resolve() } }
    }
  }
  marks[name] = newest // a history comes newest first: the mark moves when it was read to its end
  if (held !== undefined) yield { ...held, position: writeMarks(marks) }
}

/** Compared as moments: servers write the same one in several ways. */
function isBefore (a: string, b: string): boolean { return Date.parse(a) < Date.parse(b) }

function minus (time: string, ms: DurationMs): string { return new Date(Date.parse(time) - ms).toISOString() }
