import type { ConnectorContext } from '../kit/index.ts'
import { LatidoError } from '../../streams/errors/index.ts'
import { basicAuth, bearerAuth, noAuth, openFhirClient, type Authorizer, type FhirClient, type FhirClientOptions } from './http/index.ts'
import type { FhirOptions } from './options.ts'
import { References, type KnownResource } from './polling/index.ts'
import { PROFILES } from './profiles/index.ts'
import { backendServices, readKey } from './smart/index.ts'

/** A server as every mode has it. */
export interface FhirServer { readonly client: FhirClient, readonly references: References, readonly count: (what: string, n?: number) => void }

export type FhirServerOptions = Pick<FhirOptions, 'baseUrl' | 'auth' | 'insecure' | 'profile' | 'requestsPerMinute' | 'timeoutMs' | 'types'>

/** The client of a feed's server, with its credentials, and what is known of those that its resources refer to. */
export async function openServer (context: Pick<ConnectorContext, 'clock' | 'secret' | 'table' | 'feed'>, options: FhirServerOptions): Promise<FhirServer> {
  const count = (what: string, n?: number): void => { context.feed.count(what, n) }
  const client = await openClient({ clock: context.clock, secret: context.secret, count }, options)
  return { client, count, references: new References({ client, clock: context.clock, table: context.table<KnownResource>('references') }) }
}

/** The client alone, for what has no feed. */
export async function openClient (parts: Pick<ConnectorContext, 'clock' | 'secret'> & { readonly count?: (what: string, n?: number) => void }, options: FhirServerOptions): Promise<FhirClient> {
  refuseUnsafe(options)
  const { clock } = parts
  const common: Omit<FhirClientOptions, 'clock' | 'auth'> = {
    baseUrl: options.baseUrl, limits: { timeoutMs: options.timeoutMs, requestsPerMinute: options.requestsPerMinute ?? PROFILES[options.profile].requestsPerMinute }, ...(parts.count === undefined ? {} : { count: parts.count }),
  }
  return openFhirClient({ ...common, clock, auth: await authorizer(parts, options, common) })
}

async function authorizer ({ clock, secret }: Pick<ConnectorContext, 'clock' | 'secret'>, { auth, types }: FhirServerOptions, client: Omit<FhirClientOptions, 'clock' | 'auth'>): Promise<Authorizer> {
  switch (auth.kind) {
    case 'none': return noAuth
    case 'basic': return basicAuth(auth.user, secret(auth.password))
    case 'bearer': return bearerAuth(secret(auth.token))
    case 'smart': {
      const key = await readKey(secret(auth.privateKey), auth.algorithm, auth.keyId)
      const scope = auth.scope === '' ? scopeOf(types) : auth.scope
      return backendServices({ clientId: auth.clientId, key, scope, tokenUrl: auth.tokenUrl, clock, client })
    }
  }
}

/** Reading and searching of what is read, and of what it refers to (SMART App Launch 2.2, scopes). */
function scopeOf (types: readonly string[]): string { return [...new Set([...types, 'Patient', 'Location', 'Medication'])].map(type => `system/${type}.rs`).join(' ') }

const LOCAL: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

function refuseUnsafe ({ baseUrl, insecure }: FhirServerOptions): void {
  const { protocol, hostname } = new URL(baseUrl)
  if (protocol === 'https:' || insecure || LOCAL.has(hostname)) return
  throw new LatidoError('UNSAFE_CREDENTIALS', 'patients\' data and the token would travel unencrypted to the FHIR server', 'use its https address, or say `insecure: true` where something else encrypts')
}
