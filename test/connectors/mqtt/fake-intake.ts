import { LatidoError } from '../../../streams/errors/index.ts'
import type { InboundMessage, Intake, PublishOutcome, RefusedInput } from '../../../connectors/kit/port.ts'

export const NOW_MS: number = Date.UTC(2031, 4, 6, 10, 0, 0)

/** An intake in memory: knows duplicates by identity and content, and can be made to fail or to hold messages back. */
export class FakeIntake implements Intake {
  readonly published: InboundMessage[] = []
  readonly refused: RefusedInput[] = []
  readonly counts: Map<string, number> = new Map()
  readonly beds: Map<string, string> = new Map()
  duplicates = 0
  away = false
  attempts = 0
  hold: Promise<void> | undefined
  readonly #seen = new Set<string>()
  readonly #waiting = new Set<() => void>()

  async publish (message: InboundMessage): Promise<PublishOutcome> {
    this.attempts++
    const hold = this.hold
    if (this.away) { this.#changed(); throw new LatidoError('LOG_WRITE_FAILED', 'the log is away', 'start it') }
    const identity = `${message.source}|${message.messageId}|${message.content.toString('base64')}`
    const duplicate = this.#seen.has(identity)
    this.#seen.add(identity)
    if (duplicate) this.duplicates++; else this.published.push(message)
    this.#changed()
    await hold
    return duplicate ? { kind: 'duplicate' } : { kind: 'published', arrival: NOW_MS }
  }

  refuse (refused: RefusedInput): Promise<void> { this.refused.push(refused); this.#changed(); return Promise.resolve() }
  patientInBed (ward: string, bed: string): string | undefined { return this.beds.get(`${ward}|${bed}`) }
  now (): number { return NOW_MS }
  count (_source: string, what: string, n = 1): void { this.counts.set(what, (this.counts.get(what) ?? 0) + n); this.#changed() }

  /** Resolves as soon as the condition holds; looks again after each thing that happens to the intake. */
  until (holds: () => boolean): Promise<void> {
    return new Promise(resolve => {
      const look = (): void => { if (holds()) { this.#waiting.delete(look); resolve() } }
      this.#waiting.add(look)
      look()
    })
  }

  #changed (): void { for (const look of this.#waiting) look() }

  values (): number[] { return this.published.flatMap(m => m.event.type === 'observations' ? m.event.observations.map(o => o.value) : []) }
  causes (): string[] { return this.refused.map(r => r.cause) }
}
