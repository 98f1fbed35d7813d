type Column = Float64Array | Uint32Array | Uint16Array | Uint8Array

/** A typed array that doubles as it fills: 8 bytes a number instead of an object a row. */
export class Growing<C extends Column> {
  #data: C
  #length = 0
  readonly #make: (length: number) => C
  constructor (make: (length: number) => C, capacity = 4096) {
    this.#make = make
    this.#data = make(capacity)
  }

  get length (): number { return this.#length }

  push (value: number): void {
    if (this.#length === this.#data.length) {
      const wider = this.#make(this.#data.length * 2)
      wider.set(this.#data)
      this.#data = wider
    }
    this.#data[this.#length++] = value
  }

  /** The column so far, without a copy; pushing more may leave this view behind. */
  view (): C { return this.#data.subarray(0, this.#length) as C }
}

export const float64 = (): Growing<Float64Array> => new Growing(n => new Float64Array(n))
export const uint32 = (): Growing<Uint32Array> => new Growing(n => new Uint32Array(n))
export const uint16 = (): Growing<Uint16Array> => new Growing(n => new Uint16Array(n))
export const uint8 = (): Growing<Uint8Array> => new Growing(n => new Uint8Array(n))
