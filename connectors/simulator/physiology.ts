import { COURSES, intensityAt } from './courses.ts'
import type { Laboratory, Vital } from './courses.ts'
import type { Person } from './people.ts'

export const VITALS: readonly Vital[] = ['heartRate', 'respiratoryRate', 'spo2', 'systolic', 'diastolic', 'temperature']

/** Daily rhythm: half the swing, and the hour of its peak. Noise: AR(1) with this standard deviation and correlation time. */
const RHYTHM: Readonly<Record<Vital, { readonly swing: number, readonly peakHour: number, readonly sd: number, readonly correlationMs: number }>> = {
  heartRate: { swing: 4, peakHour: 16, sd: 2.5, correlationMs: 60_000 },
  respiratoryRate: { swing: 0.6, peakHour: 16, sd: 0.9, correlationMs: 45_000 },
  spo2: { swing: 0.3, peakHour: 15, sd: 0.5, correlationMs: 90_000 },
  systolic: { swing: 5, peakHour: 17, sd: 3.5, correlationMs: 300_000 },
  diastolic: { swing: 3, peakHour: 17, sd: 2.2, correlationMs: 300_000 },
  temperature: { swing: 0.25, peakHour: 18, sd: 0.06, correlationMs: 1_800_000 },
}
/** A living patient in a bed stays inside these; artefacts are added afterwards, by the monitor. */
export const VITAL_LIMITS: Readonly<Record<Vital, readonly [low: number, high: number]>> = { heartRate: [38, 190], respiratoryRate: [6, 48], spo2: [70, 100], systolic: [62, 210], diastolic: [32, 120], temperature: [34.5, 41] }
const DAY_MS = 86_400_000
const OXYGEN_RAISES_SPO2 = 3

/** One patient's body: asked in order of simulated time, since the noise remembers. */
export class Body {
  readonly #person: Person
  readonly #dayOffsetMs: number
  readonly #noise: Record<Vital, number>
  #noiseAtMs = -Infinity
  constructor (person: Person, startMs: number) {
    this.#person = person
    this.#dayOffsetMs = startMs % DAY_MS
    this.#noise = { heartRate: 0, respiratoryRate: 0, spo2: 0, systolic: 0, diastolic: 0, temperature: 0 }
  }

  vitalsAt (atMs: number): Record<Vital, number> {
    this.#moveNoise(atMs)
    const oxygen = this.oxygenAt(atMs)
    const vitals = {} as Record<Vital, number>
    for (const vital of VITALS) {
      const { swing, peakHour } = RHYTHM[vital]
      const rhythm = swing * Math.cos(2 * Math.PI * ((this.#dayOffsetMs + atMs) / DAY_MS - peakHour / 24))
      const value = this.#person.vitals[vital] + rhythm + this.#noise[vital] + this.#courses(atMs, (course, x) => x * course.add[vital]) + (vital === 'spo2' && oxygen ? OXYGEN_RAISES_SPO2 : 0)
      const [low, high] = VITAL_LIMITS[vital]
      vitals[vital] = Math.min(high, Math.max(low, value))
    }
    vitals.diastolic = Math.min(vitals.diastolic, vitals.systolic - 15)
    return vitals
  }

  laboratoryAt (laboratory: Laboratory, atMs: number): number {
    let factor = 1
    for (const episode of this.#person.episodes) factor *= COURSES[episode.course].times[laboratory] ** intensityAt(episode, atMs)
    return this.#person.labs[laboratory] * factor * (1 + 0.03 * Math.max(-2, Math.min(2, this.#person.random.normal())))
  }

  /** Worst intensity of any course, 0 to 1. */
  illnessAt (atMs: number): number { return this.#person.episodes.reduce((worst, episode) => Math.max(worst, intensityAt(episode, atMs)), 0) }

  oxygenAt (atMs: number): boolean { return this.#person.episodes.some(episode => intensityAt(episode, atMs) >= COURSES[episode.course].oxygenAt) }

  /** ACVPU: 0 alert, 1 new confusion, 2 responds to voice. */
  consciousnessAt (atMs: number): 0 | 1 | 2 {
    let worst: 0 | 1 | 2 = 0
    for (const episode of this.#person.episodes) {
      const over = intensityAt(episode, atMs) - COURSES[episode.course].confusionAt
      if (over >= 0.28) return 2
      if (over >= 0) worst = 1
    }
    return worst
  }

  #courses (atMs: number, effect: (course: (typeof COURSES)[keyof typeof COURSES], intensity: number) => number): number {
    let sum = 0
    for (const episode of this.#person.episodes) sum += effect(COURSES[episode.course], intensityAt(episode, atMs))
    return sum
  }

  #moveNoise (atMs: number): void {
    if (atMs <= this.#noiseAtMs) return
    for (const vital of VITALS) {
      const { sd, correlationMs } = RHYTHM[vital]
      const keep = Math.exp(-(atMs - this.#noiseAtMs) / correlationMs)
      this.#noise[vital] = keep * this.#noise[vital] + Math.sqrt(1 - keep * keep) * sd * this.#person.random.normal()
    }
    this.#noiseAtMs = atMs
  }
}
