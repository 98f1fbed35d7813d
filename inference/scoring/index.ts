/** Scores and explains vectors in a worker thread. */
export { startScorer } from './scorer.ts'
export type { Contribution, Scorer, ScorerOptions } from './scorer.ts'
export { QUEUE_DEFAULTS } from './queue.ts'
export type { QueueOptions } from './queue.ts'
export type { Reply, Request, WorkerLike } from './protocol.ts'
