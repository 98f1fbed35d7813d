import { join } from 'node:path'
import { expect, it } from 'vitest'
import { KeyedMachine, openTopicSnapshots, snapshotTopic, startProcessor, type EngineOptions, type ProcessorHost, type RunningProcessor, type SnapshotsOf, type SnapshotStore } from '../../../../streams/engine/index.ts'
import { openEmbeddedLog, type Log, type PartitionReader, type RecordCursor, type Run, type TopicPartition } from '../../../../streams/log/index.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { SeededRandom } from '../../../kit/random.ts'
import { Crash, Saboteur } from '../../../kit/saboteur.ts'
import { tempDir } from '../../../kit/temp-dir.ts'
import { contents, DEAD, feed, IN, OUT, toyMachine, toyProcessor, type ToyOut } from '../toy.ts'

const SEEDS = Number(process.env['LATIDO_CRASH_SEEDS'] ?? 4)
const RECORDS = 150
const KEYS = 16
const INSTANCES = 3
const SESSION_MS = 200
const SNAPSHOTS = snapshotTopic(toyProcessor.name, IN.partitions)
/** Of the commits, so many are held up until the session is over. */
const HELD_UP = 0.1
const HALF_DAY_MS = 43_200_000

type Bug = 'none' | 'copy-before-the-commit'

/** Everything that is not replaced is the inner one's. */
function over<T extends object> (inner: T, replaced: Partial<T>): T {
  return new Proxy(inner, { get: (target, property) => {
    const own: unknown = Reflect.get(replaced, property)
    const value: unknown = own ?? Reflect.get(target, property, target)
    return typeof value === 'function' && own === undefined ? value.bind(target) as unknown : value
  } })
}

/** The records of a run that the compaction has left: the newest of each key up to `compacted`, and all behind it. Deletions go as well. */
function compactedReader (log: Log, of: TopicPartition, from: number, compacted: number): PartitionReader {
  const inner = log.reader(of, from)
  return { next: async () => {
    const newest = new Map<string, number>()
    const probe = log.reader(of, 0)
    for (let run = await probe.next(); run !== undefined; run = await probe.next()) while (run.records.next()) if (run.records.offset < compacted) newest.set(keyOf(run.records), run.records.offset)
    const run = await inner.next()
    if (run === undefined) return undefined
    const { records } = run
    const kept: RecordCursor = over(records, { next: () => {
      while (records.next()) if (records.offset >= compacted || newest.get(keyOf(records)) === records.offset) return true
      return false
    } })
    return { ...run, records: kept } satisfies Run
  } }
}

function keyOf (r: RecordCursor): string { return r.keyBuffer.toString('utf8', r.keyStart, r.keyEnd) }

interface World { readonly toy: Toy, readonly keys: number, readonly log: Log, readonly clock: ManualClock, readonly saboteur: Saboteur, readonly bug: Bug, readonly compacted: number[], fed: number, holdUp (): Promise<void> }

function sabotagedLog (world: World): Log {
  const { log, saboteur, compacted } = world
  return over(log, {
    reader: (of, from) => of.topic === SNAPSHOTS.name ? compactedReader(log, of, from, compacted[of.partition]!) : log.reader(of, from),
    transactionalProducer: async id => {
      const inner = await log.transactionalProducer(id)
      return over(inner, {
        commit: (...args) => saboteur.effect(async () => {
          await world.holdUp()
          await inner.commit(...args)
        }),
      })
    },
  })
}

function sabotagedStore (store: SnapshotStore, { saboteur, bug }: World): SnapshotStore {
  return over(store, {
    load: (...a) => saboteur.effect(() => store.load(...a)),
    carried: (...a) => saboteur.effect(async () => { await store.carried?.(...a) }),
    addPoison: (...a) => saboteur.effect(() => store.addPoison(...a)),
    carry: (of, round, transaction) => {
      store.carry?.(of, round, transaction)
      if (bug === 'copy-before-the-commit' && round !== undefined) void store.save(of, round)
    },
  })
}

interface Seat { readonly directory: string, store: SnapshotStore | undefined, processor: RunningProcessor | undefined }

async function sitDown (world: World, seat: Seat, options: Partial<EngineOptions>): Promise<void> {
  seat.store ??= openTopicSnapshots({ log: sabotagedLog(world), clock: world.clock, directory: seat.directory })
  const host: ProcessorHost = { log: sabotagedLog(world), clock: world.clock, snapshots: sabotagedStore(seat.store, world), options: { snapshotIntervalMs: 1, snapshotRowsMax: 2, markerIntervalMs: 20, ...options } }
  seat.processor = await startProcessor(world.toy, host)
}

/** A crashed process leaves its group without a word; its files stay. */
async function fall (seat: Seat): Promise<void> {
  seat.processor = undefined
  await seat.store?.[Symbol.asyncDispose]()
  seat.store = undefined
}

