import { randomUUID } from 'node:crypto'
import { isLatidoError } from '../../../../../streams/errors/index.ts'
import type { Consumer, Log, TransactionalProducer } from '../../../../../streams/log/index.ts'

const REJOIN: ReadonlySet<string> = new Set(['MEMBER_FENCED', 'PRODUCER_FENCED', 'TRANSACTION_ABORTED'])

/** Copies a topic to the same partition of another, exactly once, and joins again as the engine does. */
export class Copier {
  copied = 0
  readonly rejoined: string[] = []
  failure: unknown
  readonly #log: Log
  readonly #group: string
  readonly #from: string
  readonly #to: string
  #stopping = false
  #running: Promise<void> = Promise.resolve()
  #consumer: Consumer | undefined
  #transaction: TransactionalProducer | undefined

  constructor (log: Log, group: string, from: string, to: string) {
    this.#log = log
    this.#group = group
    this.#from = from
    this.#to = to
  }

  get partitions (): number { return this.#consumer?.assignment().length ?? 0 }

  start (): this {
    this.#running = this.#run().catch((e: unknown) => { this.failure = e })
    return this
  }

  async stop (): Promise<void> {
    this.#stopping = true
    await this.#running
    await Promise.allSettled([this.#consumer?.[Symbol.asyncDispose](), this.#transaction?.[Symbol.asyncDispose]()])
  }

  async #run (): Promise<void> {
    while (!this.#stopping) {
      try {
        await this.#join()
        while (!this.#stopping) await this.#step()
      } catch (e) {
        if (!isLatidoError(e) || !REJOIN.has(e.code)) throw e
        this.rejoined.push(`${e.code}: ${e.message}`)
        await Promise.allSettled([this.#consumer?.[Symbol.asyncDispose](), this.#transaction?.[Symbol.asyncDispose]()])
      }
    }
  }

  async #join (): Promise<void> {
    const instance = randomUUID()
    this.#transaction = await this.#log.transactionalProducer(`${this.#group}.${instance}`)
    this.#consumer = this.#log.consumer({
      group: this.#group, instance, topics: [this.#from], from: 'earliest',
      onAssigned: async partitions => { for (const p of partitions) this.#consumer?.seek(p, await this.#consumer.committed(p) ?? 0) },
    })
  }

  async #step (): Promise<void> {
    const consumer = this.#consumer as Consumer
    const transaction = this.#transaction as TransactionalProducer
    const runs = await consumer.poll(200)
    let count = 0
    for (const { partition, records: r } of runs) {
      const sink = transaction.sink({ topic: this.#to, partition })
      while (r.next()) { count++; sink.add(r.timestamp, r.keyBuffer, r.keyStart, r.keyEnd, r.valueBuffer, r.valueStart, r.valueEnd) }
    }
    if (runs.length === 0) return
    await transaction.commit(consumer.metadata, runs.map(({ topic, partition, nextOffset }) => ({ topic, partition, offset: nextOffset })))
    this.copied += count
  }
}
