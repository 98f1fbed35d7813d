import { throwIfAuthenticationFailed } from '../security/index.ts'
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
  const { versions, features }: ApiVersionsResponse = answer
  return { versions, features }
}

/** One call on this very connection. */
export function ask<Request, Response> (connection: Connection, { clock, limits }: ClusterOptions, api: Api<Request, Response>, request: Request): Promise<Response> {
  return new Promise((resolve, reject) => { connection.send(callOf(api, request, limits.requestTimeoutMs, clock.monotonicMs() + limits.requestTimeoutMs, resolve, reject)) })
}
