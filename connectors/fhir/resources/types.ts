import type { Bundle, BundleEntry, CodeableConcept, Coding, FhirResource, Identifier, Patient, Quantity, Reference } from 'fhir/r4.js'

/** FHIR R4 (4.0.1), types only: what comes is JSON of other people's, so whatever is read here is looked at before it is believed. */
export type { Bundle, BundleEntry, CodeableConcept, Coding, FhirResource, Identifier, Patient, Quantity, Reference }

/** The elements of a repeating element; a single one where a sender forgot the brackets. */
export function list<T> (value: readonly T[] | T | undefined | null): readonly T[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? (value as readonly T[]).filter(one => one !== null && one !== undefined) : [value as T]
}

/** Text without the white space around it; empty where it is not text. */
export function text (value: unknown): string { return typeof value === 'string' ? value.trim() : '' }
