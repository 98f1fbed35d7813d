import { isLatidoError } from '../../../streams/errors/index.ts'
import type { Source, SourceMessage, SourceSession } from '../../kit/index.ts'
import type { DurationMs } from '../../../streams/time/index.ts'
import type { FhirClient } from '../http/index.ts'
import { invalid } from '../http/index.ts'
import { envelopeOf, isResource, list, localReference, subjectOf, text, type FhirResource } from '../resources/index.ts'
import { Recent, readMarks, writeMarks } from './position.ts'
import type { References } from './references.ts'
import { serverNow } from './server-now.ts'

/** Whose data is read: named ids, the members of a Group, or the subjects of a search (`Encounter?status=in-progress`). */
export type PatientList = { readonly ids: readonly string[] } | { readonly group: string } | { readonly search: string }

export interface PatientPollOptions {
  readonly client: FhirClient
  readonly references: References
  readonly patients: PatientList
  /** Searches for each patient, to which `patient=` is put: `Observation?category=vital-signs`. */
  readonly searches: readonly PatientSearch[]
  readonly pageSize: number
  /** Read again before the last reading: results and charted values are often entered long after the time that they are of. */
  readonly lookbackMs: DurationMs
  readonly count?: (what: string, n?: number) => void
}

export interface PatientSearch {
  readonly query: string
  /** `date`: by the clinical date, which everybody can; `_lastUpdated`: by the change, which finds late entries too; none: all of it each time. */
  readonly by: 'date' | '_lastUpdated' | 'none'
}

const PATIENTS_MAX = 10_000
const RECENT_MAX = 200_000
const MARK = 'patients'

/**
 * Polls patient by patient, for servers without a search over everybody. A round ends when all patients were read; what it read is kept as one mark, the
 * server's time at its beginning. New values of old times are found within the look-back; versions that are known are not told again. A patient whom the
 * server will not show (a sealed record, one that is gone) holds up nobody: the others are read. A search that it refuses for everybody is a failure.
 */
export function patientSource (options: PatientPollOptions): Source {
  const recent = new Recent(RECENT_MAX)
  return { endpoint: options.client.baseUrl, read: session => readRound(options, session, recent) }
}

async function * readRound (options: PatientPollOptions, session: SourceSession, recent: Recent): AsyncIterable<SourceMessage> {
  const { client, references } = options
  const { signal } = session
  const marks = readMarks(session.position)
  const patients = await patientsOf(options, signal)
  const began = new Date(await serverNow(client, signal)).toISOString()
  const since = new Date(Date.parse(marks[MARK] ?? began) - options.lookbackMs).toISOString()
  const refusals = new Refusals()
  let held: { readonly resource: FhirResource, readonly message: SourceMessage } | undefined
  for (const patient of patients) {
    for (const search of options.searches) {
      for await (const resource of refusals.over(search.query, found(options, queryOf(search, patient, since, options.pageSize), signal))) {
        const key = keyOf(resource)
        if (recent.has(key)) continue
        if (held !== undefined) { references.remember(held.resource); yield held.message }
        if (signal.aborted) return
        const raw = envelopeOf(resource, await references.includesOf(resource, signal))
        held = { resource, message: { raw, acknowledge: async () => { recent.add(key); await references.note(resource) } } }
      }
    }
  }
  if (refusals.count > 0) options.count?.('search-refused', refusals.count)
  const { ofEverybody } = refusals
  if (ofEverybody !== undefined) {
    if (held !== undefined) { references.remember(held.resource); yield held.message }
    throw ofEverybody
  }
  if (held !== undefined) { references.remember(held.resource); yield { ...held.message, position: writeMarks({ ...marks, [MARK]: began }) } }
}

/** A server's cache would answer the same search with the same page for a while. */
const FRESH: Readonly<Record<string, string>> = { 'cache-control': 'no-cache' }

async function * found ({ client }: PatientPollOptions, query: string, signal: AbortSignal): AsyncIterable<FhirResource> {
  for await (const bundle of client.search(query, { signal, headers: FRESH })) {
    for (const { resource, search } of list(bundle.entry)) if (isResource(resource) && search?.mode !== 'include' && search?.mode !== 'outcome') yield resource
  }
}

/** Searches that the server refused, each for one patient. */
class Refusals {
  count = 0
  readonly #answered = new Set<string>()
  readonly #refused = new Map<string, Error>()

  async * over (search: string, resources: AsyncIterable<FhirResource>): AsyncIterable<FhirResource> {
    try {
      yield * resources
      this.#answered.add(search)
    } catch (e) {
      if (!isLatidoError(e) || e.code !== 'FHIR_REFUSED') throw e
      this.count++
      this.#refused.set(search, e)
    }
  }

  /** Why a search was answered for nobody; undefined: each was, or there was nobody to ask for. */
  get ofEverybody (): Error | undefined { return [...this.#refused].find(([search]) => !this.#answered.has(search))?.[1] }
}

/** A server that keeps no versions tells a change by its content. */
function keyOf (resource: FhirResource): string {
  const { versionId, lastUpdated } = resource.meta ?? {}
  return `${resource.resourceType}/${resource.id ?? ''}/${versionId ?? ''}/${lastUpdated ?? ''}${versionId === undefined && lastUpdated === undefined ? JSON.stringify(resource) : ''}`
}

function queryOf ({ query, by }: PatientSearch, patient: string, since: string, pageSize: number): string {
  const time = by === 'none' ? '' : `&${by}=ge${encodeURIComponent(since)}`
  const whose = /^Patient(\?|$)/.test(query) ? '_id' : 'patient'
  return `${query}${query.includes('?') ? '&' : '?'}${whose}=${encodeURIComponent(patient)}${time}&_count=${pageSize}`
}

async function patientsOf ({ client, patients, pageSize }: PatientPollOptions, signal: AbortSignal): Promise<readonly string[]> {
  if ('ids' in patients) return patients.ids
  const found = 'group' in patients ? await membersOf(client, patients.group, signal) : await subjectsOf(client, patients.search, pageSize, signal)
  if (found.size > PATIENTS_MAX) throw invalid(`has more than ${PATIENTS_MAX} patients to be read one by one`)
  return [...found]
}

async function membersOf (client: FhirClient, group: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const outcome = await client.read('Group', group, { signal })
  if (outcome.kind !== 'found' || outcome.resource.resourceType !== 'Group') throw invalid('has no such Group')
  return new Set(list(outcome.resource.member).filter(one => one.inactive !== true).flatMap(one => idOf(text(one.entity?.reference))))
}

async function subjectsOf (client: FhirClient, query: string, pageSize: number, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for await (const bundle of client.search(`${query}&_count=${pageSize}`, { signal })) {
    for (const { resource } of list(bundle.entry)) {
      if (!isResource(resource)) continue
      const subject = subjectOf(resource)
      for (const id of resource.resourceType === 'Patient' ? [resource.id ?? ''] : subject.kind === 'patient' ? idOf(text(subject.reference?.reference)) : []) if (id !== '') found.add(id)
    }
  }
  return found
}

function idOf (reference: string): readonly string[] {
  const local = localReference(reference)
  return local?.startsWith('Patient/') === true ? [local.slice('Patient/'.length)] : []
}
