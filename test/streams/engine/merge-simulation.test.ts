import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openSnapshotStore, openTopicSnapshots, snapshotTopic, startProcessor, type Processor, type SnapshotStore, type StateMachine, type Transfer } from '../../../streams/engine/index.ts'
import { partitionFor } from '../../../streams/codec/index.ts'
import { addWhole, openEmbeddedLog, type Log } from '../../../streams/log/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { SeededRandom } from '../../kit/random.ts'
import { Crash, Saboteur } from '../../kit/saboteur.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { contents, DEAD, feed, IN, OUT, TICK } from './toy.ts'

const SEEDS = Number(process.env['LATIDO_CRASH_SEEDS'] ?? 12)
const KEYS = 7
const RECORDS = 80


interface Ledger { readonly ids: string[] }

/** Remembers the id of every record, and says it once: nothing that was fed may be missing, or stand in two places. */
const ledger: StateMachine<Ledger, string, string> = {
  name: 'ledger',
  empty: () => ({ ids: [] }),
  step: (state, input, emit) => { if (input.kind === 'record') { state.ids.push(input.value); emit(`took ${input.value}`) } },
  nextDue: () => undefined,
  isEmpty: state => state.ids.length === 0,
  leave: (_state, { survivor }, emit) => { emit(`left for ${survivor}`) },
  merge: (state, from, _merge, emit) => { state.ids.unshift(...from.ids); emit(`joined ${from.ids.length}`) },
  codec: { version: 1, encode: state => Buffer.from(JSON.stringify(state.ids)), decode: bytes => ({ ids: JSON.parse(bytes.toString()) as string[] }) },
}

type Bug = 'none' | 'transfer-outside'

const processor: Processor<Ledger, string, string> = {
  name: 'ledger',
  input: IN.name,
  machine: ledger,
  decode: r => {
    const key = r.keyStart < 0 ? '' : r.keyBuffer.toString('utf8', r.keyStart, r.keyEnd)
    const value = r.valueBuffer.toString('utf8', r.valueStart, r.valueEnd)
    if (value === 'tick') return { kind: 'tick' }
    if (value.startsWith('merge ')) return value.slice(6) === key ? { kind: 'refused', cause: 'malformed', detail: 'into itself' } : { kind: 'merge', key, survivor: value.slice(6) }
    if (!value.startsWith('{')) return { kind: 'record', key, value }
    const transfer = JSON.parse(value) as Omit<Transfer, 'state'> & { readonly state: string }
    return { kind: 'transfer', transfer: { ...transfer, to: key, state: Buffer.from(transfer.state) } }
  },
  write: (e, out) => {
    const [key, value] = [Buffer.from(e.key), Buffer.from(e.out)]
    addWhole(out(OUT.name), e.at, key, value)
  },
  encodeTransfer: t => Buffer.from(JSON.stringify({ ...t, state: t.state.toString() })),
  deadLetter: refused => ({ topic: DEAD.name, key: null, value: Buffer.from(`${refused.cause} ${refused.raw.toString()}`) }),
  tickTopics: [],
  tick: TICK,
  ownsTicks: false,
}

function sabotaged (log: Log, plan: Saboteur, bug: Bug): Log {
  return new Proxy(log, { get: (target, property) => {
    if (property !== 'transactionalProducer') { const value: unknown = Reflect.get(target, property, target); return typeof value === 'function' ? value.bind(target) as unknown : value }
    return async (id: string) => {
      const inner = await target.transactionalProducer(id)
      const waiting: Promise<unknown>[] = []
      return {
        ...inner,
        sink: (to: Parameters<typeof inner.sink>[0]) => bug === 'transfer-outside' && to.topic === IN.name
          ? { add: (timestamp: number, key: Buffer, ks: number, ke: number, value: Buffer, vs: number, ve: number) => { waiting.push(target.producer().append(to, [{ timestamp, key: Buffer.from(key.subarray(ks, ke)), value: Buffer.from(value.subarray(vs, ve)) }])) } }
          : inner.sink(to),
        commit: async (...args: Parameters<typeof inner.commit>) => { await Promise.all(waiting); await plan.effect(() => inner.commit(...args)) },
      }
    }
  } })
}

