import type { Clock } from '../../../../streams/time/index.ts'

export interface Resource { readonly resourceType: string, readonly id?: string, readonly meta?: { readonly versionId?: string, readonly lastUpdated?: string }, readonly [name: string]: unknown }

/** One version; `resource` undefined: a deletion. */
export interface Version { readonly type: string, readonly id: string, readonly version: number, readonly at: number, readonly resource: Resource | undefined }

/** Resources with all their versions, by the server's own clock. */
export class Store {
  readonly versions: Version[] = []
  readonly #latest = new Map<string, Version>()
  readonly #clock: Clock
  readonly #skewMs: number
  #nextId = 1

  constructor (clock: Clock, skewMs: number) {
    this.#clock = clock
    this.#skewMs = skewMs
  }

  now (): number { return this.#clock.now() + this.#skewMs }

  /** A new version; the same content again is none, as HAPI FHIR has it. `at`: what the server says of its time, for what is shown late. */
  put (resource: Resource, at: number = this.now()): Version {
    const id = resource.id ?? `g${this.#nextId++}`
    const { resourceType: type, meta: _, ...rest } = { ...resource, id }
    const before = this.#latest.get(`${type}/${id}`)
    if (before?.resource !== undefined) {
      const { resourceType: __, meta: ___, ...known } = before.resource
      if (JSON.stringify(known) === JSON.stringify(rest)) return before
    }
    const version = (before?.version ?? 0) + 1
    return this.#add({ type, id, version, at, resource: { resourceType: type, ...rest, meta: { versionId: String(version), lastUpdated: new Date(at).toISOString() } } })
  }

  delete (type: string, id: string): Version | undefined {
    const before = this.#latest.get(`${type}/${id}`)
    return before?.resource === undefined ? before : this.#add({ type, id, version: before.version + 1, at: this.now(), resource: undefined })
  }

  read (type: string, id: string): Version | undefined { return this.#latest.get(`${type}/${id}`) }
  of (type: string): readonly Version[] { return [...this.#latest.values()].filter(one => one.type === type && one.resource !== undefined) }

  #add (version: Version): Version {
    this.versions.push(version)
    this.#latest.set(`${version.type}/${version.id}`, version)
    return version
  }
}
