import type { MetadataPartition, MetadataResponse, MetadataTopic } from './api/metadata.ts'
import { ERROR_CODE } from './errors.ts'
import type { TopicMetadata } from './port.ts'

const PASSING: ReadonlySet<number> = new Set([ERROR_CODE.NONE, ERROR_CODE.LEADER_NOT_AVAILABLE, ERROR_CODE.REPLICA_NOT_AVAILABLE])

/** What is known of topics. A newer leader epoch never gives way to an older one: brokers learn of changes at different times (KIP-320). */
export class MetadataCache {
  readonly #byName = new Map<string, TopicMetadata>()
  readonly #byId = new Map<string, TopicMetadata>()

  get names (): readonly string[] { return [...this.#byName.keys()] }
  byName (name: string): TopicMetadata | undefined { return this.#byName.get(name) }
  byId (id: string): TopicMetadata | undefined { return this.#byId.get(id) }

  /** Takes what a broker answered; answers the topics that it has an error for. */
  apply ({ topics }: Pick<MetadataResponse, 'topics'>): ReadonlyMap<string, number> {
    const errors = new Map<string, number>()
    for (const topic of topics) {
      if (topic.errorCode === ERROR_CODE.NONE) this.#keep(topic)
      else errors.set(topic.name, topic.errorCode)
      if (!PASSING.has(topic.errorCode)) this.#drop(topic.name)
    }
    return errors
  }

  #keep ({ name, id, partitions }: MetadataTopic): void {
    const before = this.#byName.get(name)
    // a topic that was deleted and created again has a new id, and its epochs begin anew
    const older = before?.id === id ? new Map(before.partitions.map(p => [p.partition, p])) : undefined
    const newest = (p: MetadataPartition): MetadataPartition => {
      const known = older?.get(p.partition)
      return known !== undefined && known.leaderEpoch > p.leaderEpoch ? known : p
    }
    const topic: TopicMetadata = { name, id, partitions: partitions.map(newest).sort((a, b) => a.partition - b.partition) }
    this.#drop(name)
    this.#byName.set(name, topic)
    this.#byId.set(id, topic)
  }

  #drop (name: string): void {
    const before = this.#byName.get(name)
    if (before === undefined) return
    this.#byName.delete(name)
    this.#byId.delete(before.id)
  }
}
