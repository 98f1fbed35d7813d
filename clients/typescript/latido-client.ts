// Latido 0.4.0: client of the API for features. Made by "npm run clients" from /api/openapi.json; not to be edited.

export interface ErrorAnswer {
  readonly error: { readonly code: string, readonly message: string, readonly action: string }
}

/** Which features of which entities: either `features` or `service`. */
export interface FeatureQuery {
  /** features by name; a view stands for all of its */
  readonly features?: readonly string[]
  /** a feature service: a named list of features */
  readonly service?: string
  readonly entities: readonly string[]
}

export interface FeatureColumns {
  readonly view: string
  readonly version: number
  /** time to live, milliseconds */
  readonly ttlMs: number
  readonly features: readonly string[]
  /** for each entity: when its row was computed, milliseconds since 1970 UTC; null where nothing was ever stored */
  readonly asOf: readonly (number | null)[]
  readonly state: readonly ('served' | 'expired' | 'never-stored')[]
  /** Values, for each entity in the order asked a row in the order of `features`; null where absent */
  readonly values: readonly (readonly (number | null)[])[]
  /** When the oldest reading behind each value was true at the bedside, milliseconds since 1970 UTC, for each entity in the order asked a row in the order of `features`; null where absent */
  readonly eventTimes: readonly (readonly (number | null)[])[]
  /** How long ago that was, milliseconds, for each entity in the order asked a row in the order of `features`; null where absent */
  readonly agesMs: readonly (readonly (number | null)[])[]
}

/** Columns: names once for each view, then a row for each entity. */
export interface OnlineFeatures {
  /** ages and times to live hold as of then */
  readonly now: number
  /** kind of the entities */
  readonly entity: string
  readonly entities: readonly string[]
  readonly views: readonly FeatureColumns[]
}

export interface ServedFeature {
  readonly name: string
  /** UCUM */
  readonly unit: string
  readonly present: boolean
  readonly reason: 'present' | 'never-stored' | 'expired' | 'no-value'
  readonly value: number | null
  readonly eventTime: number | null
  readonly ageMs: number | null
}

export interface ServedView {
  readonly view: string
  readonly version: number
  readonly asOf: number | null
  readonly features: readonly ServedFeature[]
}

export interface EntityFeatures {
  /** milliseconds since 1970 UTC */
  readonly now: number
  readonly entity: string
  readonly key: string
  readonly views: readonly ServedView[]
}

export interface FeatureOfView {
  readonly name: string
  /** UCUM */
  readonly unit: string
}

export interface FeatureView {
  readonly name: string
  readonly version: number
  readonly entity: string
  readonly owner: string
  readonly description: string
  readonly ttlMs: number
  readonly features: readonly FeatureOfView[]
}

export interface FeatureService {
  readonly name: string
  readonly description: string
  readonly features: readonly string[]
}

export interface Health {
  readonly status: 'ok' | 'starting'
  readonly version: string
}

/** What the API answered instead. `code` is of the list in docs/errors.md; status 0 says that nothing was answered. */
export class LatidoApiError extends Error {
  readonly status: number
  readonly code: string
  readonly action: string
  constructor (status: number, code: string, message: string, action: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'LatidoApiError'
    this.status = status
    this.code = code
    this.action = action
  }
}

/** One view's columns of the binary form. `values` and `eventTimes` are entity-major: feature f of entity e is at e * features.length + f. NaN is absent. */
export interface BinaryColumns {
  readonly view: string
  readonly version: number
  readonly ttlMs: number
  readonly features: readonly string[]
  /** When each entity's row was computed; NaN where nothing was ever stored. */
  readonly asOf: Float64Array
  readonly values: Float64Array
  readonly eventTimes: Float64Array
}

const MAGIC = 0x3146544c

/** An answer in the binary form, decoded without an object for each value. */
export class FeatureBatch {
  readonly now: number
  readonly entity: string
  readonly entities: readonly string[]
  readonly views: readonly BinaryColumns[]
  readonly #places = new Map<string, readonly [BinaryColumns, number]>()

