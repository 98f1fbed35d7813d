import { freePorts, until } from './ports.ts'
import { startRedis, type RedisOptions, type RedisServer } from './redis.ts'

const SLOTS = 16_384
const MASTERS = 3
const READY_WITHIN_MS = 30_000

export interface RedisCluster extends AsyncDisposable {
  readonly nodes: readonly RedisServer[]
  /** As --redis takes it: the nodes, with commas between. */
  readonly url: string
}

/** Three masters on loopback that share the slots. */
export async function startRedisCluster ({ tls, cliArgs = [] }: Pick<RedisOptions, 'tls' | 'cliArgs'> = {}): Promise<RedisCluster> {
  const buses = await freePorts(MASTERS)
  const nodes = await Promise.all(buses.map(bus => startRedis({ cliArgs, ...tls === undefined ? {} : { tls: [...tls, '--tls-cluster', 'yes', '--tls-replication', 'yes'] }, args: ['--cluster-enabled', 'yes', '--cluster-port', String(bus), '--cluster-node-timeout', '15000'] })))
  const cluster: RedisCluster = {
    nodes, url: nodes.map(n => n.url).join(','),
    [Symbol.asyncDispose]: async () => { for (const node of nodes) await node[Symbol.asyncDispose]() },
  }
  try {
    const share = Math.ceil(SLOTS / MASTERS)
    nodes.forEach((node, i) => {
      node.cli('cluster', 'addslotsrange', String(i * share), String(Math.min(SLOTS, (i + 1) * share) - 1))
      if (i > 0) nodes[0]!.cli('cluster', 'meet', '127.0.0.1', String(node.port), String(buses[i]))
    })
    await until('the Redis cluster', READY_WITHIN_MS, () => nodes.every(node => node.cli('cluster', 'info').includes('cluster_state:ok') && node.cli('cluster', 'nodes').split('\n').length === MASTERS))
    return cluster
  } catch (e) {
    await cluster[Symbol.asyncDispose]()
    throw e
  }
}
