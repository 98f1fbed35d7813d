import { SAMPLED_MINUTES_MAX } from './sampled-data.ts'
import { observationNames } from './observation.ts'
import { resultIdOf } from './scope.ts'
import { conclusionPart, containedIn } from './report.ts'
import { conditionPart } from './family-history.ts'
import { list, type FhirResource } from './types.ts'

/**
 * Identities under which a resource of several parts names what it says, whether that can be mapped or not. undefined: it is refused as a whole, and no
 * part of it stands by itself.
 */
export function namesOf (resource: FhirResource): ReadonlySet<string> | undefined {
  switch (resource.resourceType) {
    case 'Observation': return new Set(observationNames(resource, SAMPLED_MINUTES_MAX))
    case 'DiagnosticReport': return new Set([
      resultIdOf(resource), ...list(resource.conclusionCode).map((code, i) => resultIdOf(resource, conclusionPart(code, i))),
      ...containedIn(resource).flatMap(one => observationNames(one, SAMPLED_MINUTES_MAX)),
    ])
    case 'FamilyMemberHistory': return new Set(list(resource.condition).map((condition, i) => resultIdOf(resource, conditionPart(condition, i))))
    default: return undefined
  }
}
