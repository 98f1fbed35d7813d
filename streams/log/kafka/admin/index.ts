/** Administration of Kafka's topics, by kafkajs: what is missing, what breaks a rule, and what to do about it. Never deletes a topic. */
export { openTopicAdmin } from './connect.ts'
export type { TopicAdmin, TopicAdminOptions } from './connect.ts'
/** Pure: compares what is wanted with what the cluster has. */
export { planTopics, RETENTION_MIN_MS } from './plan.ts'
export type { TopicFinding, TopicPlan, TopicToCreate } from './plan.ts'
/** Asks the cluster, and carries a plan out. */
export { applyTopics, describeTopics } from './topics.ts'
export type { ActualTopic, ActualTopics, Durability } from './topic-config.ts'
/** A plan as text. */
export { renderPlan } from './render.ts'
/** Retention of topics whose records carry times of their own. */
export { trimTopics } from './trim.ts'
/** For a log's own start. */
export { ensureTopics, partitionCounts } from './ensure.ts'
