import type { TopicPartition } from '../../port.ts'

export function nameOf ({ topic, partition }: TopicPartition): string { return `${topic}/${partition}` }
