import type { Clock, DurationMs } from '../../../time/index.ts'
import type { Consumer, ConsumerOptions, GroupMetadata, OffsetCommit, Run, TopicPartition } from '../../port.ts'
import { LatidoError } from '../../../errors/index.ts'
import type { KafkaOptions } from '../options.ts'
import { answer, connect, disconnect, persist, within, type Connected } from './client.ts'
import { memberConfig } from './config.ts'
import { CODE, codeOf, isMemberGone, memberFenced, nativeError } from './errors.ts'
import type { KafkaConsumer, Library, LibrdKafkaError, Message, TopicPartitionOffset } from './library.ts'
import { MessageCursor } from './message-cursor.ts'
import { waitSlice } from './threads.ts'
import { nameOf } from '../../partition-name.ts'

/** Records of one poll, over all partitions: some tens of milliseconds of work for the library's bindings. */
const BATCH_RECORDS_MAX = 10_000
/**
 * The same when it has caught up. After the end of a partition the bindings wait a millisecond for each further record, so a large
 * batch would be collected for seconds from a stream that trickles.
 */
const CAUGHT_UP_RECORDS_MAX = 200
const BYTES_PER_PARTITION = 1 << 20
/** Errors of the library after which it goes on by itself. What passes for good is told by the revocation that follows, or by `trouble`. */
const PASSING: ReadonlySet<number> = new Set([CODE.maxPollExceeded, CODE.rebalanceInProgress, CODE.unknownMember, CODE.illegalGeneration])

/** What a consumer needs of the log. */
export interface MemberHost {
  readonly library: Library
  readonly options: KafkaOptions
  left (member: NativeConsumer): void
}

interface Position { readonly of: TopicPartition, offset: number, fetching: boolean }
interface Rebalance { readonly kind: 'assign' | 'revoke', readonly partitions: readonly TopicPartition[] }

/** A member by the classic protocol, with cooperative rebalancing (KIP-429): only partitions that move are revoked. */
export class NativeConsumer implements Consumer {
  readonly #host: MemberHost
  readonly #clock: Clock
  readonly #options: ConsumerOptions
  readonly #positions = new Map<string, Position>()
  readonly #rebalances: Rebalance[] = []
  readonly #seeks = new Map<string, OffsetCommit>()
  /** Read while a commit was awaited. */
  #stash: Message[] = []
  /** Ends of partitions that were come to: beyond the last record stand the markers of transactions, which are no messages. */
  #ends: TopicPartitionOffset[] = []
  #batch = BATCH_RECORDS_MAX
  #opened: Promise<KafkaConsumer> | undefined
  #connected: Connected | undefined
  #busy: Promise<unknown> = Promise.resolve()
  #committing: ((e: LibrdKafkaError | undefined) => void) | undefined
  #closing = false
  #generation = 0

  constructor (host: MemberHost, options: ConsumerOptions) {
    this.#host = host
    this.#clock = host.options.clock
    this.#options = options
  }

