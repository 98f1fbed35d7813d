import { startFeatureServer } from '../../../dashboards/server/index.ts'
import type { FeatureView } from '../../../features/define/index.ts'
import { type OnlineStore, openRedisOnlineStore } from '../../../features/online/index.ts'
import { type BareNames, FeatureReader, ServingCatalogue, STANDARD_SERVICES } from '../../../features/serving/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import type { Clock } from '../../../streams/time/index.ts'
import type { Config } from '../../config/index.ts'
import { type Metrics, openMetrics, registerServing } from '../../telemetry/index.ts'
import { Closers } from '../closers.ts'
import { definedViews } from '../views/index.ts'
import { redisOptionsOf } from './redis-online.ts'
import { VERSION } from '../version.ts'

export interface ServingParts {
  readonly store: Pick<OnlineStore, 'get'>
  readonly views: readonly FeatureView[]
  /** Which version a bare name means; the highest where absent. */
  readonly names?: BareNames
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'registry'>
}

/** What reads features online, with its metrics. */
export function openServing ({ store, views, names, clock, metrics }: ServingParts): FeatureReader {
  const reader = new FeatureReader({ store, clock, catalogue: new ServingCatalogue(views, STANDARD_SERVICES, names) })
  registerServing(metrics.registry, reader.tally)
  return reader
}

/** Serves features from Redis in a process that does nothing else. Throws CONFIG_INVALID without --redis, and what the store and the address throw. */
export async function startServing (config: Config, clock: Clock, say: (line: string) => void): Promise<{ readonly url: string } & AsyncDisposable> {
  if (config.redis === undefined) throw new LatidoError('CONFIG_INVALID', 'serve-features is given no --redis', 'name the Redis of the online store: an embedded store belongs to the process that runs "latido start", which serves its features itself')
  const closers = new Closers()
  try {
    const metrics = openMetrics()
    const { standard, own } = await definedViews(config.features)
    const { owner: _reads, ...options } = redisOptionsOf(config.redis, '', clock) // who only reads takes the rows of any log
    const store = closers.use(await openRedisOnlineStore(options))
    const logger = { info: () => {}, warn: (what: object, line: string) => { say(`${line}: ${JSON.stringify(what)}`) } }
    const features = openServing({ store, views: [...standard, ...own], clock, metrics })
    const server = closers.use(await startFeatureServer({ host: config.host, port: config.httpPort, allowExposed: config.allowExposed, features, version: VERSION, logger, metrics: () => metrics.registry.metrics() }))
    return { url: server.url, [Symbol.asyncDispose]: () => closers[Symbol.asyncDispose]() }
  } catch (e) {
    await closers[Symbol.asyncDispose]()
    throw e
  }
}
