import { LatidoError } from '../../../../errors/index.ts'
import type { Api } from '../wire/index.ts'
import { findCoordinator } from './api/find-coordinator.ts'
import { metadata, type MetadataBroker, type MetadataResponse } from './api/metadata.ts'
import { backoffMs } from './backoff.ts'
import { Broker } from './broker.ts'
import { callOf, type Call } from './call.ts'
import { closedError } from './channel.ts'
import { versionBetween } from './connection.ts'
import { Coordinators } from './coordinators.ts'
import { ConnectionLost, ERROR_CODE, isConnectionLost, KafkaError } from './errors.ts'
import type { Greeting } from './greet.ts'
import { MetadataCache } from './metadata-cache.ts'
import type { Address, ClusterOptions } from './options.ts'
import type { CallOptions, Cluster, Target, TopicMetadata } from './port.ts'
import { Refresher } from './refresher.ts'
import { common } from './versions.ts'

const SHARED_LANE = 'shared'
/** Metadata and coordinators are asked for beside what the data plane waits for. */
const CONTROL_LANE = 'control'

/** The brokers, seen as one: who leads and coordinates what, and the way to them. */
export class DirectCluster implements Cluster {
  readonly clusterId: string
  readonly #options: ClusterOptions
  readonly #bootstrap: readonly Address[]
  readonly #nodes = new Map<number, Broker>()
  readonly #cache = new MetadataCache()
  readonly #refresher: Refresher
  readonly #coordinators: Coordinators
  readonly #stopAging: () => void
  #features: ReadonlyMap<string, number> = new Map()
  #closed = false

