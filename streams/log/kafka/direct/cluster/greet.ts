import { authenticate, throwIfAuthenticationFailed } from '../security/index.ts'
import type { KafkaSasl } from '../../options.ts'
import type { Api } from '../wire/index.ts'
import { apiVersions, type ApiVersionsResponse } from './api/api-versions.ts'
import { callOf } from './call.ts'
import type { Connection } from './connection.ts'
import { ERROR_CODE, throwIfError } from './errors.ts'
import type { ClusterOptions } from './options.ts'
import type { Versions } from './versions.ts'

/** What a broker says of itself when a connection opens. */
export interface Greeting { readonly versions: Versions, readonly features: ReadonlyMap<string, number> }

/** Names us to the broker (KIP-511); letters, digits, dots and hyphens only. */
const SOFTWARE = { softwareName: 'latido', softwareVersion: '0.1' }

/** Of a session's lifetime, as Kafka's own client. */
const RENEW_FROM = 0.85
const RENEW_SPREAD = 0.1

/** Asks what the broker speaks, first in our highest version, then, refused, in the highest that it names. Then authenticates. */
export async function greet (connection: Connection, options: ClusterOptions): Promise<Greeting> {
  connection.versions = new Map([[apiVersions.key, { min: 0, max: apiVersions.maxVersion }]])
  let answer = await throwIfAuthenticationFailed(() => ask(connection, options, apiVersions, SOFTWARE))
  if (answer.errorCode === ERROR_CODE.UNSUPPORTED_VERSION) {
    connection.versions = new Map([[apiVersions.key, { min: 0, max: answer.versions.get(apiVersions.key)?.max ?? 0 }]])
    answer = await ask(connection, options, apiVersions, SOFTWARE)
  }
  throwIfError(answer.errorCode, apiVersions.name)
  connection.versions = answer.versions
  if (options.sasl !== undefined) await login(connection, options, options.sasl)
  const { versions, features }: ApiVersionsResponse = answer
  return { versions, features }
}

/** Again before the session ends; at a time drawn from its last part, so that not all clients come at once. */
async function login (connection: Connection, options: ClusterOptions, sasl: KafkaSasl): Promise<void> {
  const lifetimeMs = await authenticate(sasl, options.clock, (api, request) => ask(connection, options, api, request))
  if (lifetimeMs > 0) connection.renewAfter(lifetimeMs * (RENEW_FROM + RENEW_SPREAD * options.random()), () => login(connection, options, sasl))
}

/** One call on this very connection, whatever else waits. */
export function ask<Request, Response> (connection: Connection, { clock, limits }: ClusterOptions, api: Api<Request, Response>, request: Request): Promise<Response> {
  return new Promise((resolve, reject) => { connection.sendNow(callOf(api, request, limits.requestTimeoutMs, clock.monotonicMs() + limits.requestTimeoutMs, resolve, reject)) })
}
