import type { createClient } from 'redis'
import { isLatidoError, LatidoError } from '../../../streams/errors/index.ts'
import type { DurationMs } from '../../../streams/time/index.ts'
import { readOnly } from './failures.ts'
import type { RedisNode, RedisOnlineOptions } from './options.ts'

export type Reply = string | number | Buffer | null | readonly Reply[]

/** An open way to a server or a cluster. When it breaks it stays broken: another one is opened. */
export interface Link {
  readonly cluster: boolean
  send (key: string, args: readonly (string | Buffer)[], readOnly: boolean, binary: boolean): Promise<unknown>
  destroy (): void
}

type ClientOptions = NonNullable<Parameters<typeof createClient>[0]>

/** What the client of a node is given; in a cluster the place of each node is added by the client. */
function clientOptions ({ tls, username, password, connectTimeoutMs }: RedisOnlineOptions, node?: RedisNode): ClientOptions {
  const socket = { connectTimeout: connectTimeoutMs, reconnectStrategy: false as const, ...node }
  return {
    disableOfflineQueue: true,
    ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password: password() }),
    socket: (tls === undefined ? socket : { ...socket, tls: true, ...tls }) as NonNullable<ClientOptions['socket']>,
  }
}

/** Asks the first node that answers what it is, then connects to it or to its cluster. */
export async function openLink (options: RedisOnlineOptions): Promise<Link> {
  const { nodes } = options
  let failure: unknown
  for (const node of nodes) {
    const single = await openSingle(options, node).catch((e: unknown) => { failure = e; return undefined })
    if (single === undefined) continue
    const about = await aboutOf(single, nodes.length > 1).catch((e: unknown) => { single.destroy(); throw e })
    if (about.cluster) {
      single.destroy()
      return await openCluster(options)
    }
    const wrong = wrongWith(about, options)
    if (wrong === undefined) return single
    single.destroy()
    throw wrong
  }
  throw failure
}

interface About { readonly cluster: boolean, readonly replica: boolean }

/** A user that may not ask (NOPERM) has what was configured. */
async function aboutOf (link: Link, several: boolean): Promise<About> {
  try {
    const info = String(await link.send('', ['INFO'], true, false))
    return { cluster: /^redis_mode:cluster/m.test(info), replica: /^role:slave/m.test(info) }
  } catch (e) {
    if (e instanceof Error && e.message.startsWith('NOPERM')) return { cluster: several, replica: false }
    throw e
  }
}

function wrongWith ({ replica }: About, { nodes }: RedisOnlineOptions): LatidoError | undefined {
  const where = nodes.map(({ host, port }) => `${host}:${port}`).join(',')
  if (nodes.length > 1) return new LatidoError('CONFIG_INVALID', `--redis names several servers (${where}) that are not a cluster`, 'name one server, or nodes of one Redis Cluster')
  return replica ? readOnly(where, 'it is a replica') : undefined
}

async function openSingle (options: RedisOnlineOptions, node: RedisNode): Promise<Link> {
  const { createClient, RESP_TYPES } = await import('redis')
  const client = createClient(clientOptions(options, node))
  const binaryOptions = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } }
  const link: Link = {
    cluster: false,
    send: (_key, args, _readOnly, binary) => client.sendCommand(args, binary ? binaryOptions : undefined),
    destroy: () => { quietly(() => { client.destroy() }) },
  }
  return await connected(link, options, () => client.connect(), listener => { client.on('error', listener) })
}

async function openCluster (options: RedisOnlineOptions): Promise<Link> {
  const { createCluster, RESP_TYPES } = await import('redis')
  const cluster = createCluster({ rootNodes: options.nodes.map(({ host, port }) => ({ socket: { host, port } })), defaults: clientOptions(options) })
  const binaryOptions = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } }
  const link: Link = {
    cluster: true,
    send: (key, args, reads, binary) => cluster.sendCommand(key, reads, [...args], binary ? binaryOptions : undefined),
    destroy: () => { quietly(() => { cluster.destroy() }) },
  }
  return await connected(link, options, () => cluster.connect(), listener => { cluster.on('error', listener); cluster.on('node-error', listener) })
}

/** A server that takes the connection and then says nothing is given up too. */
async function connected (link: Link, { clock, connectTimeoutMs }: RedisOnlineOptions, connect: () => Promise<unknown>, onError: (listener: (e: unknown) => void) => void): Promise<Link> {
  let why: unknown
  onError((e: unknown) => { why ??= e }) // calls that fail because of it say so themselves; without a listener the process would end
  const over = new AbortController()
  try {
    await Promise.race([connect(), tooLate(clock.sleep(connectTimeoutMs, over.signal), connectTimeoutMs)])
    return link
  } catch (e) {
    link.destroy()
    throw isLatidoError(e) ? e : why ?? e
  } finally {
    over.abort()
  }
}

async function tooLate (slept: Promise<void>, ms: DurationMs): Promise<never> {
  await slept
  throw new Error(`no connection within ${ms / 1_000} s`)
}

/** The client throws where there is nothing to destroy any more. */
function quietly (run: () => void): void {
  try { run() } catch { /* it is closed, which is what was wanted */ }
}
