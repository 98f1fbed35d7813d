import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openEmbeddedLog, type Run } from '../../../streams/log/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { drain, IN, logContract, type LogUnderTest } from './contract.ts'

const P0 = { topic: 'in', partition: 0 }
const record = (s: string): { key: Buffer, value: Buffer } => ({ key: Buffer.from('k'), value: Buffer.from(s) })

async function openIn (directory: { readonly path: string, remove (): void }, clock: ManualClock): Promise<LogUnderTest & { readonly directory: string, readonly clock: ManualClock }> {
  const log = await openEmbeddedLog({ directory: directory.path, clock, sessionTimeoutMs: 45_000 })
  return {
    log,
    clock,
    directory: directory.path,
    reopen: async () => { await log[Symbol.asyncDispose](); return await openIn(directory, clock) },
    close: async () => { await log[Symbol.asyncDispose](); directory.remove() },
  }
}

logContract('embedded', () => openIn(tempDir(), new ManualClock(1_000)))

it('puts appends that wait together into one block, and offsets still count up', async () => {
  const under = await openIn(tempDir(), new ManualClock(1_000))
  await under.log.ensureTopics([IN])
  const producer = under.log.producer()
  const appended = await Promise.all(Array.from({ length: 500 }, (_, i) => producer.append(P0, [record(String(i))])))
  expect(appended.map(a => a.baseOffset)).toEqual(Array.from({ length: 500 }, (_, i) => i))
  expect(drain([(await under.log.reader(P0, 123).next())!]).map(r => r.value)).toEqual(Array.from({ length: 377 }, (_, i) => String(i + 123)))
  await under.close()
})

it('wakes a waiting consumer by what comes on its topics, and by nothing else', async () => {
  const under = await openIn(tempDir(), new ManualClock(1_000))
  await under.log.ensureTopics([IN, { ...IN, name: 'other' }])
  await using producer = under.log.producer()
  await using consumer = under.log.consumer({ group: 'g', instance: 'i', topics: ['in'], from: 'earliest' })
  await consumer.poll(0)
  let polled: readonly Run[] | undefined
  const polling = consumer.poll(60_000).then(runs => { polled = runs })
  await producer.append({ topic: 'other', partition: 0 }, [record('not mine')])
  await consumer.commit([{ ...P0, offset: 0 }])
  expect(polled).toBe(undefined)
  await producer.append(P0, [record('mine')])
  await polling
  expect(drain(polled ?? []).map(r => r.value)).toEqual(['mine'])
  await under.close()
})

it('drops blocks older than the retention, keeps the end, and readers start at what is kept', async () => {
  const under = await openIn(tempDir(), new ManualClock(1_000))
  await under.log.ensureTopics([{ ...IN, retentionMs: 10_000 }])
  const producer = under.log.producer()
  for (const t of [1_000, 5_000, 20_000]) { under.clock.set(t); await producer.append(P0, [record(String(t))]) }
  expect(await under.log.enforceRetention()).toBe(2)
  expect(await under.log.range(P0)).toEqual({ start: 2, end: 3 })
  expect(drain([(await under.log.reader(P0, 0).next())!]).map(r => r.value)).toEqual(['20000'])
  under.clock.set(1e9)
  expect(await under.log.enforceRetention()).toBe(0)
  const again = await under.reopen()
  expect(await again.log.range(P0)).toEqual({ start: 2, end: 3 })
  await again.close()
})

for (const [how, damage] of [['overwritten', () => Buffer.alloc(8192, 0x5a)], ['zeroed', () => Buffer.alloc(100)], ['cut short', (whole: Buffer) => whole.subarray(0, 5000)]] as const) {
  it(`says that a store is damaged which was ${how}`, async () => {
    const under = await openIn(tempDir(), new ManualClock(1_000))
    await under.log.ensureTopics([IN])
    await under.log.producer().append(P0, [record('a')])
    await under.log[Symbol.asyncDispose]()
    const file = join(under.directory, 'data.mdb')
    writeFileSync(file, damage(readFileSync(file)))
    await expect((async () => await openEmbeddedLog({ directory: under.directory, clock: under.clock }))()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    rmSync(under.directory, { recursive: true })
  })
}
