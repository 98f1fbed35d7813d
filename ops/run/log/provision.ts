import { LatidoError } from '../../../streams/errors/index.ts'
import { openRemoteRegistry, refuseUnfit, type RemoteRegistry, type SubjectPlan } from '../../../streams/events/index.ts'
import { applyTopics, describeTopics, type KafkaOptions, openTopicAdmin, planTopics, type TopicAdmin, type TopicPlan, type TopicSpec } from '../../../streams/log/index.ts'
import type { Clock } from '../../../streams/time/index.ts'
import type { Config, KafkaConfig } from '../../config/index.ts'
import { declaredSchemas } from '../codecs.ts'
import { kafkaOptionsOf, registryOptionsOf } from './kafka-options.ts'
import { clusterTopics } from './topics.ts'

const REMEDY = 'run "latido topics plan" to see all of it, and "latido topics apply" to mend what can be mended'

export interface ClusterPlan { readonly topics: TopicPlan, readonly subjects: readonly SubjectPlan[] }

/** The topics and schemas that a configuration needs, and how the cluster and the registry stand to them. */
export interface Provisioning extends AsyncDisposable {
  readonly registry: RemoteRegistry
  plan (): Promise<ClusterPlan>
  clusterId (): Promise<string>
  /** Creates and mends; throws TOPIC_MISMATCH or SCHEMA_INCOMPATIBLE before it has changed anything. */
  apply (plan: ClusterPlan): Promise<void>
}

/** Throws BROKER_UNREACHABLE, REGISTRY_UNREACHABLE and their kin. */
export async function openProvisioning (config: Config, kafka: KafkaConfig, clock: Clock): Promise<Provisioning> {
  const options = kafkaOptionsOf(kafka, clock)
  const registry = await openRemoteRegistry(registryOptionsOf(kafka.registry, clock))
  return new ClusterProvisioning(config, kafka, options, registry, await openTopicAdmin(options))
}

class ClusterProvisioning implements Provisioning {
  readonly registry: RemoteRegistry
  readonly #specs: readonly TopicSpec[]
  readonly #prefix: string
  readonly #options: KafkaOptions
  readonly #admin: TopicAdmin

  constructor (config: Config, kafka: KafkaConfig, options: KafkaOptions, registry: RemoteRegistry, admin: TopicAdmin) {
    this.#specs = clusterTopics(config).map(spec => ({ ...spec, name: kafka.topicPrefix + spec.name }))
    this.#prefix = kafka.topicPrefix
    this.#options = options
    this.registry = registry
    this.#admin = admin
  }

  async plan (): Promise<ClusterPlan> {
    const topics = planTopics(this.#specs, await describeTopics(this.#admin, this.#specs.map(s => s.name)), this.#options)
    return { topics, subjects: await this.registry.plan(await declaredSchemas(this.#prefix)) }
  }

  /** Schemas first: a topic without its schema is of no use, and a schema that is refused must stop everything. */
  async apply ({ topics, subjects }: ClusterPlan): Promise<void> {
    refuseMismatch(topics)
    await this.registry.apply(subjects)
    await applyTopics(this.#admin, topics)
  }

  async clusterId (): Promise<string> { return (await this.#admin.ask('describe the cluster', a => a.describeCluster())).clusterId }

  async [Symbol.asyncDispose] (): Promise<void> { await this.#admin[Symbol.asyncDispose]() }
}

/** What no setting can mend. Throws TOPIC_MISMATCH, with the first of them. */
function refuseMismatch ({ mismatch }: TopicPlan): void {
  const [first, ...others] = mismatch
  if (first !== undefined) throw new LatidoError('TOPIC_MISMATCH', `${first.topic} has ${first.setting} ${first.actual}, and must have ${first.wanted}: ${first.reason}${more(others.length)}`, first.action)
}

/** Nothing starts on a cluster that would break a rule. Throws TOPIC_MISMATCH, NOT_PROVISIONED, SCHEMA_INCOMPATIBLE or REGISTRY_MISMATCH. */
export function refuseUnprovisioned ({ topics, subjects }: ClusterPlan): void {
  refuseMismatch(topics)
  const [first, ...others] = topics.alter
  if (first !== undefined) throw new LatidoError('TOPIC_MISMATCH', `${first.topic} has ${first.setting} ${first.actual}, and must have ${first.wanted}: ${first.reason}${more(others.length)}`, REMEDY)
  if (topics.create.length > 0) throw new LatidoError('NOT_PROVISIONED', `${topics.create.length} topics do not exist, ${topics.create[0]!.topic} among them`, REMEDY)
  refuseUnfit(subjects)
}

function more (others: number): string { return others === 0 ? '' : `; and ${others} more` }
