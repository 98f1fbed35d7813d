import { LatidoError } from '../../../../errors/index.ts'
import { prepareCompression } from '../compression/index.ts'
import { metadata } from './api/metadata.ts'
import { DirectCluster, unreachableError } from './cluster.ts'
import { Connection } from './connection.ts'
import { isConnectionLost } from './errors.ts'
import { ask, greet } from './greet.ts'
import type { Address, ClusterOptions } from './options.ts'
import type { Cluster } from './port.ts'

/** Reaches the first broker of the list that answers, and learns from it who the others are. */
export async function openCluster (options: ClusterOptions): Promise<Cluster> {
  const addresses = options.brokers.map(parseAddress)
  await prepareCompression()
  let cause: unknown
  for (const address of addresses) {
    try { return await openAt(address, addresses, options) } catch (e) {
      if (!isConnectionLost(e)) throw e // another broker would answer the same
      cause = e
    }
  }
  throw unreachableError(options.brokers, cause)
}

async function openAt (address: Address, all: readonly Address[], options: ClusterOptions): Promise<Cluster> {
  const connection = await Connection.open(address, options)
  try {
    const greeting = await greet(connection, options)
    return new DirectCluster(options, all, greeting, await ask(connection, options, metadata, { topics: [] }))
  } finally { connection.close() }
}

/** `host:port`, or `[address]:port` for IPv6. */
function parseAddress (text: string): Address {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^\s:]+)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) throw new LatidoError('CONFIG_INVALID', 'the address of a broker is not host:port', 'write it as kafka1.example:9092')
  return { host, port: Number(port) }
}
