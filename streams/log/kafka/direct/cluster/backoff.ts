import type { DurationMs } from '../../../../time/index.ts'
import type { ClusterLimits } from './options.ts'

const SPREAD = 0.2
const DOUBLINGS_MAX = 30

/** How long to wait before a try after `failures` failed ones: exponential, with jitter so that many clients do not come back at once (KIP-144). */
export function backoffMs (failures: number, { retryBackoffMinMs, retryBackoffMaxMs }: ClusterLimits, random: () => number): DurationMs {
  const calm = Math.min(retryBackoffMaxMs, retryBackoffMinMs * 2 ** Math.min(failures - 1, DOUBLINGS_MAX))
  return Math.round(calm * (1 + SPREAD * (2 * random() - 1)))
}
