import type { Clock } from '../../streams/time/index.ts'
import type { KeptTable } from '../kit/index.ts'
import type { Answer } from './answer.ts'

/** What is known of a key: of which body it is, since when, and the answer once there is one. */
export interface KeptKey { readonly body: string, readonly at: number, readonly answer?: Answer }

export type Once =
  | { readonly kind: 'answered', readonly answer: Answer, readonly replayed: boolean }
  /** The key was used for another body. */
  | { readonly kind: 'reused' }

/**
 * Each key has one body and one answer (draft-ietf-httpapi-idempotency-key-header). The body is bound to the key on disk before anything is published, the
 * answer after it. A crash between the two leaves the first alone: the same request is carried out again, and the intake knows what of it is in the log.
 */
export class IdempotencyKeys {
  readonly #table: KeptTable<KeptKey>
  readonly #clock: Clock
  readonly #keptMs: number
  readonly #keysMax: number
  /** In order of age. */
  readonly #known: Map<string, KeptKey>
  readonly #running = new Map<string, { readonly body: string, readonly work: Promise<Answer> }>()

  constructor (table: KeptTable<KeptKey>, clock: Clock, limits: { readonly keptMs: number, readonly keysMax: number }) {
    this.#table = table
    this.#clock = clock
    this.#keptMs = limits.keptMs
    this.#keysMax = limits.keysMax
    this.#known = new Map([...table.load()].toSorted(([, a], [, b]) => a.at - b.at))
  }

  /** Carries `run` out once a key: who comes at the same time waits for the first. Rejects as `run` does; then the same request may come again. */
  async once (key: string, body: string, run: () => Promise<Answer>): Promise<Once> {
    const running = this.#running.get(key)
    if (running !== undefined) return running.body === body ? { kind: 'answered', answer: await running.work, replayed: true } : { kind: 'reused' }
    const before = this.#fresh(key)
    if (before !== undefined && before.body !== body) return { kind: 'reused' }
    if (before?.answer !== undefined) return { kind: 'answered', answer: before.answer, replayed: true }
    const work = this.#carryOut(key, before ?? { body, at: this.#clock.now() }, before !== undefined, run)
    this.#running.set(key, { body, work })
    try {
      return { kind: 'answered', answer: await work, replayed: false }
    } finally {
      this.#running.delete(key)
    }
  }

  async #carryOut (key: string, bound: KeptKey, isBound: boolean, run: () => Promise<Answer>): Promise<Answer> {
    if (!isBound) await this.#keep(key, bound)
    const answer = await run()
    if (answer.kind === 'items') await this.#keep(key, { ...bound, answer }) // a fault of ours is no answer to keep
    return answer
  }

  async #keep (key: string, row: KeptKey): Promise<void> {
    await this.#table.save(key, row)
    if (this.#known.get(key)?.at !== row.at) this.#known.delete(key) // begun anew: it is the youngest
    this.#known.set(key, row)
    const oldest = this.#known.keys().next().value
    if (this.#known.size > this.#keysMax && oldest !== undefined) await this.#forget(oldest)
  }

  #fresh (key: string): KeptKey | undefined {
    const row = this.#known.get(key)
    return row === undefined || this.#clock.now() - row.at > this.#keptMs ? undefined : row
  }

  /** Forgets what is older than it needs to be known; at most `limit` at once. */
  async purge (limit: number): Promise<void> {
    const old: string[] = []
    for (const [key, row] of this.#known) {
      if (old.length === limit || this.#clock.now() - row.at <= this.#keptMs) break
      if (!this.#running.has(key)) old.push(key)
    }
    for (const key of old) await this.#forget(key)
  }

  async #forget (key: string): Promise<void> {
    this.#known.delete(key)
    await this.#table.save(key, undefined)
  }
}
