import type { DurationMs } from '../../../../time/index.ts'
import type { Api } from '../wire/index.ts'

/** Which broker a call goes to. A coordinator is looked up once and again after it has moved. */
export type Target =
  | { readonly kind: 'any' }
  | { readonly kind: 'node', readonly id: number }
  | { readonly kind: 'coordinator', readonly of: 'group' | 'transaction', readonly key: string }

export interface CallOptions {
  /** Calls of one lane to one broker share a connection, and a broker answers a connection in order: a long poll needs a lane of its own. Default `shared`. */
  readonly lane?: string
  /** How long to wait for the answer. Default: the cluster's request timeout. */
  readonly timeoutMs?: DurationMs
}

export interface PartitionMetadata { readonly partition: number, readonly leader: number, readonly leaderEpoch: number, readonly errorCode: number }
/** `id`: the topic's UUID as 32 hexadecimal digits. */
export interface TopicMetadata { readonly name: string, readonly id: string, readonly partitions: readonly PartitionMetadata[] }

/**
 * The brokers, seen as one. Throws `KafkaError` for what a broker answers at the top level of a response that the cluster understands
 * (coordinators, authentication, versions) and `ConnectionLost` when an answer can no longer come; errors inside a response are the caller's.
 * Throttling (throttle_time_ms) is kept by the cluster: the next call of that connection waits.
 */
export interface Cluster extends AsyncDisposable {
  readonly clusterId: string
  /** Finalised features of the brokers, such as `transaction.version` and `group.version`: name to level. */
  readonly features: ReadonlyMap<string, number>
  call<Request, Response> (to: Target, api: Api<Request, Response>, request: Request, options?: CallOptions): Promise<Response>
  /** The version that a call to any broker would use; undefined when the brokers do not know the call. */
  versionOf (api: Api<unknown, unknown>): number | undefined
  /** From the cache, or asked for; undefined when there is no such topic. */
  topic (name: string): Promise<TopicMetadata | undefined>
  /** From the cache alone, for synchronous callers. */
  cachedTopic (name: string): TopicMetadata | undefined
  topicById (id: string): TopicMetadata | undefined
  /** After a leader has moved or a connection was lost: asks again, at most once each backoff. A newer leader epoch never gives way to an older one. */
  refresh (topics: readonly string[]): Promise<void>
  /** The next call to this coordinator looks it up again. */
  forgetCoordinator (of: 'group' | 'transaction', key: string): void
}