interface Moment { readonly key: string, readonly value: string }

function script (seed: number): readonly Moment[] {
  const random = new SeededRandom(seed)
  const key = (): string => `k${random.below(KEYS)}`
  return Array.from({ length: RECORDS }, (_, i) => ({ key: key(), value: random.chance(0.12) ? `merge ${key()}` : `r${i}` }))
}

interface End { readonly took: readonly string[], readonly held: ReadonlyMap<string, readonly string[]>, readonly into: ReadonlyMap<string, string>, readonly dead: readonly string[], readonly crashes: number }

async function run (moments: readonly Moment[], seed: number, rate: number, bug: Bug = 'none'): Promise<End> {
  const directory = tempDir()
  const clock = new ManualClock(1)
  const log = await openEmbeddedLog({ directory: join(directory.path, 'log'), clock, sessionTimeoutMs: 10 })
  await log.ensureTopics([IN, OUT, DEAD, snapshotTopic('ledger', IN.partitions)])
  const plan = new Saboteur(new SeededRandom(seed * 31), rate)
  const openStore = (): SnapshotStore => seed % 2 === 0 ? openSnapshotStore(join(directory.path, 'snapshots')) : openTopicSnapshots({ log, clock, directory: join(directory.path, 'copy') })
  let fed = 0
  for (let done = false, lives = 0; !done; lives++) {
    if (lives > 500) throw new Error('never done')
    const store = openStore()
    clock.advance(11)
    try {
      const running = await startProcessor(processor, { log: sabotaged(log, plan, bug), clock, snapshots: store, options: { snapshotIntervalMs: 1, snapshotRowsMax: 2 } })
      for (let idle = 0; idle < 5;) {
        clock.advance(1)
        for (let n = plan.random.below(5); n > 0 && fed < moments.length; n--) { const { key, value } = moments[fed++]!; await feed(log, key, value, 1_000 + fed) }
        idle = await running.step(0) === 0 && fed === moments.length ? idle + 1 : 0
      }
      plan.rate = 0
      await running[Symbol.asyncDispose]()
      done = true
    } catch (e) {
      if (!(e instanceof Crash)) throw e
    } finally {
      await store[Symbol.asyncDispose]()
    }
  }
  const held = new Map<string, readonly string[]>()
  const into = new Map<string, string>()
  const store = openStore()
  for (let partition = 0; partition < IN.partitions; partition++) {
    for (const row of (await store.load({ processor: 'ledger', machine: 'ledger', version: 1, partition })).rows) {
      if (row.kind === 'merged') into.set(row.key, row.bytes.toString().replace(/^\S+ /, ''))
      if (row.kind === 'state') held.set(row.key, ledger.codec.decode(row.bytes).ids)
    }
  }
  await store[Symbol.asyncDispose]()
  const took = (await contents(log, OUT.name)).flat().flatMap(line => / took (\w+)$/.exec(line)?.[1] ?? []).sort()
  const dead = (await contents(log, DEAD.name)).flat()
  await log[Symbol.asyncDispose]()
  directory.remove()
  return { took, held, into, dead, crashes: plan.crashes }
}

function ids (moments: readonly Moment[]): readonly string[] { return moments.filter(m => !m.value.startsWith('merge ')).map(m => m.value).sort() }

/** Where a key's records end up. */
function endOf (end: End, key: string): string {
  let at = key
  for (let hops = 0; end.into.has(at); hops++) { if (hops > KEYS) throw new Error(`merges of ${key} go round`); at = end.into.get(at)! }
  return at
}

function problems (end: End, moments: readonly Moment[]): readonly string[] {
  const found: string[] = []
  const same = (what: string, is: readonly string[], ought: readonly string[]): void => { if (JSON.stringify(is) !== JSON.stringify(ought)) found.push(`${what}: ${is.join()} ought to be ${ought.join()}`) }
  same('said', end.took, ids(moments))
  same('held', [...end.held.values()].flat().sort(), ids(moments))
  for (const { key, value } of moments) if (!value.startsWith('merge ') && !(end.held.get(endOf(end, key)) ?? []).includes(value)) found.push(`${value} of ${key} is not with ${endOf(end, key)}`)
  for (const { key, value } of moments) if (value.startsWith('merge ') && value !== `merge ${key}` && endOf(end, key) !== endOf(end, value.slice(6))) found.push(`${key} and ${value.slice(6)} were merged and are two`)
  return found
}

