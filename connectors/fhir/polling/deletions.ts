import type { FhirClient } from '../http/index.ts'
import { deletionOf, isResource, list, text, type FhirResource } from '../resources/index.ts'
import type { References } from './references.ts'

/**
 * A deletion as a message. FHIR tells only type and id of what is gone, so its last version is looked for in its history (R4, http 2.21.0.9: a
 * server that keeps versions has it); where there is none the message is refused with its cause, and somebody can look.
 */
export async function deletionMessage (client: FhirClient, references: References, type: string, id: string, at: string, signal: AbortSignal): Promise<Buffer> {
  const last = await lastVersion(client, type, id, signal)
  return deletionOf(type, id, at, last, last === undefined ? [] : await references.includesOf(last, signal))
}

async function lastVersion (client: FhirClient, type: string, id: string, signal: AbortSignal): Promise<FhirResource | undefined> {
  const answer = await client.fetch(`${type}/${encodeURIComponent(id)}/_history?_count=5`, { signal, expects: [400, 403, 404, 405, 410, 501] })
  if (answer.status !== 200) return undefined
  try {
    const bundle: unknown = JSON.parse(answer.body.toString('utf8'))
    if (!isResource(bundle) || bundle.resourceType !== 'Bundle') return undefined
    return list(bundle.entry).flatMap(one => isResource(one.resource) ? [one.resource] : []).find(one => one.resourceType === type && text(one.id) === id)
  } catch {
    return undefined // no version is known then, and the message says so
  }
}
