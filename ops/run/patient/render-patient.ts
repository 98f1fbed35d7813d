import type { PatientHolding, Point, SeriesHolding } from '../../../features/compute/index.ts'
import type { PatientAt } from './patient-state.ts'

const MINUTE_MS = 60_000

/** What is held for a patient, in words. */
export function renderPatient ({ patient, partition, stamp, clock, bytes, mergedInto, held }: PatientAt): string {
  const head = `patient ${patient}\n  partition ${partition}, everything below offset ${stamp}, as of ${iso(clock)}; ${bytes} bytes\n`
  if (held === undefined) return `${head}  merged into ${mergedInto}, who has all that was held, and gets what still comes\n`
  return `${head}${stayOf(held)}${held.series.map(seriesOf).join('')}${held.views.map(viewOf).join('')}  late readings ${held.late}, duplicates ${held.duplicates}\n`
}

function stayOf ({ stay }: PatientHolding): string {
  const place = stay.ward === '' && stay.bed === '' ? '' : `, ward ${stay.ward} bed ${stay.bed}`
  const when = stay.dischargedAt === undefined ? stay.admittedAt === undefined ? 'no admission known' : `admitted ${iso(stay.admittedAt)}` : `discharged ${iso(stay.dischargedAt)}`
  return `  ${when}${place}; age ${stay.ageYears ?? 'unknown'}, sex ${stay.sex}\n`
}

function seriesOf ({ name, unit, readings, rings, last, previous, countSinceAdmission }: SeriesHolding): string {
  const tiles = rings.map(r => `${r.tiles.length} tiles of ${minutes(r.tileMs)}`).join(', ')
  return `  ${name} (${unit}): last ${point(last)}, before it ${point(previous)}; ${readings.length} readings kept${tiles === '' ? '' : `, ${tiles}`}; ${countSinceAdmission} since admission\n`
}

function viewOf ({ view, lastEmit, staleAt }: PatientHolding['views'][number]): string {
  return `  view ${view}: ${lastEmit === undefined ? 'nothing said yet' : `last said at ${iso(lastEmit)}`}${staleAt === undefined ? '' : `, stale from ${iso(staleAt)}`}\n`
}

function point (p: Point | undefined): string { return p === undefined ? 'nothing' : `${Number(p.value.toPrecision(6))} at ${iso(p.time)}` }
function minutes (ms: number): string { return ms < MINUTE_MS ? `${ms / 1_000} s` : `${ms / MINUTE_MS} min` }
function iso (time: number): string { return new Date(time).toISOString() }
