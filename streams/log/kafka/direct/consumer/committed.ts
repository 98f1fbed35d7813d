import type { TopicPartition } from '../../../port.ts'
import { describeClusterApi, describeGroupApi, initProducerIdApi, listOngoingApi, offsetFetchApi } from '../api/index.ts'
import { ERROR_CODE, KafkaError } from '../cluster/index.ts'
import type { Direct } from '../direct.ts'
import { instanceOf } from '../names.ts'
import { nameOf } from '../../../partition-name.ts'
import { askCoordinator, passes, patiently } from '../retry.ts'

const LANE = 'offsets'
/** A live member's transaction with offsets is open for a few milliseconds; one that is open longer may be a dead member's. */
const SUSPECT_MS = 200
const CHECK_EACH_MS = 500

/** Committed offsets by name, once no transaction over them is open; undefined where there is none. */
export async function committedOffsets (direct: Direct, group: string, partitions: readonly TopicPartition[], signal: AbortSignal = direct.closed): Promise<ReadonlyMap<string, number | undefined>> {
  const found = new Map<string, number | undefined>()
  const askedMs = direct.clock.monotonicMs()
  let checkMs = askedMs + SUSPECT_MS
  await patiently(direct, `asking for the committed offsets of ${group}`, { firstMs: 5, maxMs: 100, signal }, async () => {
    const answer = await askCoordinator(direct, { kind: 'coordinator', of: 'group', key: group }, offsetFetchApi, { group, partitions: partitions.filter(p => !found.has(nameOf(p))) }, r => [r.errorCode], { lane: LANE })
    if (answer.errorCode !== 0) throw new KafkaError(answer.errorCode, 'OffsetFetch')
    for (const p of answer.partitions) if (p.errorCode === 0) found.set(nameOf(p), p.offset < 0 ? undefined : p.offset)
    const failed = answer.partitions.find(p => p.errorCode !== 0)
    if (failed === undefined) return
    const now = direct.clock.monotonicMs()
    if (failed.errorCode === ERROR_CODE.UNSTABLE_OFFSET_COMMIT && now >= checkMs) {
      checkMs = now + CHECK_EACH_MS
      try {
        await endTransactionsOfTheDead(direct, group)
      } catch (e) {
        if (!passes(e)) checkMs = Infinity // we may not: the transaction ends by its timeout
      }
    }
    throw new KafkaError(failed.errorCode, 'OffsetFetch')
  })
  return found
}

/**
 * The same for a dead member that had written outputs but no offsets yet: nobody is told of it, but whoever reads the outputs sees nothing
 * behind them before the transaction's timeout. Its partitions are given to us when it is no member any more, so that is the time to look.
 */
export async function endWhatTheDeadLeft (direct: Direct, group: string, signal: AbortSignal): Promise<void> {
  try {
    await patiently(direct, `ending the transactions of dead members of ${group}`, { firstMs: SUSPECT_MS, maxMs: CHECK_EACH_MS, forMs: direct.limits.transactionTimeoutMs, signal }, () => endTransactionsOfTheDead(direct, group))
  } catch {
    // the log was closed, or we may not list transactions: they end by their timeout
  }
}

/**
 * A dead member's open transaction keeps its offsets unstable until the transaction's timeout. Whoever inherits need not wait for it: asking
 * for the dead one's producer id fences it and ends what it left open. Dead is whose instance is no member of the group.
 */
async function endTransactionsOfTheDead (direct: Direct, group: string): Promise<void> {
  const brokers = await direct.cluster.call({ kind: 'any' }, describeClusterApi, {}, { lane: LANE })
  const lists = await Promise.all(brokers.brokers.map(id => direct.cluster.call({ kind: 'node', id }, listOngoingApi, {}, { lane: LANE }).catch(() => undefined))) // a broker that is away coordinates nothing
  const open = lists.flatMap(l => l?.transactionalIds ?? []).flatMap(id => { const instance = instanceOf(id, group); return instance === undefined ? [] : [{ id, instance }] })
  if (open.length === 0) return
  const described = await askCoordinator(direct, { kind: 'coordinator', of: 'group', key: group }, describeGroupApi, { group }, r => [r.errorCode], { lane: LANE })
  if (described.errorCode !== 0) throw new KafkaError(described.errorCode, 'ConsumerGroupDescribe')
  const members = new Set(described.members)
  for (const { id, instance } of open) if (!members.has(instance)) await fence(direct, id)
}

/** One answer is enough, whichever: CONCURRENT_TRANSACTIONS says that the transaction is being ended. */
async function fence (direct: Direct, transactionalId: string): Promise<void> {
  const answer = await askCoordinator(direct, { kind: 'coordinator', of: 'transaction', key: transactionalId }, initProducerIdApi, { transactionalId, timeoutMs: direct.limits.transactionTimeoutMs }, r => [r.errorCode], { lane: LANE })
  if (answer.errorCode !== 0) throw new KafkaError(answer.errorCode === ERROR_CODE.PRODUCER_FENCED || answer.errorCode === ERROR_CODE.INVALID_PRODUCER_EPOCH ? ERROR_CODE.CONCURRENT_TRANSACTIONS : answer.errorCode, 'InitProducerId')
}
