import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { openSnapshotStore, startProcessor } from '../../../streams/engine/index.ts'
import { openEmbeddedLog } from '../../../streams/log/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { contents, DEAD, feed, IN, OUT, toyProcessor } from './toy.ts'

const HOUR_MS = 3_600_000
const dir = tempDir()
afterAll(() => { dir.remove() })

/** What the toy says to records that arrived at these times, by the stamps of whatever clock. */
async function said (name: string, arrivals: readonly number[]): Promise<readonly string[]> {
  const clock = new ManualClock(1)
  const log = await openEmbeddedLog({ directory: join(dir.path, name, 'log'), clock })
  const snapshots = openSnapshotStore(join(dir.path, name, 'snapshots'))
  await log.ensureTopics([IN, OUT, DEAD])
  for (const at of arrivals) await feed(log, 'a', '1', at, 0)
  const running = await startProcessor(toyProcessor, { log, clock, snapshots })
  for (let idle = 0; idle < 3;) idle = await running.step(0) === 0 ? idle + 1 : 0
  await running[Symbol.asyncDispose]()
  const [lines = []] = await contents(log, OUT.name)
  await snapshots[Symbol.asyncDispose]()
  await log[Symbol.asyncDispose]()
  return lines
}

it.each([
  ['an hour back and on', [HOUR_MS, HOUR_MS + 10, 20, 35, HOUR_MS + 15, HOUR_MS + 100]],
  ['an hour ahead and back', [1_000, 1_010, HOUR_MS + 1_020, 1_030, 1_060, HOUR_MS + 1_030]],
])('a broker\'s clock that jumps %s: a partition\'s time never goes back, as if each stamp were the latest so far', async (name, arrivals) => {
  const steady = arrivals.map((_, i) => Math.max(...arrivals.slice(0, i + 1)))
  const lines = await said(`${name} jumping`, arrivals)
  const times = lines.map(line => Number(line.split(' ')[0]))
  expect(times).toEqual([...times].sort((a, b) => a - b))
  expect(lines).toEqual(await said(`${name} steady`, steady))
  expect(lines.filter(line => line.includes('sum'))).toHaveLength(arrivals.length)
})

it.each([['ahead of', HOUR_MS], ['behind', -HOUR_MS]])('a machine whose clock is an hour %s the brokers\' gives a silent partition its tick a second, no more and no fewer', async (how, skew) => {
  const brokers = new ManualClock(2 * HOUR_MS)
  const machine = new ManualClock(2 * HOUR_MS + skew)
  const log = await openEmbeddedLog({ directory: join(dir.path, how, 'log'), clock: brokers })
  const snapshots = openSnapshotStore(join(dir.path, how, 'snapshots'))
  await log.ensureTopics([{ ...IN, timestamps: 'append' }, OUT, DEAD])
  await feed(log, 'a', '1', 0, 0)
  const running = await startProcessor({ ...toyProcessor, ownsTicks: true }, { log, clock: machine, snapshots })
  for (let ms = 0; ms < 10_000; ms += 50) {
    brokers.advance(50)
    machine.advance(50)
    await running.step(0)
  }
  const { end } = await log.range({ topic: IN.name, partition: 1 })
  expect(end).toBeGreaterThanOrEqual(9)
  expect(end).toBeLessThanOrEqual(12)
  await running[Symbol.asyncDispose]()
  await snapshots[Symbol.asyncDispose]()
  await log[Symbol.asyncDispose]()
})