  /** The library keeps its member id and generation to itself, and adds them where offsets are committed. These stand for them on our side. */
  get metadata (): GroupMetadata { return { group: this.#options.group, memberId: this.#options.instance, generation: this.#generation } }

  assignment (): readonly TopicPartition[] { return [...this.#positions.values()].map(p => p.of) }

  async poll (maxWaitMs: DurationMs): Promise<readonly Run[]> {
    const client = await this.#client()
    const deadline = this.#clock.monotonicMs() + maxWaitMs
    await this.#settle(client)
    let runs = this.#runs(await this.#take(client))
    while (runs.length === 0 && !this.#closing) {
      await this.#settle(client)
      const left = deadline - this.#clock.monotonicMs()
      if (left <= 0 || this.#closing) break
      runs = this.#runs(await waitSlice(left, this.#clock, ms => this.#await(client, ms), () => this.#take(client)))
    }
    return runs
  }

  seek (partition: TopicPartition, offset: number): void {
    const name = nameOf(partition)
    const position = this.#positions.get(name)
    if (position === undefined) return
    position.offset = offset
    this.#stash = this.#stash.filter(m => nameOf(m) !== name)
    this.#ends = this.#ends.filter(e => nameOf(e) !== name)
    if (position.fetching) this.#seeks.set(name, { ...position.of, offset })
  }

  async committed (partition: TopicPartition): Promise<number | undefined> {
    return (await this.#committed(await this.#client(), [partition])).get(nameOf(partition))
  }

  async commit (offsets: readonly OffsetCommit[]): Promise<void> {
    if (offsets.length === 0) return
    const client = await this.#client()
    await persist('commit offsets', this.#host.options.requestTimeoutMs, this.#clock, e => codeOf(e) === CODE.rebalanceInProgress, async () => {
      this.checkOwns(this.#generation, offsets)
      await this.#commitOnce(client, offsets)
    })
  }

  /** Throws MEMBER_FENCED unless the generation is the present one and all partitions are this member's. */
  checkOwns (generation: number, partitions: readonly TopicPartition[]): void {
    if (this.#closing || generation !== this.#generation || partitions.some(p => !this.#positions.has(nameOf(p)))) throw memberFenced()
  }

  /** Lends the library's consumer, whose group metadata fences a transaction; it stays open until `use` has ended. */
  async lend<T> (use: (client: KafkaConsumer) => Promise<T>): Promise<T> {
    const client = await this.#client()
    return await this.#track(use(client))
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    if (this.#closing) return
    const opened = this.#opened
    const owned = this.assignment()
    try {
      if (owned.length > 0) await this.#options.onRevoked?.(owned)
    } finally {
      this.#closing = true
      this.#positions.clear()
      await within(this.#host.options.requestTimeoutMs, this.#clock, this.#busy)
      this.#connected?.stop()
      const client = await opened?.catch(() => undefined)
      if (client !== undefined) {
        for (const rebalance of this.#rebalances.splice(0)) this.#yield(client, rebalance)
        await disconnect(client, this.#clock)
      }
      this.#host.left(this)
    }
  }

  #client (): Promise<KafkaConsumer> {
    if (this.#closing) throw new LatidoError('LOG_CLOSED', 'the consumer is closed', 'nothing: the process is stopping')
    return this.#opened ??= this.#open()
  }

  async #open (): Promise<KafkaConsumer> {
    const { library, options } = this.#host
    const { group, from, topics, maxBytesPerPartition = BYTES_PER_PARTITION } = this.#options
    const client: KafkaConsumer = new library.KafkaConsumer({
      ...memberConfig(options, group, maxBytesPerPartition),
      rebalance_cb: (e: LibrdKafkaError | undefined, partitions: readonly TopicPartition[]) => { this.#rebalanced(client, e, partitions) },
      offset_commit_cb: (e: LibrdKafkaError | undefined) => { this.#committing?.(e) },
    }, { 'auto.offset.reset': from })
    client.on('partition.eof', end => { this.#ends.push(end) })
    this.#connected = await connect(client, options)
    client.subscribe([...topics])
    return client
  }

  /** Called by the library while it consumes: the work is done by the next poll, and the library waits for it. */
  #rebalanced (client: KafkaConsumer, e: LibrdKafkaError | undefined, partitions: readonly TopicPartition[]): void {
    const of = partitions.map(({ topic, partition }) => ({ topic, partition }))
    const rebalance: Rebalance = { kind: codeOf(e) === CODE.assignPartitions ? 'assign' : 'revoke', partitions: of }
    if (this.#closing) this.#yield(client, rebalance)
    else this.#rebalances.push(rebalance)
  }

  /** While closing: a member that leaves takes nothing and gives everything. */
  #yield (client: KafkaConsumer, { kind, partitions }: Rebalance): void {
    try {
      if (kind === 'assign') client.incrementalAssign([...partitions])
      else client.incrementalUnassign([...partitions])
    } catch (e) {
      this.#connected!.trouble.last = e as LibrdKafkaError // it is closing: the broker ends the membership by its session timeout
    }
  }

  /** Rebalances and seeks, in the order in which they came. */
  async #settle (client: KafkaConsumer): Promise<void> {
    for (let next = this.#rebalances[0]; next !== undefined; next = this.#rebalances[0]) {
      if (next.kind === 'revoke') await this.#revoke(client, next.partitions)
      else await this.#assign(client, next.partitions)
      this.#rebalances.shift()
    }
    for (const [name, to] of this.#seeks) {
      this.#seeks.delete(name)
      if (!this.#positions.has(name)) continue
      // A partition that has just been assigned cannot be sought yet: its fetcher is starting.
      await persist('seek', this.#host.options.requestTimeoutMs, this.#clock, e => codeOf(e) === CODE.state || codeOf(e) === CODE.timedOut, () => this.#track(answer(done => client.seek(to, 1_000, done))))
    }
    const { trouble } = this.#connected!
    if (trouble.last !== undefined) {
      const e = nativeError('go on', trouble.last)
      trouble.last = undefined
      if (e.code === 'BROKER_AUTHENTICATION_FAILED') throw e // others pass, or come back in an answer
    }
  }

  async #revoke (client: KafkaConsumer, partitions: readonly TopicPartition[]): Promise<void> {
    const mine = partitions.filter(p => this.#positions.has(nameOf(p)))
    if (mine.length > 0) await this.#options.onRevoked?.(mine)
    for (const p of mine) this.#positions.delete(nameOf(p))
    client.incrementalUnassign([...partitions])
    this.#generation++
  }

  async #assign (client: KafkaConsumer, partitions: readonly TopicPartition[]): Promise<void> {
    const committed = partitions.length === 0 ? new Map<string, number>() : await this.#committed(client, partitions)
    for (const of of partitions) this.#positions.set(nameOf(of), { of, offset: committed.get(nameOf(of)) ?? await this.#startOf(client, of), fetching: false })
    this.#generation++
    if (partitions.length > 0) await this.#options.onAssigned?.(partitions)
    const positions = partitions.flatMap(p => this.#positions.get(nameOf(p)) ?? [])
    client.incrementalAssign(positions.map(p => ({ ...p.of, offset: p.offset })))
    for (const p of positions) p.fetching = true
  }

  async #startOf (client: KafkaConsumer, { topic, partition }: TopicPartition): Promise<number> {
    const { lowOffset, highOffset } = await persist('look offsets up', this.#host.options.requestTimeoutMs, this.#clock, () => true, () => this.#track(answer<{ lowOffset: number, highOffset: number }>(done => client.queryWatermarkOffsets(topic, partition, 5_000, done))))
    return this.#options.from === 'earliest' ? lowOffset : highOffset
  }

  async #committed (client: KafkaConsumer, partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    const found = await persist('fetch committed offsets', this.#host.options.requestTimeoutMs, this.#clock, e => !isMemberGone(e), () => this.#track(answer<readonly Partial<OffsetCommit>[]>(done => client.committed([...partitions], 5_000, done as never))))
    return new Map(found.flatMap(({ topic, partition, offset }) => topic === undefined || partition === undefined || offset === undefined || offset < 0 ? [] : [[nameOf({ topic, partition }), offset]]))
  }

  async #commitOnce (client: KafkaConsumer, offsets: readonly OffsetCommit[]): Promise<void> {
    let result: { readonly error: LibrdKafkaError | undefined } | undefined
    this.#committing = error => { result = { error } }
    client.commit([...offsets])
    // The answer is told to a consumer that consumes; what comes with it is kept for the next poll.
    const deadline = this.#clock.monotonicMs() + this.#host.options.requestTimeoutMs
    while (result === undefined) {
      if (this.#clock.monotonicMs() > deadline) throw nativeError('commit offsets', { code: CODE.timedOut, message: 'timed out' })
      this.#stash.push(...await this.#consume(client, this.#stash.length < BATCH_RECORDS_MAX ? BATCH_RECORDS_MAX : 1, 1))
    }
    this.#committing = undefined
    // oxlint-disable-next-line no-throw-literal -- see `answer`
    if (result.error) throw result.error
  }

  /** What is there now. */
  async #take (client: KafkaConsumer): Promise<readonly Message[]> {
    if (this.#stash.length === 0) return await this.#consume(client, this.#batch, 0)
    const stash = this.#stash
    this.#stash = []
    return stash
  }

  /** The first record that comes, and what is there with it. The library would wait after each record, so the first is asked for alone. */
  async #await (client: KafkaConsumer, ms: DurationMs): Promise<readonly Message[]> {
    const first = await this.#consume(client, 1, ms)
    return first.length === 0 ? first : [...first, ...await this.#consume(client, this.#batch, 0)]
  }

  async #consume (client: KafkaConsumer, count: number, timeoutMs: DurationMs): Promise<readonly Message[]> {
    client.setDefaultConsumeTimeout(timeoutMs)
    try {
      const ends = this.#ends.length
      const messages = await this.#track(answer<Message[]>(done => { client.consume(count, done) }))
      this.#batch = this.#ends.length > ends ? CAUGHT_UP_RECORDS_MAX : Math.min(BATCH_RECORDS_MAX, messages.length === count ? 2 * this.#batch : this.#batch)
      return messages
    } catch (e) {
      if (PASSING.has(codeOf(e))) return []
      const error = nativeError('consume', e)
      if (error.code === 'BROKER_UNREACHABLE') return [] // the library goes on connecting
      throw error
    }
  }

  /** The messages by partition, without those of partitions that have gone. */
  #runs (messages: readonly Message[]): readonly Run[] {
    const runs = new Map<Position, Message[]>()
    let position: Position | undefined
    let list: Message[] = []
    for (const message of messages) {
      if (position === undefined || message.partition !== position.of.partition || message.topic !== position.of.topic) {
        position = this.#positions.get(nameOf(message))
        if (position === undefined) continue
        list = runs.get(position) ?? []
      }
      if (message.offset < position.offset) continue
      if (list.length === 0) runs.set(position, list)
      position.offset = message.offset + 1
      list.push(message)
    }
    for (const end of this.#ends.splice(0)) {
      const ended = this.#positions.get(nameOf(end))
      if (ended === undefined || end.offset <= ended.offset) continue
      ended.offset = end.offset
      if (!runs.has(ended)) runs.set(ended, [])
    }
    return [...runs].map(([{ of, offset }, records]) => ({ ...of, records: new MessageCursor(records), nextOffset: offset }))
  }

  /** Closing waits for what is under way in the library. */
  #track<T> (work: Promise<T>): Promise<T> {
    const before = this.#busy
    this.#busy = Promise.allSettled([before, work])
    return work
  }
}

