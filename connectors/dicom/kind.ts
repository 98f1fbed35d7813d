import { LatidoError } from '../../streams/errors/index.ts'
import { isLoopback, runSource, type Connector, type ConnectorContext, type ConnectorKind } from '../kit/index.ts'
import { Archive } from './archive.ts'
import { RestClient } from './client.ts'
import type { KnownStudy } from './known-studies.ts'
import { orthancMapper } from './map.ts'
import { orthancOptions, type OrthancOptions } from './options.ts'
import { OrthancSource } from './source.ts'

/** Follows the imaging studies of an Orthanc archive: new, grown, deleted. */
export const orthancConnector: ConnectorKind<OrthancOptions> = {
  kind: 'orthanc',
  summary: 'imaging studies of an Orthanc archive (DICOM)',
  options: orthancOptions,
  mapper: orthancMapper,
  start: (context, options) => Promise.resolve(startOrthanc(context, options)),
}

function startOrthanc ({ feed, clock, table, secret, say }: ConnectorContext, options: OrthancOptions): Connector {
  const client = new RestClient({ url: options.url, clock, login: loginOf(options, secret) })
  const source = new OrthancSource({ archive: new Archive(client), endpoint: endpointOf(options.url), options, table: table<KnownStudy>('studies'), clock, feed, say: line => { say(`${feed.name}: ${line}`) } })
  const running = runSource(source, { feed, clock, positions: table<string>('position'), limits: { pollEveryMs: options.pollEveryMs }, say })
  return {
    name: running.name,
    endpoint: running.endpoint,
    health: () => running.health(),
    async [Symbol.asyncDispose] () {
      await running[Symbol.asyncDispose]()
      client[Symbol.dispose]()
    },
  }
}

function loginOf ({ url, username, password, allowPlain }: OrthancOptions, secret: ConnectorContext['secret']): { readonly username: string, readonly password: string } | undefined {
  if (username === undefined && password === undefined) return undefined
  if (username === undefined || password === undefined) throw new LatidoError('CONFIG_INVALID', 'of username and password of the archive one is missing', 'set both, or neither')
  const { protocol, hostname } = new URL(url)
  if (protocol === 'http:' && !isLoopback(hostname.replace(/^\[|\]$/g, '')) && !allowPlain) throw new LatidoError('UNSAFE_CREDENTIALS', 'the password of the archive would go to another machine unencrypted', 'use its https address, or set allowPlain where the network between is private')
  return { username, password: secret(password) }
}

/** Without a login that somebody wrote into the address. */
function endpointOf (url: string): string { const { protocol, host, pathname } = new URL(url); return `${protocol}//${host}${pathname === '/' ? '' : pathname}` }
