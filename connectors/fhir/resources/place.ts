import type { Encounter, EncounterLocation, Location } from 'fhir/r4.js'
import { simpleCode } from './coding.ts'
import type { Scope } from './scope.ts'
import { list, text, type Reference } from './types.ts'

export interface Place { readonly ward: string, readonly bed: string }

const PARTS_MAX = 6

/**
 * Ward and bed of a place: the Location of physical type `bd` and the nearest `wa` (else `ro`, else its first parent) above it, by identifier, else name,
 * else id, so that both are what the hospital calls them. A Location that is not at hand is its id: a bed where the encounter says so, else a ward.
 */
export function placeOf (where: EncounterLocation, encounter: Encounter, scope: Scope): Place {
  const chain = chainOf(where.location, encounter, scope)
  const [first] = chain
  if (first === undefined) {
    const id = text(where.location?.reference).split('/').at(-1) ?? ''
    return simpleCode(where.physicalType) === 'bd' ? { ward: '', bed: id } : { ward: id, bed: '' }
  }
  const bed = chain.find(one => simpleCode(one.physicalType) === 'bd') ?? (simpleCode(where.physicalType) === 'bd' ? first : undefined)
  const above = chain.filter(one => one !== bed)
  const ward = above.find(one => simpleCode(one.physicalType) === 'wa') ?? above[0]
  return { ward: ward === undefined ? '' : nameOf(ward), bed: bed === undefined ? '' : nameOf(bed) }
}

/** The Location and what it is part of, as far as it is at hand. */
function chainOf (reference: Reference | undefined, encounter: Encounter, scope: Scope): readonly Location[] {
  const chain: Location[] = []
  for (let at = reference; at !== undefined && chain.length < PARTS_MAX;) {
    const found = scope.find(at, encounter)
    if (found?.resourceType !== 'Location' || chain.includes(found)) break
    chain.push(found)
    at = found.partOf
  }
  return chain
}

function nameOf (location: Location): string { return text(list(location.identifier)[0]?.value) || text(location.name) || (location.id ?? '') }
