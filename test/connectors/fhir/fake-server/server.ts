import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../../../../streams/time/index.ts'
import { Exports } from './exports.ts'
import { Limits, type FaultOptions } from './limits.ts'
import { find, history } from './search.ts'
import { Store, type Resource, type Version } from './store.ts'
import { Tokens, type TokenOptions } from './tokens.ts'

export interface FakeServerOptions {
  readonly clock: Clock
  readonly faults?: FaultOptions
  readonly tokens?: TokenOptions
  readonly latencyMs?: number
  /** The server's clock against ours. */
  readonly skewMs?: number
  /** `snapshot`: pages of one search are of its beginning; `offset`: each page is counted anew, so that changes move what is on it. */
  readonly pages?: 'snapshot' | 'offset'
  /** Whether `_sort` is obeyed, and in which order it answers where it is not. */
  readonly order?: 'asked' | 'newest-first'
  readonly pollsUntilExported?: number
  /** `Type/id` that nobody may read. */
  readonly forbidden?: readonly string[]
}

interface Answer { readonly status: number, readonly body?: unknown, readonly text?: string, readonly headers?: Readonly<Record<string, string>> }

/** A FHIR R4 server for tests: search, history, versions, tokens, exports, limits and faults. */
export class FakeFhirServer implements AsyncDisposable {
  readonly store: Store
  readonly limits: Limits
  readonly tokens: Tokens | undefined
  readonly exports: Exports
  /** `GET Observation`, in order of arrival. */
  readonly requests: string[] = []
  /** Requests that are being answered, and of those, how many wait for the clock. */
  open = 0
  waiting = 0
  /** Called when a page has been answered. */
  afterPage: () => void = () => {}
  /** Put into each search's bundle. */
  outcomes: readonly Resource[] = []
  readonly #options: FakeServerOptions
  readonly #server: Server
  readonly #searches = new Map<string, { readonly type: string, readonly query: URLSearchParams, readonly found: readonly Version[] }>()

  private constructor (options: FakeServerOptions) {
    this.#options = options
    this.store = new Store(options.clock, options.skewMs ?? 0)
    this.limits = new Limits(options.clock, options.faults ?? {})
    this.tokens = options.tokens === undefined ? undefined : new Tokens(options.clock, options.tokens)
    this.exports = new Exports(this.store, options.pollsUntilExported ?? 2)
    this.#server = createServer((request, response) => { void this.#handle(request, response) })
  }

