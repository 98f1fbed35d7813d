import { isResource, list, type Bundle, type FhirResource } from '../resources/index.ts'
import type { CallOptions, FhirClient, FhirClientOptions, RawAnswer, RawRequest, ReadOptions, ReadOutcome, WriteOptions, WriteOutcome } from './client.ts'
import { invalid } from './errors.ts'
import { faultsWithin, issuesOf } from './outcome.ts'
import { Requests } from './requests.ts'

/** A client of one server. */
export function openFhirClient (options: FhirClientOptions): FhirClient { return new HttpFhirClient(options) }

const REFUSALS: readonly number[] = [400, 403, 404, 405, 409, 410, 412, 413, 415, 422]

class HttpFhirClient implements FhirClient {
  readonly baseUrl: string
  readonly #requests: Requests
  readonly #count: (what: string, n?: number) => void

  constructor (options: FhirClientOptions) {
    this.baseUrl = options.baseUrl.replace(/\/+$/, '')
    this.#requests = new Requests({ ...options, baseUrl: this.baseUrl })
    this.#count = options.count ?? (() => {})
  }

  serverTime (): number | undefined { return this.#requests.serverTime() }

  fetch (path: string, request: RawRequest = {}): Promise<RawAnswer> { return this.#requests.send(this.#url(path), request) }

  async read (type: string, id: string, { etag, mayBeForbidden = false, ...options }: ReadOptions = {}): Promise<ReadOutcome> {
    const headers = { ...options.headers, ...(etag === undefined ? {} : { 'if-none-match': etag }) }
    const answer = await this.fetch(`${type}/${encodeURIComponent(id)}`, { ...options, headers, expects: mayBeForbidden ? [403, 404, 410] : [404, 410] })
    switch (answer.status) {
      case 403: return { kind: 'forbidden' }
      case 304: return { kind: 'unchanged' }
      case 404: return { kind: 'missing' }
      case 410: return { kind: 'gone' }
      default: return { kind: 'found', resource: resourceOf(answer), etag: answer.headers.get('etag') ?? undefined }
    }
  }

  async * search (query: string, options: CallOptions = {}): AsyncIterable<Bundle> {
    let url: string | undefined = this.#url(query)
    for (let page = 0; url !== undefined; page++) {
      if (page >= this.#requests.limits.pagesMax) throw invalid('has more pages than are read of one search')
      const bundle = resourceOf(await this.#requests.send(url, options))
      if (bundle.resourceType !== 'Bundle') throw invalid('to a search is no Bundle')
      const faults = faultsWithin(bundle)
      if (faults.length > 0) { this.#count('outcome-in-bundle', faults.length); throw invalid(`left something out: ${faults.join(', ')}`) }
      yield bundle
      url = this.#next(bundle, url)
    }
  }

  post (path: string, resource: unknown, options: WriteOptions = {}): Promise<WriteOutcome> { return this.#write('POST', path, JSON.stringify(resource), options) }
  put (path: string, resource: unknown, options: WriteOptions = {}): Promise<WriteOutcome> { return this.#write('PUT', path, JSON.stringify(resource), options) }
  patch (path: string, operations: readonly unknown[], options: WriteOptions = {}): Promise<WriteOutcome> {
    return this.#write('PATCH', path, JSON.stringify(operations), { ...options, headers: { ...options.headers, 'content-type': 'application/json-patch+json' } })
  }

  delete (path: string, options: WriteOptions = {}): Promise<WriteOutcome> { return this.#write('DELETE', path, undefined, options) }

  async #write (method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body: string | undefined, { ifMatch, ifNoneExist, ...options }: WriteOptions): Promise<WriteOutcome> {
    const headers = { ...options.headers, ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }), ...(ifNoneExist === undefined ? {} : { 'if-none-exist': ifNoneExist }) }
    const answer = await this.fetch(path, { ...options, method, headers, ...(body === undefined ? {} : { body }), expects: REFUSALS })
    const resource = tryResource(answer)
    if (answer.status === 409 || answer.status === 412) return { kind: 'conflict', status: answer.status, issues: issuesOf(resource) }
    if (answer.status >= 400) return { kind: 'refused', status: answer.status, issues: issuesOf(resource) }
    const located = /\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[^/]+)?$/.exec(answer.headers.get('location') ?? '')?.[1]
    return { kind: 'written', status: answer.status, id: located ?? resource?.id, etag: answer.headers.get('etag') ?? undefined, resource: resource?.resourceType === 'OperationOutcome' ? undefined : resource }
  }

  /** The server's own link, as it is; never to another host, which would get our token. */
  #next (bundle: Bundle, from: string): string | undefined {
    const link = list(bundle.link).find(one => one.relation === 'next')?.url
    if (link === undefined || link === '') return undefined
    if (!URL.canParse(link, from)) throw invalid('has a next link that is no URL')
    const next = new URL(link, from).href
    if (!this.#requests.isHome(next)) throw invalid('has a next link to another host: the server does not know its own address')
    if (next === from) throw invalid('has a next link to itself')
    return next
  }

  #url (path: string): string { return /^https?:\/\//.test(path) ? path : `${this.baseUrl}/${path.replace(/^\/+/, '')}` }
}

function resourceOf (answer: RawAnswer): FhirResource {
  const resource = tryResource(answer)
  if (resource === undefined) throw invalid('is no FHIR resource')
  return resource
}

function tryResource ({ body }: RawAnswer): FhirResource | undefined {
  try {
    const said: unknown = JSON.parse(body.toString('utf8'))
    return isResource(said) ? said : undefined
  } catch {
    return undefined // to the caller it is an answer without a resource
  }
}
