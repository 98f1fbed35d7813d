import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openEmbeddedOnlineStore, openRedisOnlineStore, REDIS_DEFAULTS, type OnlineStore } from '../../../features/online/index.ts'
import { BINARY_MEDIA_TYPE, decodeBinary, residentStore } from '../../../features/serving/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { startChild } from '../../kit/servers/child.ts'
import { freePorts, until } from '../../kit/servers/ports.ts'
import { SeededRandom } from '../../kit/random.ts'
import { missingRedis, startRedis, type RedisServer } from '../../kit/servers/redis.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import type { BenchOptions, Benchmark, Measure } from '../measure.ts'
import { CATALOGUE, ENTITIES, entityOf, FEATURE_NAMES } from './data.ts'
import { feastRequest, missingFeast, startFeast, type Feast } from './feast.ts'
import { readInProcess, write } from './in-process.ts'
import { askOnce, load, requestOf } from './load.ts'

const BATCHES = [1, 10, 100] as const
const CLIENTS = [1, 8] as const
/** Of the table, by clients and batch: how many times as fast as the peer. */
const TARGETS: Readonly<Record<string, number>> = { '1/1': 8, '1/10': 20, '1/100': 60, '8/1': 25, '8/10': 60, '8/100': 80 }
const REQUESTS = 256

