import { alertRank } from '../../features/board/index.ts'
import type { DashboardSources, PatientAlert, PatientSummary } from './sources.ts'
import { wirePatient } from './to-wire.ts'
import type { WireBoard } from './wire.ts'

/** A board shows at most this many patients, those of most concern; the API has them all. */
const BOARD_PATIENTS_MAX = 500

function rankOf ({ state, priority }: PatientAlert): number { return state === 'cleared' ? 0 : alertRank(state, priority) }

/** Orders by concern: open alerts, then NEWS2, then risk; bed name breaks ties, so cards do not jump about. */
function byConcern (a: PatientSummary, b: PatientSummary): number {
  const worst = (p: PatientSummary): number => p.alerts.reduce((rank, alert) => Math.max(rank, rankOf(alert)), 0)
  return worst(b) - worst(a)
    || (b.news2?.score ?? -1) - (a.news2?.score ?? -1)
    || tenths(b) - tenths(a)
    || byName(a.ward, b.ward) || byName(a.bed, b.bed) || (a.patient < b.patient ? -1 : Number(a.patient > b.patient))
}

/** Bed 2 before bed 10. One collator for all: to make one a comparison was the largest cost of a board of 800 patients. */
const byName = new Intl.Collator(undefined, { numeric: true }).compare

/** Risk in steps of ten points, so that noise does not reorder the board. */
function tenths (p: PatientSummary): number { return p.score === null || !Number.isFinite(p.score.probability) ? -1 : Math.floor(p.score.probability * 10) }

/** Admitted, or alerting, or still measured: whoever needs eyes is shown, with or without an admission message. */
export function belongsOnBoard (p: PatientSummary): boolean {
  return p.admitted || p.alerts.some(alert => alert.state !== 'cleared') || p.readings.some(reading => !reading.stale)
}

/** The board's JSON. `ward`: only that ward's patients; the ward list is always whole. */
export async function readBoard (sources: DashboardSources, ward?: string): Promise<WireBoard> {
  const everyone = (await sources.patients()).filter(belongsOnBoard)
  const counts = new Map<string, number>()
  for (const p of everyone) counts.set(p.ward, (counts.get(p.ward) ?? 0) + 1)
  const chosen = ward === undefined ? everyone : everyone.filter(p => p.ward === ward)
  return {
    now: sources.clock.now(), version: sources.version, total: chosen.length,
    wards: [...counts].map(([name, patients]) => ({ ward: name, patients })).sort((a, b) => a.ward.localeCompare(b.ward)),
    patients: chosen.sort(byConcern).slice(0, BOARD_PATIENTS_MAX).map(p => wirePatient(sources, p)),
  }
}