  /** `first`: what the first broker that was reached answered. */
  constructor (options: ClusterOptions, bootstrap: readonly Address[], greeting: Greeting, first: MetadataResponse) {
    this.#options = options
    this.#bootstrap = bootstrap
    this.clusterId = first.clusterId
    this.#features = greeting.features
    const { clock, limits, random } = options
    this.#refresher = new Refresher(clock, limits.retryBackoffMinMs, topics => this.#askMetadata(topics))
    this.#coordinators = new Coordinators({ clock, limits, random, ask: (of, key) => this.call({ kind: 'any' }, findCoordinator, { of, key }, { lane: CONTROL_LANE }) })
    this.#keepBrokers(first.brokers)
    for (const broker of this.#nodes.values()) broker.greeting = greeting // until it greets itself
    // a failure is met again, and told, by the next call that needs what is asked for here
    this.#stopAging = clock.every(limits.metadataMaxAgeMs, () => { this.refresh(this.#cache.names).catch(() => undefined) })
  }

  get features (): ReadonlyMap<string, number> { return this.#features }

  call<Request, Response> (to: Target, api: Api<Request, Response>, request: Request, { lane = SHARED_LANE, timeoutMs = this.#options.limits.requestTimeoutMs }: CallOptions = {}): Promise<Response> {
    return new Promise((resolve, reject) => {
      if (this.#closed) { reject(closedError()); return }
      const call = callOf(api, request, timeoutMs, this.#options.clock.monotonicMs() + timeoutMs, resolve, reject)
      switch (to.kind) {
        case 'any': this.#sendAny(lane, call, new Set()); break
        case 'node': this.#sendNode(to.id, lane, call); break
        case 'coordinator': this.#sendCoordinator(to, lane, call); break
      }
    })
  }

  versionOf (api: Api<never, unknown>): number | undefined {
    const greetings = [...this.#nodes.values()].flatMap(b => b.greeting ?? [])
    return versionBetween({ key: api.key, api }, common(greetings.map(g => g.versions)))
  }

  async topic (name: string): Promise<TopicMetadata | undefined> {
    const { clock, limits, random } = this.#options
    const dueMs = clock.monotonicMs() + limits.requestTimeoutMs
    for (let failures = 1; ; failures++) {
      const known = this.#cache.byName(name)
      if (known !== undefined) return known
      const error = (await this.#refresher.refresh([name])).get(name) ?? ERROR_CODE.NONE
      if (error === ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION) return undefined
      const wait = backoffMs(failures, limits, random)
      if (error !== ERROR_CODE.NONE && (error !== ERROR_CODE.LEADER_NOT_AVAILABLE || clock.monotonicMs() + wait >= dueMs)) throw new KafkaError(error, 'Metadata')
      if (error !== ERROR_CODE.NONE) await clock.sleep(wait)
    }
  }

  cachedTopic (name: string): TopicMetadata | undefined { return this.#cache.byName(name) }
  topicById (id: string): TopicMetadata | undefined { return this.#cache.byId(id) }
  async refresh (topics: readonly string[]): Promise<void> { await this.#refresher.refresh(topics) }
  forgetCoordinator (of: 'group' | 'transaction', key: string): void { this.#coordinators.forget(of, key) }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#closed = true
    this.#stopAging()
    for (const broker of this.#nodes.values()) broker.close(closedError())
    await Promise.resolve()
  }

  /** The best broker that was not tried; what could not be sent goes to the next. */
  #sendAny (lane: string, call: Call, tried: Set<Broker>): void {
    const { random } = this.#options
    const [best] = [...this.#nodes.values()].filter(b => !tried.has(b)).map(broker => ({ broker, rank: broker.rank + random() / 2 })).sort((a, b) => a.rank - b.rank)
    if (best === undefined) { call.reject(new ConnectionLost(`${call.name} was not sent: no broker can be reached`, true)); return }
    tried.add(best.broker)
    best.broker.send(lane, { ...call, reject: e => { if (isConnectionLost(e) && e.unsent && !this.#closed && tried.size < this.#nodes.size) this.#sendAny(lane, call, tried); else call.reject(e) } })
  }

  #sendNode (id: number, lane: string, call: Call): void {
    const broker = this.#nodes.get(id)
    if (broker !== undefined) { broker.send(lane, call); return }
    this.#refresher.refresh([]).then(() => {
      const found = this.#nodes.get(id)
      if (found === undefined) call.reject(new ConnectionLost(`${call.name} was not sent: the cluster has no broker ${id} now`, true))
      else found.send(lane, call)
    }).catch(call.reject)
  }

  /** A coordinator that is lost may have moved. */
  #sendCoordinator ({ of, key }: Extract<Target, { kind: 'coordinator' }>, lane: string, call: Call): void {
    const watched: Call = { ...call, reject: e => { if (isConnectionLost(e)) this.#coordinators.forget(of, key); call.reject(e) } }
    const known = this.#coordinators.known(of, key)
    if (known !== undefined) { this.#sendNode(known, lane, watched); return }
    this.#coordinators.find(of, key).then(found => {
      if (!this.#nodes.has(found.id)) this.#keepBroker(found)
      this.#sendNode(found.id, lane, watched)
    }).catch(call.reject)
  }

  /** Tries all known brokers, then the bootstrap list again, until the request timeout has passed. */
  async #askMetadata (topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const { clock, limits, random } = this.#options
    const dueMs = clock.monotonicMs() + limits.requestTimeoutMs
    for (let failures = 1; ; failures++) {
      try {
        const answer = await this.call({ kind: 'any' }, metadata, { topics }, { lane: CONTROL_LANE })
        if (answer.errorCode === ERROR_CODE.REBOOTSTRAP_REQUIRED) throw new ConnectionLost('the broker asks to begin again at the bootstrap list', true)
        this.#keepBrokers(answer.brokers)
        return this.#cache.apply(answer)
      } catch (e) {
        const wait = backoffMs(failures, limits, random)
        if (this.#closed || !isConnectionLost(e) || clock.monotonicMs() + wait >= dueMs) throw e
        await clock.sleep(wait)
        this.#addBootstrap()
      }
    }
  }

  /** Brokers of the bootstrap list get negative ids, until metadata names them. */
  #addBootstrap (): void {
    for (const [i, { host, port }] of this.#bootstrap.entries()) this.#keepBroker({ id: -1 - i, host, port })
  }

  #keepBrokers (brokers: readonly MetadataBroker[]): void {
    if (brokers.length === 0) return
    for (const broker of brokers) this.#keepBroker(broker)
    const named = new Set(brokers.map(b => b.id))
    for (const [id, broker] of this.#nodes) {
      if (named.has(id)) continue
      this.#nodes.delete(id)
      broker.close(new ConnectionLost(`the cluster has no broker ${id} now`, true)) // it may come back, or its partitions have another leader
    }
  }

  #keepBroker ({ id, host, port }: MetadataBroker): void {
    const before = this.#nodes.get(id)
    if (before?.address.host === host && before.address.port === port) return
    before?.close(new ConnectionLost(`broker ${id} has another address now`, true))
    this.#nodes.set(id, new Broker({ host, port }, this.#options, greeting => { this.#features = greeting.features }))
  }
}

export function unreachableError (tried: readonly string[], cause: unknown): LatidoError {
  return new LatidoError('BROKER_UNREACHABLE', `no broker can be reached at ${tried.join(', ')}`, 'check that Kafka runs, the addresses, and whether the listener wants TLS or a login', cause)
}
