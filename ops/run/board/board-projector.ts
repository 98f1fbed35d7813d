import type { PatientSearch } from '../../../dashboards/server/index.ts'
import type { BoardEntity, BoardIndex, BoardQuery } from '../../../features/board/index.ts'
import { messageOf } from '../../../streams/errors/index.ts'
import type { Clock, DurationMs } from '../../../streams/time/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { Board } from './board.ts'
import { entityOf } from './board-entity.ts'
import { summaryOf } from './board-rows.ts'

/** All defaults of the projector. */
const PROJECTOR_DEFAULTS: ProjectorOptions = { tickMs: 250, writeEveryMs: 1_000, ageMs: 5_000, reconcileMs: 60_000 }

export interface ProjectorOptions {
  /** How often it looks who has changed. */
  readonly tickMs: DurationMs
  /** A patient is written at once, and then at most this often. */
  readonly writeEveryMs: DurationMs
  /** How often it looks whose values have grown old. */
  readonly ageMs: DurationMs
  /** How often it compares the index with the board. */
  readonly reconcileMs: DurationMs
}

export interface ProjectorParts { readonly board: Board, readonly index: BoardIndex, readonly clock: Clock, readonly logger: Logger, readonly options?: Partial<ProjectorOptions> }

/** When a patient was written, and what of it changes with time alone. */
interface Written { readonly at: number, readonly onBoard: boolean, readonly news2: number | null }

/**
 * Keeps the board's index as the online store is: whoever has changed is read and written, some at a time. The index may lag and may be lost:
 * after any failure everybody is read and written again.
 */
export class BoardProjector implements AsyncDisposable {
  readonly #parts: ProjectorParts
  readonly #options: ProjectorOptions
  readonly #due = new Set<string>()
  readonly #written = new Map<string, Written>()
  readonly #stop: () => void
  #work: Promise<void> = Promise.resolve()
  #busy = false
  #away = false
  #agedAt: number
  #reconciledAt: number

  /** Reads everybody, and writes who differs from the index. */
  static async start (parts: ProjectorParts): Promise<BoardProjector> {
    const projector = new BoardProjector(parts)
    try {
      await projector.#reconcile()
      await projector.#flush()
      return projector
    } catch (error) {
      await projector[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor (parts: ProjectorParts) {
    this.#parts = parts
    this.#options = { ...PROJECTOR_DEFAULTS, ...parts.options }
    this.#agedAt = this.#reconciledAt = parts.clock.monotonicMs()
    this.#stop = parts.clock.every(this.#options.tickMs, () => { this.#tick() })
  }

  changed (patients: Iterable<string>): void { for (const patient of patients) this.#due.add(patient) }

  /** In memory, whoever searches finds what was written before: writing is cheap there. In Redis what is found may be a second old. */
  async search (query: BoardQuery): Promise<PatientSearch> {
    const { board, index } = this.#parts
    if (index.by === 'own-index') {
      await this.#work
      await this.#flush(0)
    }
    return await board.search(query)
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#stop()
    await this.#work
  }

  #tick (): void {
    if (this.#busy) return
    this.#busy = true
    this.#work = this.#round().finally(() => { this.#busy = false })
  }

  async #round (): Promise<void> {
    try {
      const now = this.#parts.clock.monotonicMs()
      if (this.#away || now - this.#reconciledAt >= this.#options.reconcileMs) await this.#reconcile()
      if (now - this.#agedAt >= this.#options.ageMs) this.#age()
      await this.#flush()
      if (this.#away) this.#parts.logger.info({}, 'the board\'s index is written again')
      this.#away = false
    } catch (error) {
      if (!this.#away) this.#parts.logger.warn({ cause: messageOf(error) }, 'the board\'s index cannot be written; tried again')
      this.#away = true
    }
  }

  /** Whoever the index lacks or has too many, whatever the reason: a crash, another instance, a Redis that came back empty. */
  async #reconcile (): Promise<void> {
    const { board, index, clock } = this.#parts
    const indexed = new Set(await index.patients())
    const anew = this.#written.size === 0 || this.#away
    if (anew || board.rescans) await board.scan()
    if (anew) for (const { patient } of board.rows()) this.#due.add(patient)
    for (const { patient } of board.rows()) if (!indexed.has(patient)) this.#due.add(patient)
    for (const patient of indexed) if (!board.has(patient)) this.#due.add(patient)
    this.#reconciledAt = clock.monotonicMs()
  }

  #age (): void {
    const { board, clock } = this.#parts
    this.#agedAt = clock.monotonicMs()
    const now = clock.now()
    for (const row of board.rows()) {
      const written = this.#written.get(row.patient)
      if (written === undefined) continue
      const { onBoard, news2 } = entityOf(summaryOf(row, now), row.updatedAt)
      if (onBoard !== written.onBoard || news2 !== written.news2) this.#due.add(row.patient)
    }
  }

  /** The version is taken before the rows are read: what was written before it is in them. */
  async #flush (writeEveryMs = this.#options.writeEveryMs): Promise<void> {
    const { board, index, clock } = this.#parts
    const at = clock.monotonicMs()
    const ready = [...this.#due].filter(patient => at - (this.#written.get(patient)?.at ?? -Infinity) >= writeEveryMs)
    if (ready.length === 0) return
    const version = await index.version()
    for (const patient of ready) this.#due.delete(patient) // should the rest fail, everybody is due
    const rows = await board.read(ready)
    const now = clock.now()
    const entities: BoardEntity[] = rows.flatMap(row => row === undefined ? [] : [entityOf(summaryOf(row, now), row.updatedAt)])
    const gone = ready.filter((_, i) => rows[i] === undefined)
    await index.put(entities, version)
    if (gone.length > 0) await index.remove(gone, version)
    for (const { patient, onBoard, news2 } of entities) this.#written.set(patient, { at, onBoard, news2 })
    for (const patient of gone) this.#written.delete(patient)
  }
}
