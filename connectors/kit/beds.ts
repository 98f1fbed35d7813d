import type { Database } from 'lmdb'
import type { EncounterEvent } from '../../streams/events/index.ts'
import type { Lmdb } from '../../streams/lmdb/index.ts'
import type { EventTimeMs } from '../../streams/time/index.ts'

/** Seals an identifier for the disk, and opens it again. */
export interface Sealer { seal (plain: Buffer): Buffer, open (sealed: Buffer): Buffer }

/** Who lies in which bed, from admissions, transfers and discharges. The newest admission to a bed wins. Sealed on disk. */
export class Beds {
  readonly #rows: Database<Buffer, string>
  readonly #sealer: Sealer
  readonly #byBed = new Map<string, string>()
  readonly #byPatient = new Map<string, string>()

  constructor (root: Lmdb, sealer: Sealer) {
    this.#rows = root.openDB<Buffer, string>('beds', { encoding: 'binary' })
    this.#sealer = sealer
    for (const { key, value } of this.#rows.getRange({})) this.#put(key, sealer.open(value).toString())
  }

  patientIn (ward: string, bed: string, _at?: EventTimeMs): string | undefined { return this.#byBed.get(nameOf(ward, bed)) }

  apply (patient: string, event: EncounterEvent): void {
    if (event.action === 'discharge') { this.#leave(patient); return }
    if (event.bed === '') return
    const bed = nameOf(event.ward, event.bed)
    if (this.#byBed.get(bed) === patient) return
    if (event.action === 'update' && this.#byBed.has(bed)) return // an update does not throw anybody out of bed
    this.#leave(patient)
    const before = this.#byBed.get(bed)
    if (before !== undefined) this.#byPatient.delete(before)
    this.#put(bed, patient)
    void this.#rows.put(bed, this.#sealer.seal(Buffer.from(patient)))
  }

  /** The loser's bed is the survivor's, unless that one lies elsewhere. */
  merge (loser: string, survivor: string): void {
    const bed = this.#byPatient.get(loser)
    if (bed === undefined) return
    this.#leave(loser)
    if (this.#byPatient.has(survivor)) return
    this.#put(bed, survivor)
    void this.#rows.put(bed, this.#sealer.seal(Buffer.from(survivor)))
  }

  #put (bed: string, patient: string): void {
    this.#byBed.set(bed, patient)
    this.#byPatient.set(patient, bed)
  }

  #leave (patient: string): void {
    const bed = this.#byPatient.get(patient)
    if (bed === undefined) return
    this.#byPatient.delete(patient)
    this.#byBed.delete(bed)
    void this.#rows.remove(bed)
  }
}

function nameOf (ward: string, bed: string): string { return `${ward}|${bed}` }