type Toy = typeof toyProcessor
const emptying: Toy = { ...toyProcessor, machine: { ...toyMachine, isEmpty: s => s.count === 0 } }
/** Sessions never end, so that a key may rest for long: what is wrong with its row then stays wrong. */
const resting: Toy = { ...toyProcessor, machine: { ...toyMachine, nextDue: () => undefined } }

interface Moment { readonly key: string | null, readonly value: string, readonly at: number, readonly partition?: number }

function script (seed: number, keys: number): readonly Moment[] {
  const random = new SeededRandom(seed)
  let at = 1_000
  return Array.from({ length: RECORDS }, () => {
    at += random.below(4) * 5
    const dice = random.below(100)
    if (dice < 20) return { key: null, value: 'tick', at, partition: random.below(IN.partitions) }
    return { key: `k${random.below(keys)}`, value: dice < 22 ? 'boom' : String(random.below(9)), at }
  })
}

async function turn (world: World, seat: Seat, options: Partial<EngineOptions>): Promise<number> {
  try {
    if (seat.processor === undefined) { if (world.saboteur.rate > 0 && world.saboteur.random.chance(0.6)) return 1; await sitDown(world, seat, options) }
    return await seat.processor!.step(0)
  } catch (e) {
    const fenced = (e as { code?: string }).code === 'MEMBER_FENCED'
    if (!(e instanceof Crash) && !fenced) throw e
    await fall(seat)
    return 1
  }
}

/** Instances come, fall, are held up and lose their partitions, the topic is compacted, until all is processed. Answers what a calm run would too. */
async function simulate (seed: number, options: { readonly crashRate: number, readonly bug?: Bug, readonly resting?: boolean, readonly engine?: Partial<EngineOptions> }): Promise<{ readonly outputs: unknown, readonly dead: unknown, readonly crashes: number, readonly wrong: readonly string[] }> {
  const directory = tempDir()
  const clock = new ManualClock(1)
  const log = await openEmbeddedLog({ directory: join(directory.path, 'log'), clock, sessionTimeoutMs: SESSION_MS })
  await log.ensureTopics([IN, OUT, DEAD, SNAPSHOTS])
  const random = new SeededRandom(seed * 7_919)
  const saboteur = new Saboteur(random, options.crashRate)
  const toy = options.resting === true ? resting : emptying
  const keys = options.resting === true ? 4 * KEYS : KEYS
  const world: World = { toy, keys, log, clock, saboteur, bug: options.bug ?? 'none', compacted: Array.from({ length: IN.partitions }, () => 0), fed: 0, holdUp: () => Promise.resolve() }
  const seats: Seat[] = Array.from({ length: options.crashRate > 0 ? INSTANCES : 1 }, (_, i) => ({ directory: join(directory.path, `copy${i}`), store: undefined, processor: undefined }))
  const moments = script(seed, keys)
  const feedSome = async (): Promise<void> => { for (let n = random.below(6); n > 0 && world.fed < moments.length; n--) { const { key, value, at, partition } = moments[world.fed++]!; await feed(log, key, value, at, partition) } }
  const busySeats = new Set<Seat>()
  const turnOf = async (seat: Seat): Promise<number> => {
    busySeats.add(seat)
    try { return await turn(world, seat, options.engine ?? {}) } finally { busySeats.delete(seat) }
  }
  // An instance stands still between its poll and its commit; another takes its partitions meanwhile. What it commits then is a zombie's.
  world.holdUp = async () => {
    if (options.crashRate === 0 || !random.chance(HELD_UP)) return
    clock.advance(SESSION_MS + 1)
    const others = seats.filter(s => !busySeats.has(s))
    for (let n = random.below(16); n > 0 && others.length > 0; n--) { await feedSome(); await turnOf(others[random.below(others.length)]!) }
  }
  for (let idle = 0, rounds = 0; idle < 40 || !await isDone(log); rounds++) {
    if (rounds > 20_000) throw new Error('never done')
    clock.advance(random.chance(idle > 40 ? 0.2 : 0.02) ? SESSION_MS + 1 : random.chance(0.002) ? HALF_DAY_MS : 1)
    await feedSome()
    if (random.chance(0.1)) { const partition = random.below(IN.partitions); world.compacted[partition] = (await log.range({ topic: SNAPSHOTS.name, partition })).end }
    const busy = await turnOf(seats[random.below(seats.length)]!)
    idle = busy === 0 && world.fed === moments.length ? idle + 1 : 0
  }
  const wrong = await unlike(world, seats)
  for (const seat of seats) await fall(seat)
  const result = { outputs: await contents(log, OUT.name), dead: (await contents(log, DEAD.name)).flat().sort(), crashes: saboteur.crashes, wrong }
  await log[Symbol.asyncDispose]()
  directory.remove()
  return result
}

