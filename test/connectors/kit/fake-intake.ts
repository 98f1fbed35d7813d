import { LatidoError } from '../../../streams/errors/index.ts'
import type { ArchivedInput, InboundMessage, Intake, PublishOutcome, RefusedInput } from '../../../connectors/kit/index.ts'

export const NOW_MS: number = Date.UTC(2031, 4, 6, 10, 0, 0)

/** What the intake does, in memory: knows duplicates by identity and content, keeps in order what came, and can be made to fail or to hold messages back. */
export class FakeIntake implements Intake {
  readonly published: InboundMessage[] = []
  readonly refused: RefusedInput[] = []
  readonly archived: ArchivedInput[] = []
  readonly counts: Map<string, number> = new Map()
  readonly beds: Map<string, string> = new Map()
  /** `published`, or the cause of a refusal, in the order in which they were done. */
  readonly log: string[] = []
  nowMs: number
  duplicates = 0
  attempts = 0
  /** The log is away: publishing fails as it would. */
  away = false
  hold: Promise<void> | undefined
  /** Called before each publish: may wait, or throw as the log would. */
  beforePublish: (message: InboundMessage) => Promise<void> = () => Promise.resolve()
  beforeRefuse: (refused: RefusedInput) => Promise<void> = () => Promise.resolve()
  readonly #seen = new Map<string, string>()
  readonly #waiting = new Set<() => void>()

  constructor (nowMs: number = NOW_MS) { this.nowMs = nowMs }

  async publish (message: InboundMessage): Promise<PublishOutcome> {
    this.attempts++
    const { hold } = this
    if (this.away) { this.#changed(); throw new LatidoError('LOG_WRITE_FAILED', 'the log is away', 'start it') }
    await this.beforePublish(message)
    const identity = `${message.source}|${message.messageId}`
    const content = message.content.toString('latin1')
    const duplicate = this.#seen.get(identity) === content
    this.#seen.set(identity, content)
    if (duplicate) this.duplicates++
    else { this.published.push(message); this.log.push('published') }
    this.#changed()
    await hold
    return duplicate ? { kind: 'duplicate' } : { kind: 'published', arrival: this.nowMs }
  }

  async refuse (refused: RefusedInput): Promise<void> {
    await this.beforeRefuse(refused)
    this.refused.push(refused)
    this.log.push(refused.cause)
    this.#changed()
  }

  archive (archived: ArchivedInput): Promise<void> { this.archived.push(archived); this.#changed(); return Promise.resolve() }
  patientInBed (ward: string, bed: string): string | undefined { return this.beds.get(`${ward}|${bed}`) }
  now (): number { return this.nowMs }
  count (_source: string, what: string, n = 1): void { this.counts.set(what, (this.counts.get(what) ?? 0) + n); this.#changed() }

  /** Resolves as soon as the condition holds; looks again after each thing that happens to the intake. */
  until (holds: () => boolean): Promise<void> {
    return new Promise(resolve => {
      const look = (): void => { if (holds()) { this.#waiting.delete(look); resolve() } }
      this.#waiting.add(look)
      look()
    })
  }

  values (): number[] { return this.published.flatMap(m => m.event.type === 'observations' ? m.event.observations.map(o => o.value) : []) }
  causes (): string[] { return this.refused.map(r => r.cause) }
  #changed (): void { for (const look of this.#waiting) look() }
}
