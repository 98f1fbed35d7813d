import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { openSnapshotStore, startProcessor, type Processor, type SnapshotStore } from '../../../streams/engine/index.ts'
import { openEmbeddedLog, type Log } from '../../../streams/log/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { contents, DEAD, feed, IN, OUT, toyMachine, toyProcessor, type ToyOut, type ToyState } from './toy.ts'

type Toy = Processor<ToyState, string, ToyOut>
const directories: { remove (): void }[] = []
afterEach(() => { for (const d of directories.splice(0)) d.remove() })

interface House { readonly log: Log, readonly snapshots: SnapshotStore, readonly clock: ManualClock, close (): Promise<void>, reopen (): Promise<House> }

async function open (path: string = (d => { directories.push(d); return d.path })(tempDir())): Promise<House> {
  const clock = new ManualClock(1)
  const log = await openEmbeddedLog({ directory: join(path, 'log'), clock })
  const snapshots = openSnapshotStore(join(path, 'snapshots'))
  await log.ensureTopics([IN, OUT, DEAD])
  const close = async (): Promise<void> => { await snapshots[Symbol.asyncDispose](); await log[Symbol.asyncDispose]() }
  return { log, snapshots, clock, close, reopen: async () => { await close(); return await open(path) } }
}

/** Goes round until nothing is left; each round may end at a poisonous record, and the next goes on without it. */
async function settle (house: House, toy: Toy = toyProcessor): Promise<readonly string[]> {
  const told: string[] = []
  const running = await startProcessor(toy, { log: house.log, clock: house.clock, snapshots: house.snapshots, options: { snapshotIntervalMs: 0, snapshotRowsMax: 100 }, onChange: what => { told.push(what) } })
  for (let idle = 0; idle < 3;) { house.clock.advance(1); idle = await running.step(0) === 0 ? idle + 1 : 0 }
  await running[Symbol.asyncDispose]()
  return told
}

it('puts a poisonous record into the dead letters with its bytes, restores the state exactly, and goes on', async () => {
  const house = await open()
  for (const [value, at] of [['1', 1_000], ['boom', 1_001], ['2', 1_002]] as const) await feed(house.log, 'a', value, at, 0)
  const told = await settle(house)
  // The step counts before it throws: a count of 2 says that what it did to the state is gone.
  expect((await contents(house.log, OUT.name))[0]).toEqual(['1000 a sum 1 of 1 at 1000', '1002 a sum 3 of 2 at 1002'])
  expect((await contents(house.log, DEAD.name)).flat()).toEqual(['step-failed 0/1 boom'])
  expect(told).toEqual(['toy: a step failed at partition 0 offset 1; the state is restored without it'])
  await house.close()
})

it('leaves other partitions alone while one meets poison', async () => {
  const house = await open()
  await feed(house.log, 'a', 'boom', 1_000, 0)
  await feed(house.log, 'b', '4', 1_000, 1)
  await settle(house)
  expect((await contents(house.log, OUT.name))[1]).toEqual(['1000 b sum 4 of 1 at 1000'])
  await house.close()
})

it('refuses what cannot be decoded, once, and goes on', async () => {
  const house = await open()
  await feed(house.log, 'a', 'junk', 1_000, 0)
  await feed(house.log, 'a', '1', 1_001, 0)
  await settle(house)
  const again = await house.reopen()
  await settle(again)
  expect((await contents(again.log, DEAD.name)).flat()).toEqual(['malformed 0/0 junk'])
  expect((await contents(again.log, OUT.name))[0]).toEqual(['1001 a sum 1 of 1 at 1001'])
  await again.close()
})

it('passes over a tick that throws, and over nothing else', async () => {
  const sick: Toy = { ...toyProcessor, machine: { ...toyMachine, step: (state, input, emit) => { if (input.kind === 'tick' && input.at === 1_025) throw new Error('tick'); toyMachine.step(state, input, emit) } } }
  const house = await open()
  await feed(house.log, 'a', '1', 1_000, 0)
  await feed(house.log, 'b', '1', 1_000, 0)
  await feed(house.log, null, 'tick', 1_030, 0)
  await feed(house.log, 'a', '2', 1_031, 0)
  await settle(house, sick)
  expect((await contents(house.log, OUT.name))[0]).toEqual(['1000 a sum 1 of 1 at 1000', '1000 b sum 1 of 1 at 1000', '1031 a sum 3 of 2 at 1031'])
  expect((await contents(house.log, DEAD.name)).flat()).toEqual([])
  await house.close()
})

it('finds poison during a restore too: a newer step may not take what an older one took', async () => {
  const house = await open()
  for (const [value, at] of [['1', 1_000], ['7', 1_001]] as const) await feed(house.log, 'a', value, at, 0)
  await settle(house)
  const again = await house.reopen()
  await feed(again.log, 'a', '2', 1_002, 0)
  const stricter: Toy = { ...toyProcessor, machine: { ...toyMachine, codec: { ...toyMachine.codec, version: 2 }, step: (state, input, emit) => { if (input.kind === 'record' && input.value === '7') throw new Error('seven'); toyMachine.step(state, input, emit) } } }
  await settle(again, stricter)
  expect((await contents(again.log, OUT.name))[0]!.at(-1)).toBe('1002 a sum 3 of 2 at 1002')
  await again.close()
})

it('builds the state again from the log when the codec has another version, and says nothing twice', async () => {
  const house = await open()
  for (const [value, at] of [['1', 1_000], ['2', 1_001]] as const) await feed(house.log, 'a', value, at, 0)
  await settle(house)
  const again = await house.reopen()
  await feed(again.log, 'a', '3', 1_002, 0)
  const unreadable = (): never => { throw new Error('old bytes') }
  const newer: Toy = { ...toyProcessor, machine: { ...toyMachine, codec: { version: 2, encode: toyMachine.codec.encode, decode: unreadable } } }
  await settle(again, newer)
  expect((await contents(again.log, OUT.name))[0]).toEqual(['1000 a sum 1 of 1 at 1000', '1001 a sum 3 of 2 at 1001', '1002 a sum 6 of 3 at 1002'])
  await again.close()
})

it('says clearly when the snapshots belong to another log', async () => {
  const house = await open()
  await feed(house.log, 'a', '1', 1_000, 0)
  await settle(house)
  await house.snapshots.save({ processor: 'toy', machine: 'toy', version: 1, partition: 0 }, { rows: [], marker: { offset: 50, clock: 1 } })
  await expect(settle(house)).rejects.toMatchObject({ code: 'SNAPSHOT_INVALID' })
  await house.close()
})

it('ticks a silent partition, so that silence is data', async () => {
  const house = await open()
  const running = await startProcessor({ ...toyProcessor, ownsTicks: true }, { log: house.log, clock: house.clock, snapshots: house.snapshots, options: { tickIntervalMs: 10, tickLatencyMs: 10 } })
  house.clock.set(1_000)
  await feed(house.log, 'a', '1', 1_000, 0)
  for (let i = 0; i < 30; i++) { house.clock.advance(5); await running.step(0) }
  expect((await contents(house.log, OUT.name))[0]).toEqual(['1000 a sum 1 of 1 at 1000', '1025 a beat 1 at 1025', '1040 a closed 1 at 1040'])
  await running[Symbol.asyncDispose]()
  await house.close()
})
