import { LatidoError } from '../../../errors/index.ts'
import type { Appended, OutRecord, TopicPartition } from '../../port.ts'
import type { KafkaOptions } from '../options.ts'
import { answer, connect, disconnect, within, type Connected } from './client.ts'
import { producerConfig, producerTopicConfig } from './config.ts'
import { CODE, nativeError } from './errors.ts'
import type { Library, LibraryProducer, LibrdKafkaError } from './library.ts'
import { offer, outgoing } from './produce.ts'

/** How often delivery reports are asked for while there are some to come. */
const POLL_MS = 1

/** One append: it is done when each of its records is reported. */
interface Delivery { left: number, baseOffset: number, timestamp: number, failed: unknown, readonly done: () => void }

/** Appends outside transactions: idempotent, acks=all. One client for all producers of a log, which batches what comes within 2 ms. */
export class PlainProducer implements AsyncDisposable {
  readonly #library: Library
  readonly #options: KafkaOptions
  #opened: Promise<LibraryProducer> | undefined
  #connected: Connected | undefined
  #waiting = 0
  #polling = false
  #closed = false

  constructor (library: Library, options: KafkaOptions) {
    this.#library = library
    this.#options = options
  }

  async append (to: TopicPartition, records: readonly OutRecord[]): Promise<Appended> {
    if (this.#closed) throw new LatidoError('LOG_CLOSED', 'the log is closed', 'nothing: the process is stopping')
    if (records.length === 0) throw new LatidoError('PAYLOAD_INVALID', 'an append without records', 'a fault of the caller')
    const all = records.map(r => outgoing(to, r))
    const producer = await (this.#opened ??= this.#open())
    let delivered = (): void => {}
    const done = new Promise<void>(resolve => { delivered = resolve })
    const delivery: Delivery = { left: all.length, baseOffset: -1, timestamp: -1, failed: undefined, done: delivered }
    this.#waiting++
    try {
      let given = 0
      try {
        for (const record of all) {
          while (!offer(producer, record, delivery)) await this.#room(producer)
          given++
        }
      } catch (e) {
        delivery.failed ??= e
        delivery.left -= all.length - given
        if (delivery.left <= 0) throw nativeError('append', e)
      }
      void this.#poll(producer)
      await done
    } finally {
      this.#waiting--
    }
    if (delivery.failed !== undefined) throw nativeError(`append to ${to.topic}`, delivery.failed)
    return { baseOffset: delivery.baseOffset, timestamp: delivery.timestamp }
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#connected?.stop()
    const producer = await this.#opened?.catch(() => undefined)
    if (producer === undefined) return
    await within(this.#options.requestTimeoutMs, this.#options.clock, answer(done => producer.flush(this.#options.requestTimeoutMs, done as (e: LibrdKafkaError) => void)))
    await disconnect(producer, this.#options.clock)
  }

  async #open (): Promise<LibraryProducer> {
    const producer = new this.#library.Producer(producerConfig(this.#options), producerTopicConfig(this.#options))
    producer.on('delivery-report', (e, report) => { this.#delivered(e, report) })
    try {
      this.#connected = await connect(producer, this.#options)
    } catch (e) {
      this.#opened = undefined // the next append tries anew
      throw e
    }
    return producer
  }

  #delivered (e: LibrdKafkaError | null, report: { readonly offset: number, readonly timestamp?: number, readonly opaque?: unknown }): void {
    const delivery = report.opaque as Delivery
    if (e) delivery.failed ??= { ...e, message: e.message, code: codeFrom(e.message) }
    else if (delivery.baseOffset < 0 || report.offset < delivery.baseOffset) delivery.baseOffset = report.offset
    delivery.timestamp = Math.max(delivery.timestamp, report.timestamp ?? -1)
    if (--delivery.left === 0) delivery.done()
  }

  /** Waits until the library has sent something: its queue is full. Each record is reported within the request timeout, so this ends. */
  async #room (producer: LibraryProducer): Promise<void> {
    producer.poll()
    await this.#options.clock.sleep(POLL_MS)
  }

  async #poll (producer: LibraryProducer): Promise<void> {
    if (this.#polling) return
    this.#polling = true
    while (this.#waiting > 0 && producer.isConnected()) {
      await this.#options.clock.sleep(POLL_MS)
      if (producer.isConnected()) producer.poll()
    }
    this.#polling = false
  }
}

/** Reports carry a text where other answers carry a number. */
function codeFrom (message: string): number {
  if (/message size too large/i.test(message)) return CODE.messageTooLarge
  if (/unknown topic|unknown partition/i.test(message)) return CODE.unknownTopicOrPartition
  if (/fenced|invalid producer epoch/i.test(message)) return CODE.fenced
  if (/authorization/i.test(message)) return CODE.topicAuthorization
  return CODE.timedOut
}
