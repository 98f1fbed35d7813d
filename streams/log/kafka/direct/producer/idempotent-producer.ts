import type { Appended, OutRecord, Producer, TopicPartition } from '../../../port.ts'
import { initProducerIdApi, type ProducerIdentity } from '../api/index.ts'
import { KafkaError } from '../cluster/index.ts'
import type { Direct } from '../direct.ts'
import { nameOf } from '../../../partition-name.ts'
import { closedError, patiently } from '../retry.ts'
import { Dispatcher } from './dispatcher.ts'
import { ProducerLine } from './producer-line.ts'

const CLOSE_MS = 10_000

/** Appends outside transactions: idempotent, in order, each partition a line of its own. */
export class IdempotentProducer implements Producer {
  readonly #direct: Direct
  readonly #dispatcher: Dispatcher
  readonly #lines = new Map<string, ProducerLine>()
  #closed = false

  constructor (direct: Direct) {
    this.#direct = direct
    this.#dispatcher = new Dispatcher(direct)
  }

  append (to: TopicPartition, records: readonly OutRecord[]): Promise<Appended> {
    if (this.#closed || this.#direct.closed.aborted) return Promise.reject(closedError())
    const name = nameOf(to)
    let line = this.#lines.get(name)
    if (line === undefined) this.#lines.set(name, line = new ProducerLine(this.#direct, this.#dispatcher, to, () => newProducerId(this.#direct)))
    return line.append(records)
  }

  /** Waits for what was appended, for a while. */
  async [Symbol.asyncDispose] (): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const over = new AbortController()
    await Promise.race([Promise.all([...this.#lines.values()].map(l => l.idle())), this.#direct.clock.sleep(CLOSE_MS, over.signal)])
    over.abort('over')
    this.#dispatcher.giveUp() // whoever appended is told
    this.#dispatcher.close()
  }
}

async function newProducerId (direct: Direct): Promise<ProducerIdentity> {
  return await patiently(direct, 'asking for a producer id', {}, async () => {
    const { errorCode, producer } = await direct.cluster.call({ kind: 'any' }, initProducerIdApi, { transactionalId: null, timeoutMs: direct.limits.transactionTimeoutMs })
    if (errorCode !== 0) throw new KafkaError(errorCode, 'InitProducerId')
    return producer
  })
}
