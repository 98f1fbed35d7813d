import type { TopicPartition } from './port.ts'

/** `topic/partition`, as maps are keyed and messages say it. */
export function nameOf ({ topic, partition }: TopicPartition): string { return `${topic}/${partition}` }
