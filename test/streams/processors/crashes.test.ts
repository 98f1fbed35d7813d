import { join } from 'node:path'
import { expect, it } from 'vitest'
import { compileEncoder, partitionFor } from '../../../streams/codec/index.ts'
import { openSnapshotStore, startProcessor, type SnapshotStore } from '../../../streams/engine/index.ts'
import { openEmbeddedLog, type Log } from '../../../streams/log/index.ts'
import { avroTopic, defineProcessor, fields, fixedSchemas } from '../../../streams/processors/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { count, last, mean, session, tumbling, type Aggregate, type AsOfOrClosed, type ClosingWindows, type WindowMachine } from '../../../streams/windows/index.ts'
import { SeededRandom } from '../../kit/random.ts'
import { Crash, Saboteur } from '../../kit/saboteur.ts'
import { tempDir } from '../../kit/temp-dir.ts'

const READING = { type: 'record', name: 'Reading', fields: [{ name: 'patient', type: 'string' }, { name: 'ts', type: 'long' }, { name: 'value', type: 'double' }] } as const
const PARTITIONS = 3
const RECORDS = 200
const SEEDS = Number(process.env['LATIDO_CRASH_SEEDS'] ?? 5)

function sabotagedLog (log: Log, saboteur: Saboteur): Log {
  return new Proxy(log, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property, target)
      if (property === 'transactionalProducer') return async (id: string) => { const inner = await target.transactionalProducer(id); return { ...inner, commit: (...a: Parameters<typeof inner.commit>) => saboteur.effect(() => inner.commit(...a)) } }
      return typeof value === 'function' ? value.bind(target) as unknown : value
    },
  })
}

function sabotagedStore (store: SnapshotStore, saboteur: Saboteur): SnapshotStore {
  return { load: (...a) => store.load(...a), save: (...a) => saboteur.effect(() => store.save(...a)), addPoison: (...a) => saboteur.effect(() => store.addPoison(...a)), [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}

/** Throws at 13: the reading is passed over, and nothing else. */
const touchy: Aggregate = { partial: { name: 'touchy', width: 1, empty: (c, at) => { c[at] = 0 }, add: (c, at, value) => { if (value === 13) throw new Error('13'); c[at]! += value }, merge: (c, at, from, f) => { c[at]! += from[f]! } }, result: (c, at) => c[at]! }

const aggregated = (windows: ClosingWindows): AsOfOrClosed<'ts', 'value', { n: Aggregate, mean: Aggregate, last: Aggregate, total: Aggregate }> => windows.eventTime('ts').of('value').aggregate({ n: count(), mean: mean(), last: last(), total: touchy })

interface Feed { readonly partition: number, readonly key: Buffer | null, readonly value: Buffer, readonly timestamp: number }

function script (seed: number): readonly Feed[] {
  const random = new SeededRandom(seed)
  const encoder = new (compileEncoder(READING))()
  let at = 10_000
  return Array.from({ length: RECORDS }, (): Feed => {
    at += random.below(4) * 500
    const patient = `p${random.below(9)}`
    encoder.begin(1).patient(patient).ts(at - random.below(4) * 2_500).value(random.chance(0.02) ? 13 : random.below(9))
    const value = random.chance(0.02) ? Buffer.from('junk') : random.chance(0.05) ? Buffer.alloc(0) : Buffer.from(encoder.buffer.subarray(0, encoder.finish()))
    return { partition: partitionFor(Buffer.from(patient), PARTITIONS), key: value.length === 0 ? null : Buffer.from(patient), value, timestamp: at }
  })
}

async function contents (log: Log, topic: string): Promise<readonly (readonly string[])[]> {
  return await Promise.all(Array.from({ length: PARTITIONS }, async (_, partition) => {
    const reader = log.reader({ topic, partition }, 0)
    const found: string[] = []
    for (let run = await reader.next(); run !== undefined; run = await reader.next()) for (const r = run.records; r.next();) found.push(`${r.timestamp} ${r.valueBuffer.toString('latin1', r.valueStart, r.valueEnd)}`)
    return found
  }))
}

interface Ended { readonly out: unknown, readonly late: unknown, readonly dead: unknown, readonly crashes: number }

async function simulate (machine: WindowMachine<'ts', 'value', 'n' | 'mean' | 'last' | 'total'>, seed: number, rate: number): Promise<Ended> {
  const directory = tempDir()
  const saboteur = new Saboteur(new SeededRandom(seed * 7_919), rate)
  const definition = defineProcessor({
    name: 'crashing', input: avroTopic('in', READING), key: fields('patient'), machine, late: 'late',
    output: { topic: 'out', json: { p: 'key.patient', start: 'start', end: 'end', n: 'value.n', mean: 'value.mean', last: 'value.last', total: 'value.total', cause: 'cause', again: 'revision' } },
  })
  const records = script(seed)
  let fed = 0
  for (let done = false; !done;) {
    const log = await openEmbeddedLog({ directory: join(directory.path, 'log'), clock: new ManualClock(1) })
    const snapshots = openSnapshotStore(join(directory.path, 'snapshots'))
    const clock = new ManualClock(1)
    try {
      await log.ensureTopics(['in', 'out', 'late', 'crashing.dead-letters'].map(name => ({ name, partitions: PARTITIONS, timestamps: 'create', retentionMs: 0 })))
      const running = await startProcessor(await definition.open(fixedSchemas({ 1: READING })), { log: sabotagedLog(log, saboteur), clock, snapshots: sabotagedStore(snapshots, saboteur), options: { snapshotIntervalMs: 10, snapshotRowsMax: 2 } })
      for (let idle = 0; idle < 20;) {
        for (const { partition, ...record } of records.slice(fed, fed += 9)) await log.producer().append({ topic: 'in', partition }, [record])
        clock.advance(50)
        idle = await running.step() > 0 ? 0 : idle + 1
      }
      done = true
    } catch (e) {
      if (!(e instanceof Crash)) throw e
    } finally {
      await snapshots[Symbol.asyncDispose]()
      await log[Symbol.asyncDispose]()
    }
  }
  const log = await openEmbeddedLog({ directory: join(directory.path, 'log'), clock: new ManualClock(1) })
  const ended = { out: await contents(log, 'out'), late: await contents(log, 'late'), dead: (await contents(log, 'crashing.dead-letters')).flat().sort(), crashes: saboteur.crashes }
  await log[Symbol.asyncDispose]()
  directory.remove()
  return ended
}

it.each([
  ['tumbling', aggregated(tumbling({ size: '5 s', grace: '1 s' })).onClose({ corrections: '3 s' })],
  ['session', aggregated(session({ gap: '2 s', grace: '1 s' })).onClose()],
] as const)(`%s windows of three partitions give after any crashes what the calm run gives (${SEEDS} seeds)`, async (_name, machine) => {
  let crashes = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    const calm = await simulate(machine, seed, 0)
    const shaken = await simulate(machine, seed, 0.06)
    crashes += shaken.crashes
    expect({ ...shaken, crashes: 0 }, `seed ${seed}`).toEqual(calm)
    expect(JSON.stringify(calm.out).length).toBeGreaterThan(100)
  }
  expect(crashes).toBeGreaterThan(SEEDS)
}, 300_000)
