import { setTimeout as sleep } from 'node:timers/promises'
import type { SeededRandom } from '../kit/random.ts'
import { startJavaClient, type JavaClient, type JavaProducer } from '../kit/servers/index.ts'
import { PARTITIONS } from './counter.ts'

const KEYS_PER_PARTITION = 10
const PAUSE_MS = 20

/** Writes input without pause, by Kafka's own idempotent producer: `sequence number`, sequences rise by one per key. */
export class Feeder implements AsyncDisposable {
  readonly #java: JavaClient
  readonly #topic: string
  readonly #random: SeededRandom
  readonly #perBatch: number
  readonly #sequences = new Map<string, number>()
  #producer: JavaProducer
  #feeding = false
  #done: Promise<void> = Promise.resolve()

  private constructor (java: JavaClient, producer: JavaProducer, topic: string, random: SeededRandom, perSecond: number) {
    this.#java = java
    this.#producer = producer
    this.#topic = topic
    this.#random = random
    this.#perBatch = Math.max(1, Math.round(perSecond * PAUSE_MS / 1_000))
  }

  static async open (bootstrap: string, topic: string, random: SeededRandom, perSecond: number): Promise<Feeder> {
    const java = await startJavaClient(bootstrap)
    return new Feeder(java, await java.producer('lz4'), topic, random, perSecond)
  }

  start (): void {
    this.#feeding = true
    this.#done = this.#feed()
    this.#done.catch(() => {}) // told by `stop`
  }

  /** Resolves when all that was written is acknowledged. */
  async stop (): Promise<void> {
    this.#feeding = false
    await this.#done
    await this.#producer.flush()
  }

  async #feed (): Promise<void> {
    while (this.#feeding) {
      const records = Array.from({ length: this.#perBatch }, () => this.#record())
      await this.#producer.sendAll(this.#topic, records)
      await sleep(PAUSE_MS)
    }
  }

  #record (): { readonly partition: number, readonly key: Buffer, readonly value: Buffer } {
    const partition = this.#random.below(PARTITIONS)
    const key = `p${partition}k${this.#random.below(KEYS_PER_PARTITION)}`
    const sequence = (this.#sequences.get(key) ?? 0) + 1
    this.#sequences.set(key, sequence)
    return { partition, key: Buffer.from(key), value: Buffer.from(`${sequence} ${this.#random.below(100)}`) }
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#feeding = false
    await this.#java[Symbol.asyncDispose]()
    await this.#done.catch(() => {})
  }
}
