import type { Vital } from './courses.ts'
import type { Random } from './random.ts'

/** A number as a monitor sends it; null while the sensor is off. */
export interface Numeric { readonly code: string, readonly value: number | null, readonly unit: string, readonly quality?: 'questionable' }

const SPIKE_EACH_MS = 900_000
const SPIKE_IMPOSSIBLE = 0.04
const DAMPED_EACH_MS = 3 * 3_600_000
const PROBE_OFF_EACH_MS = 2.5 * 3_600_000
const SILENCE_EACH_MS = 14 * 3_600_000
const TEMPERATURE_EACH_MS = 60_000
const CUFF_EACH_MS = 900_000

/**
 * A bedside monitor: heart rate, respiration and SpO2 in every message, an arterial line where there is one, a cuff each 15 minutes,
 * temperature each minute. It adds what monitors add: motion spikes, a damped line, a probe that is off (null), a cable unplugged (silence).
 */
export class Monitor {
  readonly #random: Random
  readonly #arterialLine: boolean
  #temperatureDueMs = -Infinity
  #cuffDueMs = -Infinity
  #dampedUntilMs = -Infinity
  #probeOffUntilMs = -Infinity
  #silentUntilMs = -Infinity
  #lastMs: number | undefined
  constructor (random: Random, arterialLine: boolean) {
    this.#random = random
    this.#arterialLine = arterialLine
  }

  /** Undefined while the monitor is silent. */
  read (atMs: number, vitals: Readonly<Record<Vital, number>>): Numeric[] | undefined {
    this.#drawTroubles(atMs)
    if (atMs < this.#silentUntilMs) return undefined
    const numerics: Numeric[] = [...this.#heart(atMs, vitals), numeric('151562', vitals.respiratoryRate, '/min')]
    if (this.#arterialLine) numerics.push(...this.#line(atMs, vitals))
    if (atMs >= this.#cuffDueMs && !this.#arterialLine) {
      this.#cuffDueMs = atMs + CUFF_EACH_MS
      numerics.push(numeric('150021', vitals.systolic, 'mm[Hg]'), numeric('150022', vitals.diastolic, 'mm[Hg]'), numeric('150023', mean(vitals.systolic, vitals.diastolic), 'mm[Hg]'))
    }
    if (atMs >= this.#temperatureDueMs) {
      this.#temperatureDueMs = atMs + TEMPERATURE_EACH_MS
      numerics.push({ code: '150344', value: Math.round(vitals.temperature * 10) / 10, unit: 'Cel' })
    }
    return numerics
  }

  #heart (atMs: number, vitals: Readonly<Record<Vital, number>>): Numeric[] {
    const probeOff = atMs < this.#probeOffUntilMs
    const spike = this.#happens(SPIKE_EACH_MS, atMs)
    const saturation: Numeric = probeOff ? { code: '150456', value: null, unit: '%' } : numeric('150456', vitals.spo2 - (spike ? this.#random.between(8, 20) : 0), '%', spike)
    if (!spike) return [numeric('147842', vitals.heartRate, '/min'), saturation]
    const impossible = this.#random.chance(SPIKE_IMPOSSIBLE)
    const heartRate = impossible ? this.#random.between(310, 340) : Math.min(240, vitals.heartRate * this.#random.between(1.3, 1.9))
    return [numeric('147842', heartRate, '/min', this.#random.chance(0.7)), saturation]
  }

  #line (atMs: number, vitals: Readonly<Record<Vital, number>>): Numeric[] {
    const map = mean(vitals.systolic, vitals.diastolic)
    const damped = atMs < this.#dampedUntilMs
    const systolic = damped ? map + 4 : vitals.systolic
    const diastolic = damped ? map - 3 : vitals.diastolic
    return [numeric('150033', systolic, 'mm[Hg]', damped), numeric('150034', diastolic, 'mm[Hg]', damped), numeric('150035', map, 'mm[Hg]', damped)]
  }

  #drawTroubles (atMs: number): void {
    const minutes = (low: number, high: number): number => atMs + this.#random.between(low, high) * 60_000
    if (this.#happens(DAMPED_EACH_MS, atMs)) this.#dampedUntilMs = minutes(0.5, 2)
    if (this.#happens(PROBE_OFF_EACH_MS, atMs)) this.#probeOffUntilMs = minutes(1, 8)
    if (this.#happens(SILENCE_EACH_MS, atMs)) this.#silentUntilMs = minutes(5, 25)
    this.#lastMs = atMs
  }

  /** A Poisson process, asked once for each message. */
  #happens (eachMs: number, atMs: number): boolean { return this.#random.chance(Math.min(1, Math.max(0, atMs - (this.#lastMs ?? atMs)) / eachMs)) }
}

function numeric (code: string, value: number, unit: string, questionable = false): Numeric {
  return questionable ? { code, value: Math.round(value), unit, quality: 'questionable' } : { code, value: Math.round(value), unit }
}

function mean (systolic: number, diastolic: number): number { return diastolic + (systolic - diastolic) / 3 }
