/** Logs and metrics. */
export { fileLogger } from './logger.ts'
export type { Logger } from './logger.ts'
export { openMetrics } from './metrics.ts'
export type { Metrics } from './metrics.ts'
export { registerServing } from './serving-metrics.ts'
