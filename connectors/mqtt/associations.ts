import type { Intake } from '../kit/port.ts'
import type { Association, AssociationMemory } from './options.ts'

/** Which patient each device measures now. Bounded; a table that is full takes no new device, and says so. */
export class AssociationTable {
  readonly #byDevice: Map<string, Association>
  readonly #devicesMax: number
  readonly #memory: AssociationMemory | undefined
  constructor (initial: Readonly<Record<string, Association>>, devicesMax: number, memory?: AssociationMemory) {
    this.#byDevice = new Map([...memory?.load() ?? [], ...Object.entries(initial)])
    this.#devicesMax = devicesMax
    this.#memory = memory
  }

  /** In effect at once; resolves when it will outlive the process. False where the table is full. */
  async set (device: string, association: Association | undefined): Promise<boolean> {
    if (association === undefined) this.#byDevice.delete(device)
    else if (!this.#byDevice.has(device) && this.#byDevice.size >= this.#devicesMax) return false
    else this.#byDevice.set(device, association)
    await this.#memory?.save(device, association)
    return true
  }

  /** The patient in this order: named in the message, in the bed that the message names, associated with the device. */
  patientOf (device: string, message: { readonly patient?: string | null | undefined, readonly ward?: string | null | undefined, readonly bed?: string | null | undefined }, intake: Intake): string | undefined {
    if (message.patient != null) return message.patient
    if (message.ward != null && message.bed != null) return intake.patientInBed(message.ward, message.bed)
    const association = this.#byDevice.get(device)
    if (association === undefined) return undefined
    return 'patient' in association ? association.patient : intake.patientInBed(association.ward, association.bed)
  }
}
