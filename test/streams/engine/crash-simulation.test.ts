import { join } from 'node:path'
import { expect, it } from 'vitest'
import { bytesOf } from '../../../streams/codec/index.ts'
import { openSnapshotStore, startProcessor, type EngineOptions, type SnapshotStore } from '../../../streams/engine/index.ts'
import { openEmbeddedLog, type Log, type RecordSink, type TopicPartition } from '../../../streams/log/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { SeededRandom } from '../../kit/random.ts'
import { Crash, Saboteur } from '../../kit/saboteur.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { contents, DEAD, feed, IN, OUT, toyProcessor } from './toy.ts'

const SEEDS = Number(process.env['LATIDO_CRASH_SEEDS'] ?? 12)
const RECORDS = 120

function sabotagedLog (log: Log, saboteur: Saboteur, plantedBug: boolean): Log {
  return new Proxy(log, {
    get: (target, property) => {
      if (property === 'producer') return () => { const inner = target.producer(); return { ...inner, append: (...a: Parameters<typeof inner.append>) => saboteur.effect(() => inner.append(...a)) } }
      if (property === 'consumer') return (...a: Parameters<Log['consumer']>) => { const inner = target.consumer(...a); const commit = inner.commit.bind(inner); inner.commit = offsets => saboteur.effect(() => commit(offsets)); return inner }
      if (property !== 'transactionalProducer') { const value: unknown = Reflect.get(target, property, target); return typeof value === 'function' ? value.bind(target) as unknown : value }
      return async (id: string) => {
        const inner = await target.transactionalProducer(id)
        const plain = target.producer()
        const waiting: Promise<unknown>[] = []
        return {
          ...inner,
          sink: (to: TopicPartition): RecordSink => plantedBug ? { add: (timestamp, key, keyStart, keyEnd, value, start, end) => { waiting.push(plain.append(to, [{ timestamp, key: bytesOf(key, keyStart, keyEnd), value: bytesOf(value, start, end) }])) } } : inner.sink(to),
          commit: async (...args: Parameters<typeof inner.commit>) => { await Promise.all(waiting); await saboteur.effect(() => inner.commit(...args)) },
        }
      }
    },
  })
}

function sabotagedSnapshots (store: SnapshotStore, saboteur: Saboteur): SnapshotStore {
  return { ...store, load: (...a) => saboteur.effect(() => store.load(...a)), save: (...a) => saboteur.effect(() => store.save(...a)), addPoison: (...a) => saboteur.effect(() => store.addPoison(...a)), [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}

/** Lives one life of the processor over what is in the log, feeding more between rounds; answers when all is processed or at a crash. */
async function live (directory: string, script: readonly { key: string | null, value: string, at: number, partition?: number }[], progress: { fed: number }, random: SeededRandom, saboteur: Saboteur, plantedBug: boolean, guarantee: EngineOptions['guarantee']): Promise<boolean> {
  const log = await openEmbeddedLog({ directory: join(directory, 'log'), clock: new ManualClock(1) })
  const snapshots = openSnapshotStore(join(directory, 'snapshots'))
  try {
    await log.ensureTopics([IN, OUT, DEAD])
    const clock = new ManualClock(1)
    const processor = await startProcessor(toyProcessor, { log: sabotagedLog(log, saboteur, plantedBug), clock, snapshots: sabotagedSnapshots(snapshots, saboteur), options: { guarantee, snapshotIntervalMs: 1, snapshotRowsMax: 2 } })
    for (;;) {
      clock.advance(1)
      for (let n = random.below(6); n > 0 && progress.fed < script.length; n--) {
        const { key, value, at, partition } = script[progress.fed]!
        await feed(log, key, value, at, partition)
        progress.fed++
      }
      const processed = await processor.step(0)
      if (processed === 0 && progress.fed === script.length) return true
    }
  } catch (e) {
    if (e instanceof Crash) return false
    throw e
  } finally {
    await snapshots[Symbol.asyncDispose]()
    await log[Symbol.asyncDispose]()
  }
}

function script (seed: number): readonly { key: string | null, value: string, at: number, partition?: number }[] {
  const random = new SeededRandom(seed)
  let at = 1_000
  return Array.from({ length: RECORDS }, () => {
    at += random.below(4) * 5
    const dice = random.below(100)
    if (dice < 15) return { key: null, value: 'tick', at, partition: random.below(IN.partitions) }
    const value = dice < 18 ? 'junk' : dice < 20 ? 'boom' : String(random.below(9))
    return { key: `k${random.below(7)}`, value, at }
  })
}

async function simulate (seed: number, crashRate: number, plantedBug = false, guarantee: EngineOptions['guarantee'] = 'exactly-once'): Promise<{ outputs: unknown, dead: unknown, crashes: number }> {
  const directory = tempDir()
  const random = new SeededRandom(seed * 7919)
  const saboteur = new Saboteur(random, crashRate)
  const progress = { fed: 0 }
  const steps = script(seed)
  while (!await live(directory.path, steps, progress, random, saboteur, plantedBug, guarantee)) if (saboteur.crashes > 10_000) throw new Error('never done')
  await using log = await openEmbeddedLog({ directory: join(directory.path, 'log'), clock: new ManualClock(1) })
  const result = { outputs: await contents(log, OUT.name), dead: (await contents(log, DEAD.name)).flat().sort(), crashes: saboteur.crashes }
  directory.remove()
  return result
}

it(`gives after any crashes the outputs of the calm run, none lost, none twice (${SEEDS} seeds)`, async () => {
  let crashes = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    const calm = await simulate(seed, 0)
    const shaken = await simulate(seed, 0.08)
    crashes += shaken.crashes
    expect(shaken.outputs, `seed ${seed}`).toEqual(calm.outputs)
    expect(shaken.dead, `seed ${seed}`).toEqual(calm.dead)
  }
  expect(crashes).toBeGreaterThan(SEEDS)
}, 300_000)

it('canary: outputs that are written outside the transaction are found', async () => {
  let different = 0
  for (let seed = 1; seed <= 5; seed++) {
    const calm = await simulate(seed, 0)
    const shaken = await simulate(seed, 0.08, true)
    if (JSON.stringify(calm.outputs) !== JSON.stringify(shaken.outputs)) different++
  }
  expect(different).toBeGreaterThan(0)
})

it('loses no output at least once either, and says nothing that the calm run does not', async () => {
  let twice = 0
  for (let seed = 1; seed <= 5; seed++) {
    const calm = await simulate(seed, 0)
    const shaken = await simulate(seed, 0.08, false, 'at-least-once')
    const once = (outputs: unknown): string[] => [...new Set((outputs as string[][]).flat())].sort()
    expect(once(shaken.outputs), `seed ${seed}`).toEqual(once(calm.outputs))
    twice += (shaken.outputs as string[][]).flat().length - (calm.outputs as string[][]).flat().length
  }
  expect(twice).toBeGreaterThan(0)
})
