import type { CourseName, Episode } from './courses.ts'

/** `ward`: some patients deteriorate from the start, others later. `calm`: nobody does. */
export type Scenario = 'ward' | 'calm'

const HOUR = 3_600_000
const episode = (course: CourseName, onsetH: number, riseH: number, stayH: number, fallH: number, height: number): Episode =>
  ({ course, onsetMs: onsetH * HOUR, riseMs: riseH * HOUR, stayMs: stayH * HOUR, fallMs: fallH * HOUR, height })

/** In septic shock at the start: the first charted set passes NEWS2 7. */
const ACUTE: Episode = episode('sepsis', -5, 4.5, 4, 8, 1)
const BY_BED: ReadonlyMap<number, Episode> = new Map([
  [1, episode('sepsis', -16, 5, 5, 12, 0.8)], // recovering
  [2, ACUTE],
  [4, episode('aki', -4, 8, 10, 20, 0.9)],
  [6, episode('respiratoryFailure', -1.2, 3, 3, 6, 0.95)], // getting worse now
  [8, episode('respiratoryFailure', -6, 4, 12, 8, 0.3)], // mild
  [9, episode('bleeding', 0.15, 2, 1, 5, 0.95)], // begins ten minutes after the start
])

/** What the patient of a bed (from 0) has when the ward opens; a ward of one or two beds has the acute one in its last. */
export function openingEpisodes (bed: number, beds: number): readonly Episode[] {
  if (beds < 3) return bed === beds - 1 ? [ACUTE] : []
  const own = BY_BED.get(bed)
  return own === undefined ? [] : [own]
}
