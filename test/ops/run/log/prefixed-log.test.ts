import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { prefixedLog } from '../../../../ops/run/log/prefixed-log.ts'
import { openEmbeddedLog, type Log } from '../../../../streams/log/index.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { tempDir } from '../../../kit/temp-dir.ts'
import { logContract, type LogUnderTest } from '../../../streams/log/contract.ts'

const dirs: { remove (): void }[] = []
afterAll(() => { for (const d of dirs) d.remove() })

async function openAt (path: string): Promise<LogUnderTest> {
  const clock = new ManualClock(1_000)
  const log = prefixedLog(await openEmbeddedLog({ directory: join(path, 'log'), clock }), 'north.')
  const close = async (): Promise<void> => { await log[Symbol.asyncDispose]() }
  return { log, clock, close, reopen: async () => { await close(); return await openAt(path) } }
}

logContract('embedded, with a prefix', () => { const dir = tempDir(); dirs.push(dir); return openAt(dir.path) })

it('two that share a log know nothing of each other', async () => {
  const dir = tempDir()
  dirs.push(dir)
  await using log = await openEmbeddedLog({ directory: join(dir.path, 'log'), clock: new ManualClock(1_000) })
  const [north, south] = [prefixedLog(log, 'north.'), prefixedLog(log, 'south.')]
  const spec = { name: 'in', partitions: 1, timestamps: 'append', retentionMs: 0 } as const
  for (const one of [north, south]) await one.ensureTopics([spec])
  const of = { topic: 'in', partition: 0 }
  await north.producer().append(of, [{ key: null, value: Buffer.from('a') }])
  const read = async (one: Log, instance: string): Promise<number> => {
    await using consumer = one.consumer({ group: 'g', instance, topics: ['in'], from: 'earliest' })
    const runs = await consumer.poll(0)
    for (const run of runs) expect(run.topic).toBe('in')
    await consumer.commit([{ ...of, offset: runs[0]?.nextOffset ?? 0 }])
    return runs.length
  }
  expect([await read(north, 'a'), await read(south, 'a')]).toEqual([1, 0])
  expect([await north.committedOffset('g', of), await south.committedOffset('g', of), await log.committedOffset('north.g', { topic: 'north.in', partition: 0 })]).toEqual([1, 0, 1])
  expect(log.topics().map(t => t.name)).toEqual(['north.in', 'south.in'])
  expect(north.topics().map(t => t.name)).toEqual(['in'])
})

it('no prefix costs nothing', async () => {
  const dir = tempDir()
  dirs.push(dir)
  await using log = await openEmbeddedLog({ directory: join(dir.path, 'log'), clock: new ManualClock(1_000) })
  expect(prefixedLog(log, '')).toBe(log)
})
