import type { Encounter } from 'fhir/r4.js'
import type { KeptTable } from '../../kit/index.ts'
import type { Clock, DurationMs } from '../../../streams/time/index.ts'
import { isLatidoError } from '../../../streams/errors/index.ts'
import type { FhirClient, ReadOutcome } from '../http/index.ts'
import { list, localReference, slimPatient, subjectOf, text, type FhirResource, type Reference } from '../resources/index.ts'

/** A resource that others refer to, as far as it is needed, as it is kept on disk. `resource` undefined: the server has none. */
export interface KnownResource { readonly resource?: FhirResource, readonly etag?: string, readonly at: number }

export interface ReferencesOptions {
  readonly client: FhirClient
  readonly clock: Clock
  readonly table: KeptTable<KnownResource>
  /** How many are kept; the one that was not needed for longest goes. */
  readonly keptMax?: number
  /** Asked again after so long, by its ETag. */
  readonly freshForMs?: DurationMs
}

export const REFERENCES_DEFAULTS: { readonly keptMax: number, readonly freshForMs: DurationMs, readonly missingForMs: DurationMs } = { keptMax: 20_000, freshForMs: 24 * 3_600_000, missingForMs: 60_000 }

const PARENTS_MAX = 5

/**
 * Patients, places and drugs that resources refer to: read once, kept sealed on disk, bounded. Also the version of each encounter that was last told,
 * against which the next one is read.
 */
export class References {
  readonly #options: ReferencesOptions
  readonly #known = new Map<string, KnownResource>()
  readonly #keptMax: number
  readonly #freshForMs: DurationMs
  /** Left memory, and still lie on disk. */
  readonly #gone: string[] = []
  readonly #asking = new Map<string, Promise<FhirResource | undefined>>()

  constructor (options: ReferencesOptions) {
    this.#options = options
    this.#keptMax = options.keptMax ?? REFERENCES_DEFAULTS.keptMax
    this.#freshForMs = options.freshForMs ?? REFERENCES_DEFAULTS.freshForMs
    for (const [key, value] of options.table.load()) this.#known.set(key, value)
  }

