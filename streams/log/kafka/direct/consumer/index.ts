/** A member of a group, and its fetches. */
export { DirectConsumer } from './consumer.ts'
export type { Member } from './member.ts'
/** One partition to its end, without a group. */
export { DirectReader } from './reader.ts'
export { committedOffsets } from './committed.ts'
export { listOffset } from './offsets.ts'
