import type { ArchivedInput, InboundMessage, Intake, PublishOutcome, RefusedInput } from '../../../connectors/kit/index.ts'
import type { EventTimeMs } from '../../../streams/time/index.ts'

/** The intake as one feed sees it: the same, and counts what becomes of this feed's messages. */
export class FeedIntake implements Intake {
  readonly counters: Map<string, number> = new Map()
  readonly #intake: Intake
  readonly #onCount: (what: string, n: number) => void

  constructor (intake: Intake, onCount: (what: string, n: number) => void = () => {}) {
    this.#intake = intake
    this.#onCount = onCount
  }

  async publish (message: InboundMessage): Promise<PublishOutcome> {
    const outcome = await this.#intake.publish(message)
    this.#add(outcome.kind)
    return outcome
  }

  async refuse (refused: RefusedInput): Promise<void> {
    await this.#intake.refuse(refused)
    this.#add(`refused-${refused.cause}`)
  }

  async archive (archived: ArchivedInput): Promise<void> {
    await this.#intake.archive(archived)
    this.#add('archived')
  }

  patientInBed (ward: string, bed: string, at?: EventTimeMs): string | undefined { return this.#intake.patientInBed(ward, bed, at) }
  now (): number { return this.#intake.now() }

  count (source: string, what: string, n: number = 1): void {
    this.#intake.count(source, what, n)
    this.#add(what, n)
  }

  #add (what: string, n: number = 1): void {
    this.counters.set(what, (this.counters.get(what) ?? 0) + n)
    this.#onCount(what, n)
  }
}