async function isDone (log: Log): Promise<boolean> {
  for (let partition = 0; partition < IN.partitions; partition++) {
    const of = { topic: IN.name, partition }
    if ((await log.committedOffset(toyProcessor.name, of) ?? 0) < (await log.range(of)).end) return false
  }
  return true
}

/** Restores each partition, with every instance's copy and with none, and compares with the state that the whole log makes. */
async function unlike (world: World, seats: readonly Seat[]): Promise<readonly string[]> {
  const wrong: string[] = []
  const calm: World = { ...world, saboteur: new Saboteur(new SeededRandom(0), 0) }
  const fresh = tempDir()
  for (const seat of [...seats, { directory: fresh.path, store: undefined, processor: undefined }]) {
    await fall(seat)
    const store = openTopicSnapshots({ log: sabotagedLog(calm), clock: world.clock, directory: seat.directory })
    for (let partition = 0; partition < IN.partitions; partition++) {
      const committed = await world.log.committedOffset(toyProcessor.name, { topic: IN.name, partition }) ?? 0
      const of: SnapshotsOf = { processor: toyProcessor.name, machine: 'toy', version: 1, partition }
      const snapshot = await store.load(of)
      const restored = new KeyedMachine(world.toy.machine, snapshot.poison)
      restored.restore(snapshot.rows, snapshot.marker)
      await replay(world.log, restored, partition, snapshot.marker.offset, committed)
      const whole = new KeyedMachine(world.toy.machine, snapshot.poison)
      await replay(world.log, whole, partition, 0, committed)
      for (let k = 0; k < world.keys; k++) {
        const [is, ought] = [restored, whole].map(m => JSON.stringify(m.state(`k${k}`) ?? toyMachine.empty('')))
        if (is !== ought) wrong.push(`partition ${partition} k${k}: ${is}, ought to be ${ought}`)
      }
    }
    await store[Symbol.asyncDispose]()
  }
  fresh.remove()
  return wrong
}

async function replay (log: Log, machine: KeyedMachine<never, string, ToyOut> | KeyedMachine<{ count: number, sum: number, closeAt: number, beatAt: number }, string, ToyOut>, partition: number, from: number, below: number): Promise<void> {
  const reader = log.reader({ topic: IN.name, partition }, from)
  for (let run = await reader.next(); run !== undefined; run = await reader.next()) {
    const r = run.records
    while (r.next() && r.offset < below) {
      const value = r.valueBuffer.toString('utf8', r.valueStart, r.valueEnd)
      if (value === 'tick') machine.tick(r.offset, r.timestamp, () => {})
      else machine.record(r.offset, r.timestamp, keyOf(r), value, () => {})
    }
  }
}

it(`gives the outputs and the states of the calm run, whoever owned what, crashed when, and whatever was compacted (${SEEDS} seeds)`, async () => {
  let crashes = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    const calm = await simulate(seed, { crashRate: 0 })
    const shaken = await simulate(seed, { crashRate: 0.03 })
    crashes += shaken.crashes
    expect(calm.wrong, `seed ${seed}, calm`).toEqual([])
    expect(shaken.outputs, `seed ${seed}`).toEqual(calm.outputs)
    expect(shaken.dead, `seed ${seed}`).toEqual(calm.dead)
    expect(shaken.wrong, `seed ${seed}`).toEqual([])
  }
  expect(crashes).toBeGreaterThan(SEEDS)
}, 300_000)

it('does so where keys rest for long', async () => {
  for (let seed = 201; seed <= 200 + SEEDS; seed++) {
    const calm = await simulate(seed, { crashRate: 0, resting: true })
    const shaken = await simulate(seed, { crashRate: 0.02, resting: true })
    expect(shaken.outputs, `seed ${seed}`).toEqual(calm.outputs)
    expect(shaken.wrong, `seed ${seed}`).toEqual([])
  }
}, 300_000)

it('does so with warm copies too', async () => {
  for (let seed = 101; seed <= 100 + SEEDS; seed++) {
    const calm = await simulate(seed, { crashRate: 0 })
    const shaken = await simulate(seed, { crashRate: 0.03, engine: { standbyPartitionsMax: Infinity, standbyIntervalMs: 1, standbyRecordsMax: 3 } })
    expect(shaken.outputs, `seed ${seed}`).toEqual(calm.outputs)
    expect(shaken.dead, `seed ${seed}`).toEqual(calm.dead)
    expect(shaken.wrong, `seed ${seed}`).toEqual([])
  }
}, 300_000)

it('canary: a copy that runs ahead of the topic is found', async () => {
  let found = 0
  for (let seed = 1; seed <= 40 && found === 0; seed++) {
    const calm = await simulate(seed, { crashRate: 0, resting: true })
    const shaken = await simulate(seed, { crashRate: 0.01, bug: 'copy-before-the-commit', resting: true })
    if (shaken.wrong.length > 0 || JSON.stringify(shaken.outputs) !== JSON.stringify(calm.outputs)) found++
  }
  expect(found).toBe(1)
}, 300_000)
