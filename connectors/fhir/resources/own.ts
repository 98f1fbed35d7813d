import type { Coding } from 'fhir/r4.js'
import { list, text, type FhirResource } from './types.ts'

/** How systems of ours begin, unless configured otherwise. */
export const OWN_SYSTEM = 'urn:latido'

/** On each resource that Latido writes to a server, so that no Latido takes it for a finding of somebody else's. */
export const OWN_TAG: Coding = { system: OWN_SYSTEM, code: 'written-back' }

const KINDS = ['alert', 'score', 'clinical-score'] as const

/** The system of our identifiers of a kind, where it is named as configured. */
export function ownSystem (kind: (typeof KINDS)[number], system: string = OWN_SYSTEM): string { return `${system}:${kind}` }

const OWN_SYSTEMS: ReadonlySet<string> = new Set(KINDS.map(kind => ownSystem(kind)))

/** What Latido wrote itself. By our identifiers too: a server may drop tags (R4 meta.tag, "may be used by the server"), and earlier versions set none. */
export function isOwn (resource: FhirResource): boolean {
  if (list(resource.meta?.tag).some(({ system, code }) => text(system) === OWN_TAG.system && text(code) === OWN_TAG.code)) return true
  const { identifier } = resource as { identifier?: unknown }
  return Array.isArray(identifier) && identifier.some((one: { system?: unknown } | null) => OWN_SYSTEMS.has(text(one?.system)))
}
