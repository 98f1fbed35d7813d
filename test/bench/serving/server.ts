import { startFeatureServer } from '../../../dashboards/server/index.ts'
import { openRedisOnlineStore, REDIS_DEFAULTS } from '../../../features/online/index.ts'
import { FeatureReader } from '../../../features/serving/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { CATALOGUE } from './data.ts'

// node --import tsx server.ts PORT REDISPORT: the product's server of features with the views of the benchmark, in a process of its own.
const [port, redisPort] = process.argv.slice(2).map(Number)
const store = await openRedisOnlineStore({ ...REDIS_DEFAULTS, nodes: [{ host: '127.0.0.1', port: redisPort! }], clock: systemClock })
const features = new FeatureReader({ store, catalogue: CATALOGUE, clock: systemClock })
const { url } = await startFeatureServer({ host: '127.0.0.1', port: port!, features, version: 'bench', metrics: () => Promise.resolve('') })
process.stdout.write(`${url}\n`)
