import type { InboundMessage, Intake, PublishOutcome, RefusedInput } from '../../../connectors/kit/port.ts'

/** What the kit does, in memory: duplicates by identity and content, published and refused messages kept in order. */
export class FakeIntake implements Intake {
  readonly published: InboundMessage[] = []
  readonly refused: RefusedInput[] = []
  readonly counts: Map<string, number> = new Map()
  readonly log: string[] = []
  nowMs: number = Date.UTC(2026, 2, 14, 12)
  /** Called before each publish: may wait, or throw as the log would. */
  beforePublish: (message: InboundMessage) => Promise<void> = () => Promise.resolve()
  beforeRefuse: (refused: RefusedInput) => Promise<void> = () => Promise.resolve()
  #seen = new Map<string, string>()

  async publish (message: InboundMessage): Promise<PublishOutcome> {
    await this.beforePublish(message)
    const content = message.content.toString('latin1')
    if (this.#seen.get(message.messageId) === content) return { kind: 'duplicate' }
    this.#seen.set(message.messageId, content)
    this.published.push(message)
    this.log.push('published')
    return { kind: 'published', arrival: this.nowMs }
  }

  async refuse (refused: RefusedInput): Promise<void> {
    await this.beforeRefuse(refused)
    this.refused.push(refused)
    this.log.push(refused.cause)
  }

  patientInBed (): string | undefined { return undefined }
  now (): number { return this.nowMs }
  count (_source: string, what: string, n = 1): void { this.counts.set(what, (this.counts.get(what) ?? 0) + n) }
}
