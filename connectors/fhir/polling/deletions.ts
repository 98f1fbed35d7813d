import type { FhirClient } from '../http/index.ts'
import { deletionOf, isResource, list, text, type FhirResource } from '../resources/index.ts'
import type { References } from './references.ts'

export interface Deletion {
  readonly type: string
  readonly id: string
  /** When the server did it; undefined: its history is asked. */
  readonly at?: string
  /** It was done by then: for a server that does not say when. */
  readonly noticedAt?: string
}

/**
 * A deletion as a message. FHIR tells only type and id of what is gone, so its last version is looked for in its history (R4, http 2.21.0.9: a
 * server that keeps versions has it); where there is none the message is refused with its cause, and somebody can look. The history says when it was
 * done, too: what is made anew of the resource within the same second is newer than that.
 */
export async function deletionMessage (client: FhirClient, references: References, { type, id, at = '', noticedAt = '' }: Deletion, signal: AbortSignal): Promise<Buffer> {
  const { last, deletedAt } = await historyOf(client, type, id, signal)
  return deletionOf(type, id, at || deletedAt || noticedAt, last, last === undefined ? [] : await references.includesOf(last, signal))
}

interface History { readonly last: FhirResource | undefined, readonly deletedAt: string }
const UNKNOWN: History = { last: undefined, deletedAt: '' }

async function historyOf (client: FhirClient, type: string, id: string, signal: AbortSignal): Promise<History> {
  const answer = await client.fetch(`${type}/${encodeURIComponent(id)}/_history?_count=5`, { signal, expects: [400, 403, 404, 405, 410, 501] })
  if (answer.status !== 200) return UNKNOWN
  try {
    const bundle: unknown = JSON.parse(answer.body.toString('utf8'))
    if (!isResource(bundle) || bundle.resourceType !== 'Bundle') return UNKNOWN
    const entries = list(bundle.entry)
    return {
      last: entries.flatMap(one => isResource(one.resource) ? [one.resource] : []).find(one => one.resourceType === type && text(one.id) === id),
      deletedAt: text(entries.find(one => one.request?.method === 'DELETE')?.response?.lastModified),
    }
  } catch {
    return UNKNOWN // no version is known then, and the message says so
  }
}
