/** The patients (subject_id) that are replayed, numbered as they are met. */
export class Patients {
  readonly ids: string[] = []
  readonly #numbers = new Map<number, number>()
  readonly #accept: (patientId: string) => boolean
  constructor (accept: (patientId: string) => boolean = () => true) { this.#accept = accept }

  /** undefined: not to be replayed. */
  numberOf (subject: number): number | undefined {
    const known = this.#numbers.get(subject)
    if (known !== undefined) return known === -1 ? undefined : known
    const id = String(subject)
    const number = this.#accept(id) ? this.ids.push(id) - 1 : -1
    this.#numbers.set(subject, number)
    return number === -1 ? undefined : number
  }
}
