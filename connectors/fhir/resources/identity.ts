import { identifierOf, note, type Fault, type FeedMapping, type Notices, type SourceIdentity } from '../../kit/index.ts'
import { simpleCode } from './coding.ts'
import type { Scope } from './scope.ts'
import { list, text, type FhirResource, type Identifier, type Patient, type Reference } from './types.ts'

/**
 * Whom a resource is about. The identifier is one of Patient.identifier, never the server's logical id: of the systems that the mapping names, the first
 * in its order; without a mapping the medical record number (type MR), else the usual or official one. Where a system has several that are in force, the official
 * one, then the one that sorts first: the order of a list must not change who somebody is. Old and ended identifiers name nobody.
 */
export function identityOf (patient: Patient, mapping: FeedMapping, notices: Notices): SourceIdentity | undefined {
  const chosen = choose(list(patient.identifier), mapping, notices)
  if (chosen === undefined) return undefined
  const name = list(patient.name).find(one => one.use === 'official') ?? list(patient.name)[0]
  const family = text(name?.family)
  const given = list(name?.given).map(text).filter(one => one !== '').join(' ')
  const birthDate = birthDateOf(patient)
  return { id: chosen, ...(family === '' ? {} : { familyName: family }), ...(given === '' ? {} : { givenName: given }), ...(birthDate === undefined ? {} : { birthDate }) }
}

export function birthDateOf (patient: Patient): string | undefined {
  const said = text(patient.birthDate)
  return /^\d{4}(-\d\d(-\d\d)?)?$/.test(said) ? said : undefined
}

function choose (identifiers: readonly Identifier[], mapping: FeedMapping, notices: Notices): string | undefined {
  const inForce = identifiers.filter(one => text(one.value) !== '' && one.use !== 'old' && one.use !== 'temp')
  const systems: readonly (string | undefined)[] = mapping.namespaces.size === 0 ? [undefined] : [...mapping.namespaces.keys()]
  for (const system of systems) {
    const candidates = (system === undefined ? bestOf(inForce) : inForce.filter(one => text(one.system) === system)).toSorted((a, b) => rank(a) - rank(b) || compare(text(a.value), text(b.value)))
    const [first, second] = candidates
    if (first === undefined) continue
    if (second !== undefined && rank(second) === rank(first) && text(second.value) !== text(first.value)) note(notices, 'identifier-ambiguous')
    return identifierOf(mapping, text(first.system), text(first.value))
  }
  return undefined
}

function bestOf (identifiers: readonly Identifier[]): readonly Identifier[] {
  const records = identifiers.filter(one => simpleCode(one.type) === 'MR')
  return records.length > 0 ? records : identifiers
}

const RANKS: Readonly<Record<string, number>> = { official: 0, usual: 1 }
function rank (identifier: Identifier): number { return RANKS[text(identifier.use)] ?? 2 }
function compare (a: string, b: string): number { return a < b ? -1 : a > b ? 1 : 0 }

/** The patient that a reference means: contained, included or known; else its logical identifier. Without a reference, the patient that the resource is. */
export function patientOf (reference: Reference | undefined, holder: FhirResource, scope: Scope): { readonly identity: SourceIdentity, readonly patient: Patient | undefined } | Fault {
  const self = holder.resourceType === 'Patient' && reference === undefined
  if (reference === undefined && !self) return { cause: 'patient-missing', detail: `${holder.resourceType} names no patient` }
  const found = self ? holder : scope.find(reference, holder)
  if (found?.resourceType === 'Patient') {
    const identity = identityOf(found, scope.mapping, scope.notices)
    if (identity !== undefined) return { identity, patient: found }
    return { cause: 'patient-missing', detail: 'the patient has no identifier of a known system' }
  }
  const identifier = reference?.identifier
  const said = text(identifier?.value)
  const id = said === '' ? undefined : identifierOf(scope.mapping, text(identifier?.system), said)
  if (id !== undefined) return { identity: { id }, patient: undefined }
  return { cause: 'patient-missing', detail: said === '' ? `${holder.resourceType}: the patient that it refers to is not known` : `${holder.resourceType}: the patient's identifier is of an unknown system` }
}
