import { Agent } from 'node:https'
import { Compatibility, SchemaRegistryClient, type Client, type SchemaMetadata } from '@confluentinc/schemaregistry'
import { LatidoError, messageOf } from '../errors/index.ts'
import type { Clock, DurationMs } from '../time/index.ts'

export type RegistryAuth =
  | { readonly kind: 'basic', readonly username: string, readonly password: string }
  /** Asked for before each request, so that a token may be renewed. */
  | { readonly kind: 'bearer', readonly token: () => string }

export interface RegistryOptions {
  /** The Confluent API's root. */
  readonly url: string
  readonly auth?: RegistryAuth
  /** PEM of the authority that signed the registry's certificate, where it is not one of the machine's own. */
  readonly ca?: Buffer
  readonly clock: Clock
  readonly requestTimeoutMs: DurationMs
  /** How long to try again while the registry is away. */
  readonly retryForMs: DurationMs
}

export const REGISTRY_DEFAULTS: { readonly requestTimeoutMs: DurationMs, readonly retryForMs: DurationMs } = { requestTimeoutMs: 10_000, retryForMs: 30_000 }

const BACKOFF_MIN_MS = 100
const BACKOFF_MAX_MS = 2_000
const NOT_FOUND = 404
/** Answers that may be others in a moment. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])
const UNTRUSTED = /CERT|SIGNATURE|SELF_SIGNED|TLS|SSL/

/** `@confluentinc/schemaregistry` with our credentials, our patience and our errors. Nothing is retried by the library; no error of it, which holds the request's headers, goes on as a cause. */
export class RegistryClient {
  readonly #client: Client
  readonly #options: RegistryOptions

  constructor (options: RegistryOptions) {
    this.#options = options
    const { auth, ca, requestTimeoutMs } = options
    this.#client = SchemaRegistryClient.newClient({
      baseURLs: [options.url.replace(/\/+$/, '')],
      maxRetries: 0,
      ...(auth?.kind === 'basic' ? { basicAuthCredentials: { credentialsSource: 'USER_INFO' as const, userInfo: `${auth.username}:${auth.password}` } } : {}),
      createAxiosDefaults: {
        timeout: requestTimeoutMs,
        maxRedirects: 0, // credentials go to the registry alone
        ...(ca === undefined ? {} : { httpsAgent: new Agent({ ca, keepAlive: true }) }),
        ...(auth?.kind === 'bearer' ? { transformRequest: [(data: unknown, headers: { set (name: string, value: string): unknown }) => { headers.set('Authorization', `Bearer ${auth.token()}`); return data === undefined ? data : JSON.stringify(data) }] } : {}),
      },
    })
  }

  /** Throws REGISTRY_UNREACHABLE or REGISTRY_REFUSED where it does not answer in time or to us. */
  async ping (): Promise<void> { await this.#ask(client => client.getAllSubjects()) }
  /** undefined: the subject has no level of its own. */
  async compatibilityOf (subject: string): Promise<string | undefined> { return await this.#find(async client => (await client.getConfig(subject)).compatibilityLevel) }
  async setBackward (subject: string): Promise<void> { await this.#ask(client => client.updateCompatibility(subject, Compatibility.BACKWARD)) }
  async versionsOf (subject: string): Promise<readonly SchemaMetadata[]> {
    const versions = await this.#find(client => client.getAllVersions(subject)) ?? []
    return await Promise.all(versions.map(async version => await this.#ask(client => client.getSchemaMetadata(subject, version, false))))
  }

  /** The id of exactly this schema in its subject; undefined: not registered. */
  async idOf (subject: string, schema: string): Promise<number | undefined> { return await this.#find(client => client.getId(subject, { schema, schemaType: 'AVRO' }, false)) }
  async isCompatible (subject: string, schema: string): Promise<boolean> { return await this.#find(client => client.testSubjectCompatibility(subject, { schema, schemaType: 'AVRO' })) ?? true }
  /** Throws SCHEMA_INCOMPATIBLE with the registry's reason. */
  async register (subject: string, schema: string): Promise<number> { return await this.#ask(client => client.register(subject, { schema, schemaType: 'AVRO' }, false), subject) }
  /** undefined: no such id, or no Avro schema that stands for itself. */
  async schemaOf (id: number): Promise<string | undefined> {
    const found = await this.#find(client => client.getBySubjectAndId('', id))
    return found === undefined || (found.schemaType ?? 'AVRO') !== 'AVRO' ? undefined : found.schema
  }

  /** The same; undefined where the registry knows no such thing. */
  async #find<T> (request: (client: Client) => Promise<T>): Promise<T | undefined> {
    return await this.#ask(async client => {
      try {
        return await request(client)
      } catch (e) {
        if (statusOf(e) === NOT_FOUND) return undefined
        throw e
      }
    })
  }

  async #ask<T> (request: (client: Client) => Promise<T>, subject = ''): Promise<T> {
    const { clock, retryForMs } = this.#options
    const startedMs = clock.monotonicMs()
    for (let pauseMs = BACKOFF_MIN_MS; ; pauseMs = Math.min(2 * pauseMs, BACKOFF_MAX_MS)) {
      try {
        return await request(this.#client)
      } catch (e) {
        const failure = this.#failureOf(e, subject)
        if (failure.kind === 'final' || clock.monotonicMs() - startedMs + pauseMs > retryForMs) throw failure.error
      }
      await clock.sleep(pauseMs)
    }
  }

  #failureOf (e: unknown, subject: string): { readonly kind: 'passing' | 'final', readonly error: LatidoError } {
    const status = statusOf(e)
    const at = new URL(this.#options.url).host
    if (status === undefined) {
      const code = (e as { code?: unknown }).code
      const untrusted = typeof code === 'string' && UNTRUSTED.test(code)
      const what = new LatidoError('REGISTRY_UNREACHABLE', `the schema registry at ${at} ${untrusted ? `cannot be trusted (${code})` : `does not answer (${typeof code === 'string' ? code : messageOf(e)})`}`,
        untrusted ? 'give the authority of its certificate with --schema-registry-ca-file' : 'start it, or check --schema-registry; what is running goes on with the schemas that it knows')
      return { kind: untrusted ? 'final' : 'passing', error: what }
    }
    if (status === 401 || status === 403) return { kind: 'final', error: new LatidoError('REGISTRY_REFUSED', `the schema registry at ${at} refuses the credentials (${status})`, 'check --schema-registry-user and its password file, or the token file, and what this user may do') }
    if (status === 409 || status === 422) return { kind: 'final', error: new LatidoError('SCHEMA_INCOMPATIBLE', `the registry refuses the new schema of ${subject}: ${messageOf(e)}`, 'give new fields a default, or use a new record name') }
    return { kind: PASSING.has(status) ? 'passing' : 'final', error: new LatidoError('REGISTRY_UNREACHABLE', `the schema registry at ${at} answers ${status}: ${messageOf(e)}`, 'check that --schema-registry is the root of a Confluent API (Apicurio: /apis/ccompat/v7)') }
  }
}

function statusOf (e: unknown): number | undefined {
  const status = (e as { status?: unknown }).status
  return typeof status === 'number' ? status : undefined
}
