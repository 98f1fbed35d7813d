import { createPublicKey, type KeyObject } from 'node:crypto'
import { jwtVerify } from 'jose'
import type { Clock } from '../../../../streams/time/index.ts'

export interface TokenOptions {
  readonly clientId: string
  /** The registered public key, PEM, by key id. */
  readonly keys: Readonly<Record<string, string>>
  readonly lifeSeconds?: number
}

/** The token endpoint: verifies the assertion as SMART App Launch 2.2 asks, and gives tokens that end. */
export class Tokens {
  readonly #clock: Clock
  readonly #options: TokenOptions
  readonly #keys: ReadonlyMap<string, KeyObject>
  readonly #used = new Set<string>()
  readonly #valid = new Map<string, number>()
  /** Why requests were refused. */
  readonly refusals: string[] = []
  given = 0

  constructor (clock: Clock, options: TokenOptions) {
    this.#clock = clock
    this.#options = options
    this.#keys = new Map(Object.entries(options.keys).map(([id, pem]) => [id, createPublicKey(pem)]))
  }

  async ask (body: string, endpoint: string): Promise<{ readonly status: number, readonly body: unknown }> {
    try {
      const form = new URLSearchParams(body)
      if (form.get('grant_type') !== 'client_credentials') throw new Error('grant_type')
      if (form.get('client_assertion_type') !== 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer') throw new Error('client_assertion_type')
      if ((form.get('scope') ?? '') === '') throw new Error('scope')
      const now = new Date(this.#clock.now())
      const { payload, protectedHeader } = await jwtVerify(form.get('client_assertion') ?? '', header => {
        const key = this.#keys.get(header.kid ?? '')
        if (key === undefined) throw new Error('kid')
        return key
      }, { issuer: this.#options.clientId, subject: this.#options.clientId, audience: endpoint, algorithms: ['RS384', 'ES384'], currentDate: now, requiredClaims: ['exp', 'jti'] })
      if (protectedHeader.typ !== 'JWT') throw new Error('typ')
      if (payload.exp! > now.getTime() / 1000 + 300) throw new Error('exp')
      if (this.#used.has(payload.jti!)) throw new Error('jti')
      this.#used.add(payload.jti!)
    } catch (e) {
      this.refusals.push(e instanceof Error ? e.message : 'unknown')
      return { status: 400, body: { error: 'invalid_client', error_description: 'Doe, Jane is not welcome' } }
    }
    const token = `token-${++this.given}`
    const life = this.#options.lifeSeconds ?? 300
    this.#valid.set(token, this.#clock.now() + life * 1000)
    return { status: 200, body: { access_token: token, token_type: 'bearer', expires_in: life, scope: 'system/*.rs' } }
  }

  isValid (authorization: string | undefined): boolean {
    const until = this.#valid.get(/^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '')
    return until !== undefined && this.#clock.now() < until
  }

  /** All tokens end now, whatever they said. */
  revoke (): void { this.#valid.clear() }
}
