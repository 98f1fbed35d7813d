import type { Sex } from '../../streams/events/index.ts'
import type { EventTimeMs } from '../../streams/time/index.ts'
import { identifierOf, type FeedMapping, type SourceIdentity } from '../kit/index.ts'
import type { Hl7Context } from './context.ts'
import { faultAt, type Hl7Fault } from './outcome.ts'
import type { Segment } from './segment.ts'

/** `authority`: CX-4 of the identifier that the patient is known by; empty where none is named. `nobody`: there is no identifier at all. */
export type Identified =
  | { readonly kind: 'patient', readonly identity: SourceIdentity, readonly authority: string }
  | { readonly kind: 'nobody' }
  | { readonly kind: 'fault', readonly fault: Hl7Fault }

interface Candidate { readonly id: string, readonly authority: string, readonly namespace: string, readonly namespaceRank: number, readonly typeRank: number }

/**
 * PID to a patient. With namespaces configured, identifiers of an unknown authority do not count (an empty one is known where the table has an empty
 * name), and the namespace that the table names first wins; within it the preferred type; two different identifiers of that type are a conflict.
 * Without namespaces every authority is one: the preferred type wins, then the first.
 */
export function identityOf (pid: Segment, context: Hl7Context): Identified {
  const field = [3, ...context.profile.identifierFallback.map(place => Number(place.slice(4)))].find(n => idsIn(pid, n).length > 0)
  if (field === undefined) return { kind: 'nobody' }
  const known = candidatesOf(pid, field, context)
  const best = bestOf(known)
  const [first] = best
  if (first === undefined) return { kind: 'fault', fault: faultAt('patient-missing', pid, field, 'has no identifier of a configured authority') }
  if (context.mapping.namespaces.size > 0 && best.some(one => one.id !== first.id)) return { kind: 'fault', fault: faultAt('identifier-conflict', pid, field, 'has two identifiers of one namespace') }
  return { kind: 'patient', identity: withName(first.id, pid), authority: first.authority }
}

/** Who goes, from MRG-1: of each namespace the identifiers of the preferred type, without any that the survivor has itself. undefined: it names nobody known. */
export function losersOf (mrg: Segment, pid: Segment, context: Hl7Context): readonly string[] | undefined {
  const kept = new Set(candidatesOf(pid, 3, context).map(one => one.id))
  const prior = candidatesOf(mrg, 1, context)
  if (prior.length === 0) return undefined
  const best = [...new Set(prior.map(one => one.namespace))].flatMap(namespace => bestOf(prior.filter(one => one.namespace === namespace)))
  return [...new Set(best.map(one => one.id))].filter(id => !kept.has(id))
}

function idsIn (segment: Segment, field: number): readonly { readonly id: string, readonly repetition: number }[] {
  return Array.from({ length: segment.repetitions(field) }, (_, repetition) => ({ id: segment.said(field, 1, repetition), repetition })).filter(({ id }) => id !== '')
}

function candidatesOf (segment: Segment, field: number, { mapping, profile }: Hl7Context): readonly Candidate[] {
  return idsIn(segment, field).flatMap(({ id, repetition }) => {
    const names = [segment.said(field, 4, repetition), segment.said(field, 4, repetition, 2)].filter(name => name !== '')
    const authority = authorityIn(mapping, names)
    const named = authority === undefined ? undefined : identifierOf(mapping, authority, id)
    if (authority === undefined || named === undefined) return []
    const type = profile.identifierTypes.indexOf(segment.said(field, 5, repetition).toUpperCase())
    const namespace = mapping.namespaces.get(authority) ?? ''
    return [{ id: named, authority, namespace, namespaceRank: rankOf(mapping, namespace), typeRank: type < 0 ? profile.identifierTypes.length : type }]
  })
}

/** CX-4 names its authority by a name, or by an OID or domain. */
function authorityIn (mapping: FeedMapping, names: readonly string[]): string | undefined {
  if (mapping.namespaces.size === 0) return names[0] ?? ''
  return (names.length === 0 ? [''] : names).find(name => mapping.namespaces.has(name))
}

function rankOf (mapping: FeedMapping, namespace: string): number { return [...mapping.namespaces.values()].indexOf(namespace) }

/** All of the best namespace and, within it, of the best type; in the order sent. */
function bestOf (candidates: readonly Candidate[]): readonly Candidate[] {
  const namespaceRank = Math.min(...candidates.map(one => one.namespaceRank))
  const within = candidates.filter(one => one.namespaceRank === namespaceRank)
  const typeRank = Math.min(...within.map(one => one.typeRank))
  return within.filter(one => one.typeRank === typeRank)
}

function withName (id: string, pid: Segment): SourceIdentity {
  const familyName = pid.said(5, 1)
  const givenName = pid.said(5, 2)
  const birthDate = birthDateOf(pid)
  return { id, ...(familyName === '' ? {} : { familyName }), ...(givenName === '' ? {} : { givenName }), ...(birthDate === undefined ? {} : { birthDate }) }
}

/** PID-7 as an ISO date, as far as it is known. */
export function birthDateOf (pid: Segment): string | undefined {
  const match = /^(\d{4})(?:(\d\d)(\d\d)?)?/.exec(pid.said(7))
  if (match === null) return undefined
  const [, year, month, day] = match
  const parts = [year, month, day].filter(part => part !== undefined)
  const complete = [year ?? '', month ?? '01', day ?? '01'].join('-')
  const at = new Date(`${complete}T00:00:00Z`)
  return Number.isNaN(at.getTime()) || at.toISOString().slice(0, 10) !== complete ? undefined : parts.join('-')
}

const AGE_MAX = 90

/** Completed years at a moment; everyone over 89 is 90 (45 CFR 164.514(b)(2)); -1 unknown. */
export function ageAt (birthDate: string | undefined, at: EventTimeMs): number {
  if (birthDate === undefined) return -1
  const [year = 0, month = 1, day = 1] = birthDate.split('-').map(Number)
  const then = new Date(at)
  const before = then.getUTCMonth() + 1 < month || (then.getUTCMonth() + 1 === month && then.getUTCDate() < day)
  const age = then.getUTCFullYear() - year - (before ? 1 : 0)
  return age < 0 || age > 150 ? -1 : Math.min(age, AGE_MAX)
}

/** HL7 table 0001. */
const SEXES: Readonly<Record<string, Sex>> = { F: 'female', M: 'male', O: 'other', A: 'other', N: 'other', X: 'other' }

export function sexOf (pid: Segment): Sex { return SEXES[pid.said(8).toUpperCase()] ?? 'unknown' }
