import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { openTopicSnapshots, snapshotTopic, startProcessor, type EngineOptions, type RunningProcessor, type SnapshotStore } from '../../../streams/engine/index.ts'
import { SliceCursor } from '../../../streams/engine/slice-cursor.ts'
import { openEmbeddedLog, type Log } from '../../../streams/log/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { contents, DEAD, feed, IN, OUT, toyProcessor } from './toy.ts'

const SESSION_MS = 1_000
const directories: { remove (): void }[] = []
afterEach(() => { for (const d of directories.splice(0)) d.remove() })

interface Pair { readonly log: Log, readonly clock: ManualClock, join (name: string, options?: Partial<EngineOptions>): Promise<RunningProcessor>, close (): Promise<void> }

async function pair (): Promise<Pair> {
  const directory = tempDir()
  directories.push(directory)
  const clock = new ManualClock(1)
  const log = await openEmbeddedLog({ directory: join(directory.path, 'log'), clock, sessionTimeoutMs: SESSION_MS })
  await log.ensureTopics([IN, OUT, DEAD, snapshotTopic(toyProcessor.name, IN.partitions)])
  const stores: SnapshotStore[] = []
  return {
    log, clock,
    join: async (name, options = {}) => {
      const snapshots = openTopicSnapshots({ log, clock, directory: join(directory.path, name) })
      stores.push(snapshots)
      return await startProcessor(toyProcessor, { log, clock, snapshots, options: { snapshotIntervalMs: 1_000_000, standbyIntervalMs: 1, standbyRecordsMax: 7, ...options } })
    },
    close: async () => { for (const store of stores) await store[Symbol.asyncDispose](); await log[Symbol.asyncDispose]() },
  }
}

const RECORDS = 600

/** The first works off everything and falls silent; the second takes over and works off one more record of each key. */
async function takeover (standbyPartitionsMax: number): Promise<{ readonly replayed: number, readonly slices: number, readonly outputs: unknown }> {
  const { log, clock, join: joinGroup, close } = await pair()
  const first = await joinGroup('first')
  await first.step(0)
  const second = await joinGroup('second', { standbyPartitionsMax })
  for (let i = 0; i < RECORDS; i++) await feed(log, `k${i % 11}`, '1', 1_000 + i)
  for (let n = 0; n < 10; n++) { clock.advance(1); await first.step(0) }
  let slices = 0
  for (let n = 0; n < 400; n++) { clock.advance(2); await first.step(0); await second.step(0); slices++ }
  const before = second.statistics.replayed ?? 0
  clock.advance(SESSION_MS + 1)
  for (let i = 0; i < 11; i++) await feed(log, `k${i}`, '2', 2_000 + i)
  for (let n = 0; n < 20; n++) { clock.advance(1); await second.step(0) }
  const outputs = await contents(log, OUT.name)
  await close()
  return { replayed: (second.statistics.replayed ?? 0) - before, slices, outputs }
}

it('takes over from a warm copy with next to nothing to replay, and says the same as without', async () => {
  const cold = await takeover(0)
  const warm = await takeover(Number.POSITIVE_INFINITY)
  expect(cold.replayed).toBeGreaterThan(RECORDS / 3)
  expect(warm.replayed).toBeLessThan(RECORDS / 20)
  expect(warm.outputs).toEqual(cold.outputs)
})

it('keeps copies of so many partitions of others as it may, and of none that are its own', async () => {
  const { clock, join: joinGroup, close } = await pair()
  const alone = await joinGroup('alone', { standbyPartitionsMax: 2 })
  for (let n = 0; n < 5; n++) { clock.advance(2); await alone.step(0) }
  expect(alone.statistics.standby).toBe(0)
  const more = await Promise.all(['b', 'c', 'd', 'e'].map(name => joinGroup(name, { standbyPartitionsMax: 2 })))
  for (let n = 0; n < 20; n++) { clock.advance(2); for (const p of [alone, ...more]) await p.step(0) }
  expect(more.map(p => p.statistics.standby)).toEqual([2, 2, 2, 2])
  await close()
})

it('goes on in portions, and holds back what is not committed yet', () => {
  let at = -1
  const inner = { next: () => ++at < 6, get offset () { return at }, timestamp: 0, keyBuffer: Buffer.alloc(0), keyStart: -1, keyEnd: -1, valueBuffer: Buffer.alloc(0), valueStart: -1, valueEnd: -1, headers: () => [] }
  const slice = new SliceCursor(inner)
  const portion = (records: number, below: number): readonly number[] => { slice.allow(records, below); const got: number[] = []; while (slice.next()) got.push(slice.offset); return got }
  expect(portion(2, 4)).toEqual([0, 1])
  expect(portion(9, 4)).toEqual([2, 3])
  expect([slice.holding, slice.more]).toEqual([true, true])
  expect(portion(9, 4)).toEqual([])
  expect(portion(1, 9)).toEqual([4])
  expect(portion(9, 9)).toEqual([5])
  expect(slice.more).toBe(false)
})
