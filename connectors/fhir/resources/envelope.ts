import { list, text, type Bundle, type BundleEntry, type FhirResource, type Patient } from './types.ts'

/**
 * What a raw message is: one resource as JSON; or a Bundle of any type, each of whose entries says something by itself. An entry with
 * `search.mode: include` says nothing: it is there so that references can be followed, which makes a message readable without the server, also as a
 * dead letter. A deletion is an entry with `request.method: DELETE` and `request.url: Type/id`; the last known version stands beside it as an include.
 * The version of an encounter that was seen before stands beside the new one in the same way.
 */
export interface Envelope {
  readonly said: readonly Said[]
  readonly includes: readonly FhirResource[]
  /** Entries that carry nothing for us: outcomes, entries without a resource. */
  readonly skipped: number
}

export type Said =
  | { readonly kind: 'resource', readonly resource: FhirResource }
  | { readonly kind: 'deletion', readonly type: string, readonly id: string, /** Tells two deletions of one resource apart. */ readonly at: string }

export type ReadEnvelope = { readonly kind: 'ok', readonly envelope: Envelope } | { readonly kind: 'unreadable', readonly detail: string }

const URL_OF_ENTRY = /(?:^|\/)([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[^/?#]+)?$/

export function readEnvelope (raw: Buffer): ReadEnvelope {
  let said: unknown
  try {
    said = JSON.parse(raw.toString('utf8'))
  } catch {
    return { kind: 'unreadable', detail: 'the message is not JSON' }
  }
  if (!isResource(said)) return { kind: 'unreadable', detail: 'the message is not a FHIR resource: it has no resourceType' }
  return { kind: 'ok', envelope: said.resourceType === 'Bundle' ? ofBundle(said) : { said: [{ kind: 'resource', resource: said }], includes: [], skipped: 0 } }
}

function ofBundle (bundle: Bundle): Envelope {
  const said: Said[] = []
  const includes: FhirResource[] = []
  let skipped = 0
  for (const entry of list(bundle.entry)) {
    const deleted = entry.request?.method === 'DELETE' ? URL_OF_ENTRY.exec(text(entry.request.url) || text(entry.fullUrl)) : null
    const { resource } = entry
    if (deleted !== null) said.push({ kind: 'deletion', type: deleted[1]!, id: deleted[2]!, at: text(entry.response?.lastModified) })
    else if (!isResource(resource) || resource.resourceType === 'OperationOutcome' || entry.search?.mode === 'outcome') skipped++
    else if (entry.search?.mode === 'include') includes.push(resource)
    else said.push({ kind: 'resource', resource })
  }
  return { said, includes, skipped }
}

export function isResource (value: unknown): value is FhirResource {
  return typeof value === 'object' && value !== null && typeof (value as { resourceType?: unknown }).resourceType === 'string'
}

/** A message of one resource with what it refers to. */
export function envelopeOf (resource: FhirResource, includes: readonly FhirResource[]): Buffer {
  if (includes.length === 0) return Buffer.from(JSON.stringify(resource))
  return bytes([{ resource }, ...includes.map(included)])
}

/** A message that says that a resource is gone; without its last version nobody can tell whose it was. */
export function deletionOf (type: string, id: string, at: string, lastVersion: FhirResource | undefined, includes: readonly FhirResource[]): Buffer {
  const response = at === '' ? {} : { response: { status: '204', lastModified: at } }
  return bytes([{ request: { method: 'DELETE', url: `${type}/${id}` }, ...response }, ...(lastVersion === undefined ? [] : [included(lastVersion)]), ...includes.map(included)])
}

function included (resource: FhirResource): BundleEntry { return { resource, search: { mode: 'include' } } }

function bytes (entry: readonly BundleEntry[]): Buffer { return Buffer.from(JSON.stringify({ resourceType: 'Bundle', type: 'collection', entry })) }

/** `Type/id` of a literal reference, absolute or relative, without its version; undefined for a contained, logical or foreign one. */
export function localReference (reference: unknown, baseUrl: string = ''): string | undefined {
  const said = text(reference)
  const match = URL_OF_ENTRY.exec(said)
  if (match === null || said.startsWith('#') || said.startsWith('urn:')) return undefined
  if (/^https?:/.test(said) && baseUrl !== '' && !said.startsWith(baseUrl)) return undefined
  return `${match[1]}/${match[2]}`
}

/** What of a patient is needed to read what is said of them: it is kept in caches and in envelopes. */
export function slimPatient (patient: Patient): Patient {
  const { id, identifier, name, birthDate, gender, link, active } = patient
  const first = list(name).find(one => one.use === 'official') ?? list(name)[0]
  return {
    resourceType: 'Patient',
    ...(id === undefined ? {} : { id }), ...(identifier === undefined ? {} : { identifier }), ...(first === undefined ? {} : { name: [first] }),
    ...(birthDate === undefined ? {} : { birthDate }), ...(gender === undefined ? {} : { gender }), ...(link === undefined ? {} : { link }), ...(active === undefined ? {} : { active }),
  } as Patient
}
