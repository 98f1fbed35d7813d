import { LatidoError } from '../../../streams/errors/index.ts'
import { float64, uint16, uint32, uint8 } from '../growing.ts'

/** Of a reading: flags, and in the upper bits the comparator (position in `COMPARATORS`). */
export const WITHDRAWN = 1
/** The verbal part was charted with a tube in the throat. */
export const INTUBATED = 2
export const NOT_ARTERIAL = 4
export const COMPARATOR_SHIFT = 4

/** Readings in columns, 32 bytes each: patient, item, when drawn or charted for, when stored, value. */
export class Readings {
  readonly #patient = uint32()
  readonly #item = uint16()
  readonly #charted = float64()
  readonly #arrival = float64()
  readonly #value = float64()
  readonly #flags = uint8()
  readonly #max: number
  constructor (max: number) { this.#max = max }

  add (patient: number, item: number, chartedFor: number, arrival: number, value: number, flags: number): void {
    if (this.#patient.length >= this.#max) throw new LatidoError('FILE_INVALID', `more than ${this.#max} readings to hold in memory`, 'replay a part of the patients, or raise readingsMax')
    this.#patient.push(patient)
    this.#item.push(item)
    this.#charted.push(chartedFor)
    this.#arrival.push(arrival)
    this.#value.push(value)
    this.#flags.push(flags)
  }

  /** Sorted by arrival, patient, charted time, item; readings equal in all four stay in the order of the files. */
  finish (): SortedReadings {
    const patient = this.#patient.view()
    const item = this.#item.view()
    const charted = this.#charted.view()
    const arrival = this.#arrival.view()
    const order = new Uint32Array(patient.length)
    for (let i = 0; i < order.length; i++) order[i] = i
    const by = (column: ArrayLike<number>, a: number, b: number): number => (column[a] as number) - (column[b] as number)
    order.sort((a, b) => by(arrival, a, b) || by(patient, a, b) || by(charted, a, b) || by(item, a, b) || a - b)
    return { order, patient, item, charted, arrival, value: this.#value.view(), flags: this.#flags.view() }
  }
}

export interface SortedReadings {
  readonly order: Uint32Array
  readonly patient: Uint32Array
  readonly item: Uint16Array
  readonly charted: Float64Array
  readonly arrival: Float64Array
  readonly value: Float64Array
  readonly flags: Uint8Array
}
