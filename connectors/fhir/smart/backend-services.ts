import { LatidoError } from '../../../streams/errors/index.ts'
import type { Clock, DurationMs } from '../../../streams/time/index.ts'
import { openFhirClient, refusedBy, invalid, type Authorizer, type FhirClient, type FhirClientOptions } from '../http/index.ts'
import { signAssertion, type SigningKey } from './assertion.ts'
import { discover } from './discovery.ts'

export interface BackendServicesOptions {
  readonly clientId: string
  readonly key: SigningKey
  /** `system/Observation.rs system/Patient.rs`; SMART 1 servers want `system/*.read`. */
  readonly scope: string
  /** Instead of what the discovery says. */
  readonly tokenUrl?: string | undefined
  readonly clock: Clock
  /** For the discovery and the token endpoint. */
  readonly client: Omit<FhirClientOptions, 'auth' | 'clock'>
}

/** Renewed so long before it ends, or at half of a life that is shorter. */
const EARLY_MS: DurationMs = 60_000
const DEFAULT_LIFE_MS: DurationMs = 5 * 60_000

interface Token { readonly header: string, readonly renewAt: number }

/**
 * SMART Backend Services (SMART App Launch 2.2, client_credentials with a signed assertion). One token is asked for at a time, whoever needs it, and kept in
 * memory alone.
 */
export function backendServices (options: BackendServicesOptions): Authorizer { return new BackendServices(options) }

class BackendServices implements Authorizer {
  readonly #options: BackendServicesOptions
  readonly #client: FhirClient
  #endpoint: string | undefined
  #token: Token | undefined
  #asking: Promise<Token> | undefined

  constructor (options: BackendServicesOptions) {
    this.#options = options
    this.#client = openFhirClient({ ...options.client, clock: options.clock })
    this.#endpoint = options.tokenUrl
  }

  async header (): Promise<string> {
    if (this.#token !== undefined && this.#options.clock.now() < this.#token.renewAt) return this.#token.header
    this.#asking ??= this.#ask().catch((e: unknown) => { this.#endpoint = this.#options.tokenUrl; throw e }).finally(() => { this.#asking = undefined }) // it may have moved: the next one looks again
    this.#token = await this.#asking
    return this.#token.header
  }

  /** Another caller may have renewed it already. */
  reject (used: string): boolean {
    if (this.#token?.header === used) this.#token = undefined
    return true
  }

  async #ask (): Promise<Token> {
    const { clientId, key, scope, clock } = this.#options
    this.#endpoint ??= (await this.#discovered()).tokenEndpoint
    const body = new URLSearchParams({
      grant_type: 'client_credentials', scope, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: await signAssertion(key, clientId, this.#endpoint, clock.now()),
    })
    const asked = clock.now()
    const answer = await this.#client.fetch(this.#endpoint, { method: 'POST', authorized: false, headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' }, body: body.toString(), expects: [400, 401, 403] })
    const said = parse(answer.body)
    if (answer.status >= 400) throw refusedBy(`gives no token (${answer.status}${errorOf(said)})`)
    const token = said['access_token']
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) throw invalid('to the request of a token has none')
    const seconds = Number(said['expires_in'])
    const lifeMs = seconds > 0 ? seconds * 1000 : DEFAULT_LIFE_MS
    return { header: `Bearer ${token}`, renewAt: asked + lifeMs - Math.min(EARLY_MS, lifeMs / 2) }
  }

  async #discovered (): ReturnType<typeof discover> {
    const found = await discover(this.#client)
    const { algorithm } = this.#options.key
    if (found.algorithms.length > 0 && !found.algorithms.includes(algorithm)) throw new LatidoError('CONFIG_INVALID', `the FHIR server takes no ${algorithm} assertions, but ${found.algorithms.join(', ').slice(0, 80)}`, 'choose another auth.algorithm, with a key for it')
    return found
  }
}

function parse (body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const said: unknown = JSON.parse(body.toString('utf8'))
    return typeof said === 'object' && said !== null ? said as Record<string, unknown> : {}
  } catch {
    return {} // an answer without a token
  }
}

/** The code alone (RFC 6749, 5.2): the description is anybody's text. */
function errorOf (said: Readonly<Record<string, unknown>>): string {
  const code = said['error']
  return typeof code === 'string' && /^[a-z_]{1,40}$/.test(code) ? `, ${code}` : ''
}
