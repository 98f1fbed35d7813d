import type { FhirCall, FhirExchange, FhirReply } from '../../../../connectors/fhir/exchange.ts'
import type { FhirResource } from '../../../../connectors/fhir/resources/index.ts'

interface Stored { resource: FhirResource, version: number }

/** What a FHIR server does with conditional creates, versions and searches by identifier, in memory. */
export class MemoryFhir {
  readonly stored: Map<string, Stored> = new Map()
  readonly calls: string[] = []
  /** Called before each request; what it answers is the reply. */
  intercept: (call: FhirCall) => FhirReply | Error | undefined = () => undefined
  /** Like servers that answer a conditional create without the resource that is there. */
  minimal = false
  #ids = 0

  readonly exchange: FhirExchange = call => {
    this.calls.push(`${call.method} ${call.path.replace(/\?.*/, '?')}`)
    const said = this.intercept(call)
    if (said instanceof Error) return Promise.reject(said)
    return Promise.resolve(said ?? this.#answer(call))
  }

  put (resource: FhirResource): void { this.stored.set(`${resource.resourceType}/${resource.id}`, { resource, version: (this.stored.get(`${resource.resourceType}/${resource.id}`)?.version ?? 0) + 1 }) }
  of (type: string): readonly FhirResource[] { return [...this.stored.values()].flatMap(({ resource }) => resource.resourceType === type ? [resource] : []) }

  #answer ({ method, path, body, headers = {} }: FhirCall): FhirReply {
    const [place = '', query = ''] = path.split('?')
    if (method === 'GET') return reply(200, { resourceType: 'Bundle', type: 'searchset', entry: this.#search(place, query).map(resource => ({ resource })) } as FhirResource)
    if (method === 'POST') {
      const there = headers['if-none-exist'] === undefined ? [] : this.#search(place, headers['if-none-exist'])
      if (there.length > 1) return reply(412)
      if (there[0] !== undefined) return this.minimal ? reply(200) : this.#shown(200, `${place}/${there[0].id}`)
      const id = `r${++this.#ids}`
      this.put({ ...body!, id } as FhirResource)
      return this.#shown(201, `${place}/${id}`)
    }
    const there = this.stored.get(place)
    if (there === undefined) return reply(404)
    if (headers['if-match'] !== undefined && headers['if-match'] !== `W/"${there.version}"`) return reply(412)
    this.put(body!)
    return this.#shown(200, place)
  }

  #shown (status: number, key: string): FhirReply {
    const { resource, version } = this.stored.get(key)!
    return { status, resource: { ...resource, meta: { versionId: String(version) } } as FhirResource, etag: `W/"${version}"` }
  }

  #search (type: string, query: string): readonly FhirResource[] {
    const token = new URLSearchParams(query).get('identifier') ?? ''
    const [system, value] = token.includes('|') ? token.split('|') : [undefined, token]
    return [...this.stored].flatMap(([key, { resource }]) => {
      const identifiers = (resource as { identifier?: readonly { system?: string, value?: string }[] }).identifier ?? []
      return resource.resourceType === type && identifiers.some(one => one.value === value && (system === undefined || one.system === system)) ? [this.#shown(200, key).resource!] : []
    })
  }
}

export function reply (status: number, resource?: FhirResource): FhirReply { return { status, resource, etag: '' } }
