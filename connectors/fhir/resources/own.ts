import type { Coding } from 'fhir/r4.js'
import { list, text, type FhirResource } from './types.ts'

/** On each resource that Latido writes to a server, so that no Latido takes it for a finding of somebody else's. */
export const OWN_TAG: Coding = { system: 'urn:latido', code: 'written-back' }

const OWN_SYSTEMS: ReadonlySet<string> = new Set(['urn:latido:alert', 'urn:latido:score', 'urn:latido:clinical-score'])

/** What Latido wrote itself. By our identifiers too: a server may drop tags (R4 meta.tag, "may be used by the server"), and earlier versions set none. */
export function isOwn (resource: FhirResource): boolean {
  if (list(resource.meta?.tag).some(({ system, code }) => text(system) === OWN_TAG.system && text(code) === OWN_TAG.code)) return true
  const { identifier } = resource as { identifier?: unknown }
  return Array.isArray(identifier) && identifier.some((one: { system?: unknown } | null) => OWN_SYSTEMS.has(text(one?.system)))
}