  /** What a resource needs beside it so that it can be read without the server. */
  async includesOf (resource: FhirResource, signal: AbortSignal): Promise<readonly FhirResource[]> {
    const found: FhirResource[] = []
    const add = (one: FhirResource | undefined): void => { if (one !== undefined) found.push(one) }
    const subject = subjectOf(resource)
    if (resource.resourceType !== 'Patient' && subject.kind === 'patient') add(await this.#follow(subject.reference, signal))
    if (resource.resourceType === 'Patient') for (const link of list(resource.link)) if (link.type === 'replaced-by' || link.type === 'replaces') add(await this.#follow(link.other, signal))
    if (resource.resourceType === 'Encounter') {
      for (const place of list(resource.location)) for (const one of await this.#chain(place.location, signal)) if (!found.includes(one)) found.push(one)
      add(this.#known.get(`Encounter/${resource.id ?? ''}`)?.resource)
    }
    if (resource.resourceType === 'MedicationRequest' || resource.resourceType === 'MedicationAdministration') add(await this.#follow(resource.medicationReference, signal))
    return found
  }

  /** A resource that came by itself is newer than what is known: the next ones are read against it. In memory alone, until `note`. */
  remember (resource: FhirResource): void {
    const slim = slimmed(resource)
    if (slim !== undefined && resource.id !== undefined) this.#put(`${resource.resourceType}/${resource.id}`, { resource: slim, at: this.#options.clock.now() })
  }

  /** It was taken: kept on disk, so that a restart goes on from it and never from something that nobody was told. */
  async note (resource: FhirResource): Promise<void> {
    const slim = slimmed(resource)
    if (slim !== undefined && resource.id !== undefined) await this.#save(`${resource.resourceType}/${resource.id}`, { resource: slim, at: this.#options.clock.now() })
  }

  async #chain (reference: Reference | undefined, signal: AbortSignal): Promise<readonly FhirResource[]> {
    const chain: FhirResource[] = []
    for (let at = reference; at !== undefined && chain.length < PARENTS_MAX;) {
      const found = await this.#follow(at, signal)
      if (found?.resourceType !== 'Location' || chain.includes(found)) break
      chain.push(found)
      at = found.partOf
    }
    return chain
  }

  async #follow (reference: Reference | undefined, signal: AbortSignal): Promise<FhirResource | undefined> {
    const key = localReference(reference?.reference, text(reference?.reference).startsWith('http') ? this.#options.client.baseUrl : '')
    if (key === undefined || !/^(Patient|Location|Medication)\//.test(key)) return undefined
    const known = this.#known.get(key)
    if (known !== undefined && this.#isFresh(known)) {
      this.#known.delete(key) // to the end: it was needed just now
      this.#known.set(key, known)
      return known.resource
    }
    let asking = this.#asking.get(key)
    if (asking === undefined) {
      asking = this.#ask(key, known, signal).finally(() => { this.#asking.delete(key) })
      this.#asking.set(key, asking)
    }
    return await asking
  }

  #isFresh ({ resource, at }: KnownResource): boolean { return this.#options.clock.now() - at < (resource === undefined ? REFERENCES_DEFAULTS.missingForMs : this.#freshForMs) }

  async #ask (key: string, known: KnownResource | undefined, signal: AbortSignal): Promise<FhirResource | undefined> {
    const [type = '', id = ''] = key.split('/')
    const outcome = await this.#read(type, id, known?.etag, signal)
    const at = this.#options.clock.now()
    if (outcome.kind === 'unchanged' && known !== undefined) { await this.#keep(key, { ...known, at }); return known.resource }
    const resource = outcome.kind === 'found' ? slimmed(outcome.resource) : known?.resource // who was deleted is still who they were
    await this.#keep(key, { ...(resource === undefined ? {} : { resource }), ...(outcome.kind === 'found' && outcome.etag !== undefined ? { etag: outcome.etag } : {}), at })
    return resource
  }

  /** What may not be read (another scope, a sealed record) is not known: one such patient must not hold up all others. */
  async #read (type: string, id: string, etag: string | undefined, signal: AbortSignal): Promise<ReadOutcome> {
    try {
      return await this.#options.client.read(type, id, { signal, etag })
    } catch (e) {
      if (isLatidoError(e) && e.code === 'FHIR_REFUSED') return { kind: 'missing' }
      throw e
    }
  }

  async #keep (key: string, value: KnownResource): Promise<void> {
    this.#put(key, value)
    await this.#save(key, value)
  }

  #put (key: string, value: KnownResource): void {
    this.#known.delete(key)
    this.#known.set(key, value)
    const [oldest] = this.#known.keys()
    if (this.#known.size <= this.#keptMax || oldest === undefined) return
    this.#known.delete(oldest)
    this.#gone.push(oldest)
  }

  async #save (key: string, value: KnownResource): Promise<void> {
    const { table } = this.#options
    await table.save(key, value)
    for (const gone of this.#gone.splice(0)) if (!this.#known.has(gone)) await table.save(gone, undefined)
  }
}

/** Without narrative and whatever nobody reads. */
function slimmed (resource: FhirResource): FhirResource | undefined {
  const { resourceType, id } = resource
  const base = id === undefined ? {} : { id }
  switch (resourceType) {
    case 'Patient': return slimPatient(resource)
    case 'Location': return { resourceType, ...base, ...pick(resource, ['identifier', 'name', 'physicalType', 'partOf']) } as FhirResource
    case 'Medication': return { resourceType, ...base, ...pick(resource, ['code']) } as FhirResource
    case 'Encounter': return { resourceType, ...base, ...pick(resource, ['status', 'class', 'location']) } as Encounter
    default: return undefined
  }
}

function pick<T extends object> (from: T, names: readonly (keyof T)[]): Partial<T> {
  const picked: Partial<T> = {}
  for (const name of names) if (from[name] !== undefined) picked[name] = from[name]
  return picked
}