/** Figures by name, a value a run. */
class Figures {
  readonly #all = new Map<string, { readonly unit: string, readonly values: number[], readonly target: string | undefined }>()
  add (name: string, unit: string, value: number, target?: string): void {
    if (!this.#all.has(name)) this.#all.set(name, { unit, values: [], target })
    this.#all.get(name)!.values.push(value)
  }

  measures (): readonly Measure[] { return [...this.#all].map(([name, { unit, values, target }]) => ({ name, unit, values, ...target === undefined ? {} : { target } })) }
}

/**
 * Features online beside Feast: 10,000 entities x 5 views x 10 features on Redis, each server in a process of its own, the same closed loop to
 * both, in turns. Every answer holds values with presence, event times and (ours) ages.
 */
export const serving: Benchmark = {
  summary: 'features online: HTTP, in process, writes; beside Feast where LATIDO_BENCH_FEAST names a copy of the peers\' harness',
  run: async options => {
    const missing = missingRedis()
    if (missing !== undefined) throw new Error(`the benchmark needs Redis: there is ${missing}`)
    await using redis = await startRedis()
    await using store = await openRedisOnlineStore({ ...REDIS_DEFAULTS, nodes: [{ host: '127.0.0.1', port: redis.port }], clock: systemClock })
    const figures = new Figures()
    const folder = process.env['LATIDO_BENCH_FEAST']
    const why = missingFeast(folder)
    if (why !== undefined) options.say(`without Feast, so there are no ratios: ${why}`)
    const { runs = 3 } = options
    options.say('writing')
    for (let run = 1; run <= runs + 1; run++) {
      const perSecond = await write(store, run)
      if (run > 1) figures.add('write, Redis, 50 features', 'entities/s', perSecond, '96500') // the first finds nothing there
    }
    await using feast = why === undefined ? await startFeast(folder!, redis.port, options.say) : undefined
    if (feast !== undefined) figures.add('Feast: write, Redis, 50 features', 'entities/s', feast.sdk.writtenPerSecond)
    await http(redis, feast, options, figures)
    await inProcess(store, feast, options, figures)
    return figures.measures()
  },
}

async function http (redis: RedisServer, feast: Feast | undefined, { seconds = 1, runs = 3, say }: BenchOptions, figures: Figures): Promise<void> {
  const [port = 0] = await freePorts(1)
  const logs = tempDir()
  const server = startChild(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('server.ts', import.meta.url)), String(port), String(redis.port)], { logFile: join(logs.path, 'log'), cwd: fileURLToPath(new URL('../../../', import.meta.url)) })
  try {
    await until('the server of features', 30_000, () => askOnce(port, ourRequests(1, 'application/json')[0]!).then(() => true, () => false), () => server.running ? undefined : 'it ended')
    await check(port)
    for (let run = 1; run <= runs; run++) {
      for (const clients of CLIENTS) for (const batch of BATCHES) {
        say(`HTTP, run ${run}: ${clients} ${clients === 1 ? 'client' : 'clients'}, batch ${batch}`)
        const key = `${clients}/${batch}`
        const what = (name: string): string => `${name}, ${clients} client${clients === 1 ? '' : 's'}, batch ${batch}`
        const of = async (name: string, requests: readonly Buffer[], to: number): Promise<number> => {
          const { p50Ms, perSecond } = await load(to, requests, clients, seconds)
          if (clients === 1) figures.add(what(`${name} p50`), 'ms', p50Ms); else figures.add(what(name), 'requests/s', perSecond)
          return clients === 1 ? 1 / p50Ms : perSecond
        }
        const json = await of('JSON', ourRequests(batch, 'application/json'), port)
        const binary = await of('binary', ourRequests(batch, BINARY_MEDIA_TYPE), port)
        if (feast === undefined) continue
        const peer = await of('Feast', feastRequests(batch), feast.port)
        figures.add(what('JSON, times Feast'), 'x', json / peer, String(TARGETS[key]))
        figures.add(what('binary, times Feast'), 'x', binary / peer, String(TARGETS[key]))
      }
    }
  } finally {
    await server.kill()
    logs.remove()
  }
}

async function inProcess (redis: OnlineStore, feast: Feast | undefined, { seconds = 1, runs = 3, say }: BenchOptions, figures: Figures): Promise<void> {
  const directory = tempDir()
  const embedded = openEmbeddedOnlineStore(directory.path)
  try {
    const resident = residentStore(embedded)
    await write(resident, 1)
    for (let run = 1; run <= runs; run++) for (const batch of BATCHES) {
      say(`in process, run ${run}: batch ${batch}`)
      const targetMs = batch === 1 ? '0.021' : batch === 100 ? '0.17' : undefined
      for (const [name, store] of [['Redis', redis], ['embedded', embedded], ['embedded, rows resident', resident]] as const) {
        const p50Ms = await readInProcess(store, batch, seconds / 2)
        figures.add(`in process, ${name}, batch ${batch}, p50`, 'ms', p50Ms, targetMs)
        if (feast !== undefined) figures.add(`in process, ${name}, batch ${batch}, times Feast`, 'x', feast.sdk.p50Ms[batch]! / p50Ms, batch === 1 ? '40' : batch === 100 ? '200' : undefined)
      }
    }
  } finally {
    await embedded[Symbol.asyncDispose]()
    directory.remove()
  }
}

function ourRequests (batch: number, accept: string): readonly Buffer[] {
  return batches(batch).map(entities => requestOf('/api/features/online', accept, { features: FEATURE_NAMES, entities: entities.map(entityOf) }))
}

function feastRequests (batch: number): readonly Buffer[] { return batches(batch).map(feastRequest) }

/** The same entities for both. */
function batches (batch: number): readonly (readonly number[])[] {
  const random = new SeededRandom(batch)
  return Array.from({ length: REQUESTS }, () => Array.from({ length: batch }, () => random.below(ENTITIES)))
}

/** What is timed is what was asked for: every value is there. */
async function check (port: number): Promise<void> {
  const text = (await askOnce(port, ourRequests(100, 'application/json')[0]!)).toString()
  const { views } = JSON.parse(text) as { views: readonly { values: readonly (readonly (number | null)[])[], agesMs: readonly (readonly (number | null)[])[] }[] }
  const { data } = decodeBinary(await askOnce(port, ourRequests(100, BINARY_MEDIA_TYPE)[0]!))
  const whole = views.length === CATALOGUE.views.length && views.every(v => v.values.length === 100 && [...v.values.flat(), ...v.agesMs.flat()].every(x => typeof x === 'number'))
  if (!whole || data.some(Number.isNaN)) throw new Error('the server does not answer what is to be measured')
}
