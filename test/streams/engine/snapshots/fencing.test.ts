import { join } from 'node:path'
import { expect, it } from 'vitest'
import { KeyedMachine, openTopicSnapshots, snapshotTopic, startProcessor, type Processor, type RunningProcessor } from '../../../../streams/engine/index.ts'
import { openEmbeddedLog, type Log, type OutRecord, type TopicPartition } from '../../../../streams/log/index.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { tempDir } from '../../../kit/temp-dir.ts'
import { DEAD, feed, IN, OUT, toyMachine, toyProcessor, type ToyOut, type ToyState } from '../toy.ts'

const SESSION_MS = 1_000
/** Its sessions never end: what its row says stays. */
const toy: Processor<ToyState, string, ToyOut> = { ...toyProcessor, machine: { ...toyMachine, nextDue: () => undefined } }
const SNAPSHOTS = snapshotTopic(toy.name, IN.partitions).name

/** The log of an instance that stands still at one of its commits; with `bug` it writes its rows outside the transaction. */
function held (log: Log, hold: { run: () => Promise<void> }, bug: boolean): Log {
  return new Proxy(log, { get: (target, property) => {
    if (property !== 'transactionalProducer') { const value: unknown = Reflect.get(target, property, target); return typeof value === 'function' ? value.bind(target) as unknown : value }
    return async (id: string) => {
      const inner = await target.transactionalProducer(id)
      const outside: (readonly [TopicPartition, readonly OutRecord[]])[] = []
      return {
        ...inner,
        append: (to: TopicPartition, records: readonly OutRecord[]) => { if (bug && to.topic === SNAPSHOTS) outside.push([to, records]); else inner.append(to, records) },
        commit: async (...args: Parameters<typeof inner.commit>) => {
          await hold.run()
          for (const [to, records] of outside.splice(0)) await target.producer().append(to, records)
          await inner.commit(...args)
        },
      }
    }
  } })
}

/** A zombie commits an old row after its heir has stored a newer one; a third instance, with no copy of its own, then restores. */
async function zombie (bug: boolean): Promise<{ readonly code: unknown, readonly sum: number | undefined }> {
  const directory = tempDir()
  const clock = new ManualClock(1)
  const log = await openEmbeddedLog({ directory: join(directory.path, 'log'), clock, sessionTimeoutMs: SESSION_MS })
  await log.ensureTopics([IN, OUT, DEAD, snapshotTopic(toy.name, IN.partitions)])
  const hold = { run: (): Promise<void> => Promise.resolve() }
  const copies = ['first', 'heir', 'third'].map(name => openTopicSnapshots({ log, clock, directory: join(directory.path, name) }))
  const start = (place: number, on: Log): Promise<RunningProcessor> => startProcessor(toy, { log: on, clock, snapshots: copies[place]!, options: { snapshotIntervalMs: 0, snapshotRowsMax: 10 } })
  const first = await start(0, held(log, hold, bug))
  await feed(log, 'k', '1', 1_000, 0)
  await first.step(0) // k: 1, and a round with its row is taken
  await feed(log, 'x', '1', 1_001, 0)
  hold.run = async () => {
    hold.run = () => Promise.resolve()
    clock.advance(SESSION_MS + 1)
    const heir = await start(1, log)
    await feed(log, 'k', '2', 1_002, 0)
    for (let n = 0; n < 9; n++) { clock.advance(1); await heir.step(0) }
    hold.run = () => Promise.resolve()
    afterwards = async () => { await feed(log, 'y', '1', 1_003, 0); for (let n = 0; n < 9; n++) { clock.advance(1); await heir.step(0) } }
  }
  let afterwards = (): Promise<void> => Promise.resolve()
  const code = await first.step(0).then(() => 'committed', (e: unknown) => (e as { code?: unknown }).code)
  await afterwards()
  const { rows, marker, poison } = await copies[2]!.load({ processor: toy.name, machine: 'toy', version: 1, partition: 0 })
  const restored = new KeyedMachine(toy.machine, poison)
  restored.restore(rows, marker)
  const reader = log.reader({ topic: IN.name, partition: 0 }, marker.offset)
  for (let run = await reader.next(); run !== undefined; run = await reader.next()) while (run.records.next()) {
    const r = run.records
    restored.record(r.offset, r.timestamp, r.keyBuffer.toString('utf8', r.keyStart, r.keyEnd), r.valueBuffer.toString('utf8', r.valueStart, r.valueEnd), () => {})
  }
  const sum = restored.state('k')?.sum
  for (const copy of copies) await copy[Symbol.asyncDispose]()
  await log[Symbol.asyncDispose]()
  directory.remove()
  return { code, sum }
}

it('keeps the heir\'s row though a zombie commits an older one later', async () => {
  expect(await zombie(false)).toEqual({ code: 'MEMBER_FENCED', sum: 3 })
})

it('canary: outside the transaction the zombie\'s row would win, and a reading be lost', async () => {
  expect(await zombie(true)).toEqual({ code: 'MEMBER_FENCED', sum: 1 })
})