it(`keeps every record exactly once through merges in any direction, chains, circles and crashes (${SEEDS} seeds)`, async () => {
  let crashes = 0
  let merged = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    const moments = script(seed)
    const end = await run(moments, seed, 0.06)
    expect(problems(end, moments), `seed ${seed}`).toEqual([])
    expect(end.dead.length, `seed ${seed}`).toBe(moments.filter(m => m.value === `merge ${m.key}`).length)
    crashes += end.crashes
    merged += end.into.size
  }
  expect(crashes).toBeGreaterThan(SEEDS)
  expect(merged).toBeGreaterThan(SEEDS)
})

it('canary: transfers that are written outside the transaction are found', async () => {
  let found = 0
  for (let seed = 1; seed <= 12 && found === 0; seed++) { const moments = script(seed); found += problems(await run(moments, seed, 0.1, 'transfer-outside'), moments).length }
  expect(found).toBeGreaterThan(0)
})

const story = (...lines: readonly string[]): readonly Moment[] => lines.map(line => { const [key = '', ...rest] = line.split(' '); return { key, value: rest.join(' ') } })

it.each([
  ['one merge, and a record that comes late', story('k1 r0', 'k2 r1', 'k1 merge k2', 'k1 r2'), 'k2', ['r0', 'r1', 'r2']],
  ['a chain', story('k1 r0', 'k2 r1', 'k3 r2', 'k1 merge k2', 'k2 merge k3', 'k1 r3'), 'k3', ['r0', 'r1', 'r2', 'r3']],
  ['a merge that is told twice', story('k1 r0', 'k1 merge k2', 'k1 merge k2', 'k1 r1'), 'k2', ['r0', 'r1']],
  ['a merge and its reverse: the newer one counts', story('k1 r0', 'k2 r1', 'k1 merge k2', 'k2 merge k1', 'k1 r2', 'k2 r3'), 'k1', ['r0', 'r1', 'r2', 'r3']],
  ['a key that nobody has heard of', story('k2 r0', 'k9 merge k2', 'k9 r1'), 'k2', ['r0', 'r1']],
  ['a merged key that is merged elsewhere takes its survivor along', story('k1 r0', 'k2 r1', 'k1 merge k2', 'k1 merge k3', 'k2 r2'), 'k3', ['r0', 'r1', 'r2']],
  ['a merge into itself, which is refused', story('k1 r0', 'k1 merge k1', 'k1 r1'), 'k1', ['r0', 'r1']],
] as const)('%s', async (_name, moments, survivor, held) => {
  const end = await run(moments, 1, 0)
  expect(problems(end, moments)).toEqual([])
  expect([...end.held.keys()]).toEqual([survivor])
  expect([...end.held.get(survivor)!].sort()).toEqual(held)
  expect(end.dead).toEqual(moments.filter(m => m.value === `merge ${m.key}`).map(m => `malformed ${m.value}`))
})

it('refuses a transfer whose state it cannot read, and keeps its bytes', async () => {
  const lost = processor.encodeTransfer!({ from: 'k1', to: 'k2', via: [{ key: 'k1', at: 1 }], version: 7, state: Buffer.from('of another version') }).toString()
  const end = await run([{ key: 'k2', value: 'r0' }, { key: 'k2', value: lost }, { key: 'k2', value: 'r1' }], 1, 0)
  expect(end.dead).toEqual([`payload-invalid ${lost}`])
  expect(end.held.get('k2')).toEqual(['r0', 'r1'])
})

it('spreads the keys of these stories over the partitions', () => {
  expect(new Set(Array.from({ length: KEYS }, (_, i) => partitionFor(Buffer.from(`k${i}`), IN.partitions))).size).toBe(IN.partitions)
})
