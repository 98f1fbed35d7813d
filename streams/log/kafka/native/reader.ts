import type { PartitionRange, PartitionReader, Run, TopicPartition } from '../../port.ts'
import { LatidoError } from '../../../errors/index.ts'
import type { KafkaOptions } from '../options.ts'
import { answer, connect, disconnect, persist, within, type Connected } from './client.ts'
import { readerConfig } from './config.ts'
import { nameOf } from '../../partition-name.ts'
import { isMemberGone, nativeError } from './errors.ts'
import type { KafkaConsumer, Library, Message, TopicPartitionOffset } from './library.ts'
import { MessageCursor } from './message-cursor.ts'

/** Each is a client with threads and connections of its own. A reader that is neither read nor ended gives way to the next. */
const CLIENTS_MAX = 2
const BATCH_RECORDS_MAX = 10_000
const WAIT_MS = 50

/** One of the library's clients, which reads for one reader at a time, in turn. */
interface Lane { readonly client: Promise<KafkaConsumer>, connected: Connected | undefined, readonly ends: TopicPartitionOffset[], holder: NativeReader | undefined, tail: Promise<unknown>, usedAt: number }

/** Readers and look-ups share few clients. */
export class ReaderPool implements AsyncDisposable {
  readonly #library: Library
  readonly #options: KafkaOptions
  readonly #lanes: Lane[] = []
  #turn = 0
  #closed = false

  constructor (library: Library, options: KafkaOptions) {
    this.#library = library
    this.#options = options
  }

  reader (of: TopicPartition, fromOffset: number): PartitionReader { return new NativeReader(this, of, fromOffset) }

  /** First kept offset and last stable one: the library asks ListOffsets with read_committed (librdkafka 1.7.1 and later). */
  async range (of: TopicPartition): Promise<PartitionRange> {
    return await this.#use(this.#lane(undefined), async lane => await this.rangeOf(await lane.client, of))
  }

  async rangeOf (client: KafkaConsumer, { topic, partition }: TopicPartition): Promise<PartitionRange> {
    const { lowOffset, highOffset } = await persist(`find the offsets of ${topic}/${partition}`, this.#options.requestTimeoutMs, this.#options.clock, e => !isMemberGone(e), () => answer<{ lowOffset: number, highOffset: number }>(done => client.queryWatermarkOffsets(topic, partition, 5_000, done)))
    return { start: lowOffset, end: highOffset }
  }

  /** The next run, or undefined at the present end. */
  async read (reader: NativeReader): Promise<Run | undefined> {
    return await this.#use(this.#lane(reader), async lane => {
      const client = await lane.client
      if (reader.offset >= reader.end) {
        const { start, end } = await this.rangeOf(client, reader.of)
        reader.end = end
        reader.offset = Math.max(reader.offset, start)
      }
      if (reader.offset >= reader.end) {
        if (lane.holder === reader) this.#release(lane, client)
        return undefined
      }
      if (lane.holder !== reader) {
        lane.ends.length = 0
        client.assign([{ ...reader.of, offset: reader.offset }])
        lane.holder = reader
      }
      return await this.#run(lane, client, reader)
    })
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#closed = true
    await Promise.all(this.#lanes.splice(0).map(async lane => {
      await within(this.#options.requestTimeoutMs, this.#options.clock, lane.tail)
      lane.connected?.stop()
      const client = await lane.client.catch(() => undefined)
      if (client !== undefined) await disconnect(client, this.#options.clock)
    }))
  }

  async #run (lane: Lane, client: KafkaConsumer, reader: NativeReader): Promise<Run> {
    const { clock, requestTimeoutMs } = this.#options
    const deadline = clock.monotonicMs() + requestTimeoutMs
    for (;;) {
      client.setDefaultConsumeTimeout(WAIT_MS)
      const taken = await answer<Message[]>(done => { client.consume(Math.min(BATCH_RECORDS_MAX, Math.max(1, reader.end - reader.offset)), done) }).catch((e: unknown) => { throw nativeError(`read ${nameOf(reader.of)}`, e) })
      const records = taken.filter(m => m.partition === reader.of.partition && m.topic === reader.of.topic && m.offset >= reader.offset)
      const ended = lane.ends.splice(0).filter(e => e.partition === reader.of.partition && e.topic === reader.of.topic).map(e => e.offset)
      const nextOffset = Math.max(reader.offset, (records.at(-1)?.offset ?? -1) + 1, ...ended)
      if (nextOffset > reader.offset) {
        reader.offset = nextOffset
        return { ...reader.of, records: new MessageCursor(records), nextOffset }
      }
      if (clock.monotonicMs() > deadline) throw new LatidoError('BROKER_UNREACHABLE', `no records of ${nameOf(reader.of)} within ${requestTimeoutMs} ms, though there are some`, 'check that the leader of the partition runs')
    }
  }

  /** What was fetched ahead is let go. */
  #release (lane: Lane, client: KafkaConsumer): void {
    lane.holder = undefined
    client.unassign()
  }

  #lane (holder: NativeReader | undefined): Lane {
    if (this.#closed) throw new LatidoError('LOG_CLOSED', 'the log is closed', 'nothing: the process is stopping')
    const own = this.#lanes.find(l => l.holder !== undefined && l.holder === holder) ?? this.#lanes.find(l => l.holder === undefined)
    const lane = own ?? (this.#lanes.length < CLIENTS_MAX ? this.#open() : this.#lanes.reduce((a, b) => a.usedAt <= b.usedAt ? a : b))
    lane.usedAt = ++this.#turn
    return lane
  }

  #open (): Lane {
    const client = new this.#library.KafkaConsumer(readerConfig(this.#options), { 'auto.offset.reset': 'earliest' })
    const ends: TopicPartitionOffset[] = []
    client.on('partition.eof', end => { ends.push(end) })
    const opening = connect(client, this.#options)
    const lane: Lane = { client: opening.then(connected => { lane.connected = connected; return client }), connected: undefined, ends, holder: undefined, tail: Promise.resolve(), usedAt: 0 }
    opening.catch(() => { this.#lanes.splice(this.#lanes.indexOf(lane), 1) }) // the next one tries anew
    this.#lanes.push(lane)
    return lane
  }

  #use<T> (lane: Lane, work: (lane: Lane) => Promise<T>): Promise<T> {
    const result = lane.tail.then(() => work(lane))
    lane.tail = result.catch(() => {})
    return result
  }
}

/** Where one reader stands. */
export class NativeReader implements PartitionReader {
  readonly #pool: ReaderPool
  readonly of: TopicPartition
  offset: number
  /** The present end when it was last asked for. */
  end = -1

  constructor (pool: ReaderPool, of: TopicPartition, fromOffset: number) {
    this.#pool = pool
    this.of = of
    this.offset = fromOffset
  }

  next (): Promise<Run | undefined> { return this.#pool.read(this) }
}
