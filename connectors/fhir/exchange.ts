import type { FhirClient } from './http/index.ts'
import { isResource } from './resources/envelope.ts'
import { text, type FhirResource } from './resources/types.ts'

export interface FhirCall {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** Below the base: `Observation?_count=10`, `DetectedIssue/7`. */
  readonly path: string
  readonly body?: FhirResource
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export interface FhirReply {
  readonly status: number
  /** undefined: it has none, or it is no resource. */
  readonly resource: FhirResource | undefined
  /** `W/"3"`; empty: none. */
  readonly etag: string
}

/** One request, answered whatever the server thinks of it. Throws FHIR_UNREACHABLE, FHIR_REFUSED, FHIR_INVALID where nothing can be asked at all. */
export type FhirExchange = (call: FhirCall) => Promise<FhirReply>

/** What a server may say to one resource; 500 among them, since one resource may be what it cannot digest. The client deals with all others. */
const ANSWERS: readonly number[] = [400, 403, 404, 405, 409, 410, 412, 413, 415, 422, 500, 501]

export function exchangeOf (client: Pick<FhirClient, 'fetch'>): FhirExchange {
  return async ({ method, path, body, headers, signal }) => {
    const answer = await client.fetch(path, { method, expects: ANSWERS, ...body === undefined ? {} : { body: JSON.stringify(body) }, ...headers === undefined ? {} : { headers }, ...signal === undefined ? {} : { signal } })
    return { status: answer.status, resource: resourceIn(answer.body), etag: answer.headers.get('etag') ?? '' }
  }
}

function resourceIn (body: Buffer): FhirResource | undefined {
  try {
    const said: unknown = JSON.parse(body.toString('utf8'))
    return isResource(said) ? said : undefined
  } catch {
    return undefined
  }
}

/** `W/"3"` of a reply: its ETag, else the version that the resource itself names; undefined: neither says. */
export function versionTagOf ({ etag, resource }: FhirReply): string | undefined {
  if (etag !== '') return etag
  const version = text(resource?.meta?.versionId)
  return version === '' ? undefined : `W/"${version}"`
}