  constructor (bytes: ArrayBuffer, entities: readonly string[]) {
    const data = new DataView(bytes)
    if (bytes.byteLength < 8 || data.getUint32(0, true) !== MAGIC) throw new LatidoApiError(0, 'PAYLOAD_INVALID', 'the answer is not in the binary form', 'look for a proxy in between')
    let at = 8 + data.getUint32(4, true)
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, at - 8))) as { now: number, entity: string, entities: number, views: readonly { view: string, version: number, ttlMs: number, features: readonly string[] }[] }
    const doubles = (count: number): Float64Array => {
      const from = at
      at += count * 8
      if (LITTLE_ENDIAN) return new Float64Array(bytes, from, count)
      return Float64Array.from({ length: count }, (_, i) => data.getFloat64(from + i * 8, true))
    }
    this.now = head.now
    this.entity = head.entity
    this.entities = entities
    this.views = head.views.map(view => ({ ...view, asOf: doubles(head.entities), values: doubles(head.entities * view.features.length), eventTimes: doubles(head.entities * view.features.length) }))
    for (const columns of this.views) columns.features.forEach((feature, f) => { this.#places.set(`${columns.view}:${feature}`, [columns, f]) })
  }

  /** The value of feature `view:feature` of entity number `e`; null where absent. */
  value (e: number, feature: string): number | null { return this.#at(e, feature, 'values') }
  /** When the oldest reading behind it was true at the bedside. */
  eventTime (e: number, feature: string): number | null { return this.#at(e, feature, 'eventTimes') }
  /** How long ago that was. */
  ageMs (e: number, feature: string): number | null {
    const time = this.eventTime(e, feature)
    return time === null ? null : Math.max(0, this.now - time)
  }

  #at (e: number, feature: string, column: 'values' | 'eventTimes'): number | null {
    const place = this.#places.get(feature)
    if (place === undefined) throw new LatidoApiError(0, 'FEATURE_UNKNOWN', `${feature} is not in this batch`, `it has ${[...this.#places.keys()].join(', ')}`)
    return orNull(place[0][column][e * place[0].features.length + place[1]])
  }

  /** The same as the answer in JSON. */
  toOnlineFeatures (): OnlineFeatures {
    const { now, entity, entities } = this
    return {
      now, entity, entities, views: this.views.map(({ view, version, ttlMs, features, asOf, values, eventTimes }) => {
        const rows = (of: (i: number) => number | null): readonly (readonly (number | null)[])[] => entities.map((_, e) => features.map((_feature, f) => of(e * features.length + f)))
        return {
          view, version, ttlMs, features, asOf: entities.map((_, e) => orNull(asOf[e])),
          state: entities.map((_, e) => Number.isNaN(asOf[e]) ? 'never-stored' : now - asOf[e]! > ttlMs ? 'expired' : 'served'),
          values: rows(i => orNull(values[i])), eventTimes: rows(i => orNull(eventTimes[i])), agesMs: rows(i => Number.isNaN(eventTimes[i]) ? null : Math.max(0, now - eventTimes[i]!)),
        }
      }),
    }
  }
}

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

function orNull (value: number | undefined): number | null { return value === undefined || Number.isNaN(value) ? null : value }

function queryString (query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`
}

export interface LatidoClientOptions {
  /** `http://127.0.0.1:8080` */
  readonly baseUrl: string
  /** Default 10 s. */
  readonly timeoutMs?: number
  /** Sent with each request: what a proxy in front wants. */
  readonly headers?: Readonly<Record<string, string>>
}

/** The API for features. Every call throws LatidoApiError where it is not answered as asked. */
export class LatidoClient {
  readonly #baseUrl: string
  readonly #timeoutMs: number
  readonly #headers: Readonly<Record<string, string>>

  constructor ({ baseUrl, timeoutMs = 10_000, headers = {} }: LatidoClientOptions) {
    this.#baseUrl = baseUrl.replace(/\/+$/, '')
    this.#timeoutMs = timeoutMs
    this.#headers = headers
  }

  /** Features of a batch of entities, as of now */
  async readFeatures (body: FeatureQuery): Promise<OnlineFeatures> { return await this.#json('POST', `/api/features/online`, body) as OnlineFeatures }

  /** Features of a batch of entities, as of now, in the binary form: several times faster to read */
  async readFeaturesBinary (body: FeatureQuery): Promise<FeatureBatch> { return new FeatureBatch(await this.#binary('POST', `/api/features/online`, body), body.entities) }

  /** Features of one entity, as of now, each with the reason where it is absent */
  async readEntityFeatures (entity: string, query: { readonly features?: string | undefined, readonly service?: string | undefined } = {}): Promise<EntityFeatures> { return await this.#json('GET', `/api/features/online/${encodeURIComponent(entity)}${queryString(query)}`) as EntityFeatures }

  /** The views that are served */
  async listFeatureViews (): Promise<readonly FeatureView[]> { return await this.#json('GET', `/api/features/views`) as readonly FeatureView[] }

  /** One view */
  async getFeatureView (view: string): Promise<FeatureView> { return await this.#json('GET', `/api/features/views/${encodeURIComponent(view)}`) as FeatureView }

  /** The feature services: named lists of features */
  async listFeatureServices (): Promise<readonly FeatureService[]> { return await this.#json('GET', `/api/features/services`) as readonly FeatureService[] }

  /** 200 once features are served, 503 before */
  async getHealth (): Promise<Health> { return await this.#json('GET', `/healthz`) as Health }

  async #json (method: string, path: string, body?: unknown): Promise<unknown> { return await (await this.#send(method, path, 'application/json', body)).json() }

  async #binary (method: string, path: string, body?: unknown): Promise<ArrayBuffer> { return await (await this.#send(method, path, 'application/vnd.latido.features', body)).arrayBuffer() }

  async #send (method: string, path: string, accept: string, body: unknown): Promise<Response> {
    let response: Response
    try {
      response = await fetch(this.#baseUrl + path, {
        method, signal: AbortSignal.timeout(this.#timeoutMs), headers: { ...this.#headers, accept, ...body === undefined ? {} : { 'content-type': 'application/json' } },
        ...body === undefined ? {} : { body: JSON.stringify(body) },
      })
    } catch (cause) {
      throw new LatidoApiError(0, 'UNREACHABLE', 'the API does not answer', 'look at the server, and at the network to it', cause)
    }
    if (response.ok) return response
    const { error } = await response.json().catch(() => ({})) as { error?: ErrorAnswer['error'] }
    throw new LatidoApiError(response.status, error?.code ?? 'UNKNOWN', error?.message ?? `status ${response.status}`, error?.action ?? 'look at the server, and at proxies before it')
  }
}