  static async start (options: FakeServerOptions): Promise<FakeFhirServer> {
    const server = new FakeFhirServer(options)
    await new Promise<void>(resolve => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  tokenPath = 'token'
  readonly #forbidden = new Set<string>()
  forbid (what: string): void { this.#forbidden.add(what) }
  get baseUrl (): string { return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/fhir` }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>(resolve => { this.#server.close(() => { resolve() }) })
  }

  async #handle (request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.open++
    try {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const fault = this.limits.judge()
      const { latencyMs = 0, clock } = this.#options
      if (latencyMs > 0) { this.waiting++; await clock.sleep(latencyMs); this.waiting-- }
      if (fault === 'broken') { request.socket.destroy(); return }
      const answer = fault === undefined ? await this.#answer(request, Buffer.concat(chunks).toString()) : { status: fault.status, ...('retryAfter' in fault ? { headers: { 'retry-after': fault.retryAfter } } : {}), body: outcome('throttled') }
      response.writeHead(answer.status, { 'content-type': 'application/fhir+json', date: new Date(this.store.now()).toUTCString(), ...answer.headers })
      response.end(answer.text ?? (answer.body === undefined ? '' : JSON.stringify(answer.body)))
    } catch {
      request.socket.destroy()
    } finally {
      this.open--
    }
  }

  async #answer (request: IncomingMessage, body: string): Promise<Answer> {
    const url = new URL(request.url ?? '/', this.baseUrl)
    const path = url.pathname.replace(/^\/fhir\//, '').split('/').map(decodeURIComponent)
    const method = request.method ?? 'GET'
    this.requests.push(`${method} ${path[0] ?? ''}`)
    if (path[0] === '.well-known') return { status: 200, body: { token_endpoint: `${this.baseUrl}/${this.tokenPath}`, token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384'], capabilities: ['client-confidential-asymmetric'] } }
    if (path.join('/') === this.tokenPath) return await this.tokens!.ask(body, `${this.baseUrl}/${this.tokenPath}`)
    if (path[0] === 'token') return { status: 404, body: outcome('not-found') }
    if (this.tokens !== undefined && !this.tokens.isValid(request.headers.authorization)) return { status: 401, body: outcome('login') }
    if (path[0] === 'metadata') return { status: 200, body: { resourceType: 'CapabilityStatement' } }
    if (path.at(-1) === '$export') return request.headers['prefer'] === 'respond-async' ? { status: 202, headers: { 'content-location': `${this.baseUrl}/$job/${this.exports.start(url.searchParams)}` } } : { status: 400, body: outcome('required') }
    if (path[0] === '$job') return this.#job(method, path[1] ?? '')
    if (path[0] === '$file') return this.#file(request, path)
    if (path[0] === '$page') return this.#page(path[1] ?? '', Number(path[2]))
    const [type = '', id, sub] = path
    if (id === '_history' || sub === '_history') return this.#history(type, id === '_history' ? undefined : id, url.searchParams)
    if (id !== undefined) return this.#instance(method, type, id, request, body)
    if (method === 'POST') return versioned(201, this.store.put({ ...JSON.parse(body) as Resource, resourceType: type }), this.baseUrl)
    return this.#search(type, url.searchParams)
  }

  #instance (method: string, type: string, id: string, request: IncomingMessage, body: string): Answer {
    const known = this.store.read(type, id)
    if (this.#isForbidden(`${type}/${id}`)) return { status: 403, body: outcome('forbidden') }
    if (method === 'GET') {
      if (known === undefined) return { status: 404, body: outcome('not-found') }
      if (known.resource === undefined) return { status: 410, body: outcome('deleted') }
      return request.headers['if-none-match'] === etag(known) ? { status: 304 } : versioned(200, known, this.baseUrl)
    }
    const wanted = request.headers['if-match']
    if (wanted !== undefined && (known === undefined || wanted !== etag(known))) return { status: 412, body: outcome('conflict') }
    if (method === 'DELETE') { this.store.delete(type, id); return { status: 204 } }
    return versioned(known === undefined ? 201 : 200, this.store.put({ ...JSON.parse(body) as Resource, resourceType: type, id }), this.baseUrl)
  }

  #isForbidden (what: string): boolean { return this.#forbidden.has(what) || this.#options.forbidden?.includes(what) === true }
  #search (type: string, query: URLSearchParams): Answer {
    if (this.#isForbidden(type) || this.#isForbidden(`Patient/${query.get('patient')}`)) return { status: 403, body: outcome('forbidden') }
    const id = `s${this.#searches.size}`
    this.#searches.set(id, { type, query, found: this.#find(type, query) })
    return this.#page(id, 0)
  }

  #find (type: string, query: URLSearchParams): readonly Version[] {
    const asked = new URLSearchParams(query)
    if (this.#options.order === 'newest-first') asked.set('_sort', '-_lastUpdated')
    return find(this.store, type, asked)
  }

  #page (id: string, from: number): Answer {
    const search = this.#searches.get(id)
    if (search === undefined) return { status: 410, body: outcome('expired') }
    const found = this.#options.pages === 'offset' ? this.#find(search.type, search.query) : search.found
    const count = Number(search.query.get('_count') ?? 20)
    const entry = [...found.slice(from, from + count).map(one => ({ fullUrl: `${this.baseUrl}/${one.type}/${one.id}`, resource: one.resource, search: { mode: 'match' } })), ...this.outcomes.map(resource => ({ resource, search: { mode: 'outcome' } }))]
    const link = from + count < found.length ? [{ relation: 'next', url: `${this.baseUrl}/$page/${id}/${from + count}` }] : []
    const answer = { status: 200, body: { resourceType: 'Bundle', type: 'searchset', link, entry: structuredClone(entry) } }
    this.afterPage()
    return answer
  }

  #history (type: string, id: string | undefined, query: URLSearchParams): Answer {
    const entry = history(this.store, type, id, query.get('_since')).map(one => ({
      fullUrl: `${this.baseUrl}/${one.type}/${one.id}`, ...(one.resource === undefined ? {} : { resource: one.resource }),
      request: { method: one.resource === undefined ? 'DELETE' : 'PUT', url: `${one.type}/${one.id}` }, response: { status: '200', lastModified: new Date(one.at).toISOString(), etag: etag(one) },
    }))
    return { status: 200, body: { resourceType: 'Bundle', type: 'history', entry } }
  }

  #job (method: string, id: string): Answer {
    if (method === 'DELETE') return { status: this.exports.discard(id) ? 202 : 404 }
    const state = this.exports.state(id, this.baseUrl)
    if (state === undefined) return { status: 404, body: outcome('not-found') }
    return 'manifest' in state ? { status: 200, body: state.manifest, headers: { 'content-type': 'application/json' } } : { status: 202, headers: { 'x-progress': state.progress, 'retry-after': '5' } }
  }

  #file (request: IncomingMessage, [, job = '', type = '', n]: readonly string[]): Answer {
    if (request.headers.accept !== 'application/fhir+ndjson') return { status: 406, body: outcome('not-supported') }
    const text = this.exports.file(job, type, Number(n))
    return text === undefined ? { status: 404, body: outcome('not-found') } : { status: 200, text, headers: { 'content-type': 'application/fhir+ndjson' } }
  }
}

function etag ({ version }: Version): string { return `W/"${version}"` }

function versioned (status: number, version: Version, base: string): Answer {
  return { status, body: version.resource, headers: { etag: etag(version), location: `${base}/${version.type}/${version.id}/_history/${version.version}` } }
}

function outcome (code: string): unknown { return { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code, diagnostics: 'says a name: Doe, Jane' }] } }
