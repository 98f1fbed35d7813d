import { expect, it } from 'vitest'
import { backoffMs, CLUSTER_LIMITS } from '../../../../../../streams/log/kafka/direct/cluster/index.ts'

const limits = { ...CLUSTER_LIMITS, retryBackoffMinMs: 50, retryBackoffMaxMs: 1_000 }

it('doubles up to the maximum, however often it fails', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 5_000].map(failures => backoffMs(failures, limits, () => 0.5))).toEqual([50, 100, 200, 400, 800, 1_000, 1_000, 1_000])
})

it('is spread by a fifth either way', () => {
  expect([0, 0.999_999].map(drawn => backoffMs(3, limits, () => drawn))).toEqual([160, 240])
})
