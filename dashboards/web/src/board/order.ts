import type { WirePatient } from '../../../server/wire.ts'

/** By ward, then bed, where bed 2 comes before bed 10. */
export function byBed (a: WirePatient, b: WirePatient): number {
  return a.ward.localeCompare(b.ward) || a.bed.localeCompare(b.bed, undefined, { numeric: true }) || a.patient.localeCompare(b.patient)
}

/** `patients` in the order of `held` (pseudonyms), whoever is new behind. */
export function inHeldOrder (patients: readonly WirePatient[], held: readonly string[]): readonly WirePatient[] {
  const rank = new Map(held.map((patient, i) => [patient, i]))
  return patients.map((patient, i) => ({ patient, rank: rank.get(patient.patient) ?? held.length + i })).sort((a, b) => a.rank - b.rank).map(({ patient }) => patient)
}
