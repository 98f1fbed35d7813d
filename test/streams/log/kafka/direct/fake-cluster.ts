import type { CallOptions, Cluster, Target, TopicMetadata } from '../../../../../streams/log/kafka/direct/cluster/index.ts'
import type { Direct, DirectLimits } from '../../../../../streams/log/kafka/direct/direct.ts'
import { DIRECT_LIMITS } from '../../../../../streams/log/kafka/direct/index.ts'
import { Lanes } from '../../../../../streams/log/kafka/direct/lanes.ts'
import type { Api } from '../../../../../streams/log/kafka/direct/wire/index.ts'
import { systemClock } from '../../../../../streams/time/index.ts'

type Answer = (request: never, times: number, api: { readonly maxVersion: number }) => unknown
export interface Call { readonly name: string, readonly to: Target, readonly request: unknown, readonly maxVersion: number }

/** A cluster of one broker whose answers a test gives, by name of the call; `times` counts from 1. */
export class FakeCluster implements Cluster {
  readonly clusterId: string = 'fake'
  readonly features: ReadonlyMap<string, number> = new Map([['transaction.version', 2]])
  readonly calls: Call[] = []
  readonly forgotten: string[] = []
  readonly #answers: Readonly<Record<string, Answer>>
  readonly #partitions: number

  constructor (answers: Readonly<Record<string, Answer>>, partitions = 4) {
    this.#answers = answers
    this.#partitions = partitions
  }

  async call<Request, Response> (to: Target, api: Api<Request, Response>, request: Request, _options?: CallOptions): Promise<Response> {
    this.calls.push({ name: api.name, to, request, maxVersion: api.maxVersion })
    await Promise.resolve()
    const answer = this.#answers[api.name]
    if (answer === undefined) throw new Error(`the test has no answer to ${api.name}`)
    return await answer(request as never, this.named(api.name).length, api) as Response
  }

  named (name: string): readonly Call[] { return this.calls.filter(c => c.name === name) }
  names (): readonly string[] { return this.calls.map(c => c.name) }
  versionOf (): number | undefined { return undefined }
  topic (name: string): Promise<TopicMetadata | undefined> { return Promise.resolve(this.cachedTopic(name)) }
  cachedTopic (name: string): TopicMetadata | undefined { return name === 'nowhere' ? undefined : { name, id: idOfTopic(name), partitions: Array.from({ length: this.#partitions }, (_, partition) => ({ partition, leader: 1, leaderEpoch: 0, errorCode: 0 })) } }
  topicById (id: string): TopicMetadata | undefined { return this.cachedTopic(Buffer.from(id, 'hex').toString().trim()) }
  refresh (): Promise<void> { return Promise.resolve() }
  forgetCoordinator (of: 'group' | 'transaction', key: string): void { this.forgotten.push(`${of} ${key}`) }
  [Symbol.asyncDispose] (): Promise<void> { return Promise.resolve() }
}

export function idOfTopic (name: string): string { return Buffer.from(name.padEnd(16)).toString('hex') }

const QUICK: DirectLimits = { ...DIRECT_LIMITS, requestTimeoutMs: 60_000, transactionTimeoutMs: 60_000, deliveryTimeoutMs: 60_000, heartbeatMs: 5, backoffMinMs: 1, backoffMaxMs: 5 }

export function directOver (cluster: Cluster, limits: Partial<DirectLimits> = {}): Direct {
  return { cluster, clock: systemClock, compression: 'none', limits: { ...QUICK, ...limits }, lanes: new Lanes(), closed: new AbortController().signal }
}
