import type { Connector, ConnectorContext, ConnectorKind } from '../kit/index.ts'
import { runSource, type Source } from '../kit/index.ts'
import { LatidoError } from '../../streams/errors/index.ts'
import { bulkSource, type ExportState } from './bulk/index.ts'
import { openServer, type FhirServer } from './open-server.ts'
import { newestFirst } from './newest-first.ts'
import { FHIR_OPTIONS, type FhirOptions } from './options.ts'
import { patientSource, systemSource } from './polling/index.ts'
import { PROFILES } from './profiles/index.ts'
import { fhirMapper } from './resources/index.ts'

/** Starts the mode in which the server calls. */
export type StartSubscription = (context: ConnectorContext, options: FhirOptions, server: FhirServer) => Promise<Connector>

/** FHIR R4 as a kind of connector; `subscription` provides the mode in which the server calls. */
export function fhirKind (modes: { readonly subscription?: StartSubscription }): ConnectorKind<FhirOptions> {
  return {
    kind: 'fhir',
    summary: 'a FHIR R4 server, read by polling, by bulk export or by subscription',
    options: FHIR_OPTIONS,
    mapper: ({ source }) => fhirMapper({ source }),
    listens: ({ mode, subscription }) => mode === 'subscription' && subscription !== undefined ? { host: subscription.host, port: subscription.port, option: ['subscription', 'port'] } : undefined,
    async start (context, options): Promise<Connector> {
      const server = await openServer(context, options)
      if (options.mode === 'subscription') {
        if (modes.subscription === undefined) throw new LatidoError('CONFIG_INVALID', 'this build has no subscriptions', 'use mode polling')
        return await modes.subscription(context, options, server)
      }
      const source = options.mode === 'bulk' ? bulk(context, options, server) : polling(options, server)
      const feed = newestFirst(context)
      return runSource(source, { feed, clock: context.clock, positions: context.table<string>('position'), limits: { pollEveryMs: options.pollEveryMs }, say: context.say })
    },
  }
}

/** The source that polls a server, as the options and its profile say; also what fills the gaps of a subscription. */
export function polling (options: FhirOptions, { client, references, count }: FhirServer): Source {
  const profile = PROFILES[options.profile]
  const pageSize = options.pageSize ?? profile.pageSize
  const { patients } = options
  if ((options.polling ?? profile.polling) === 'patient' && patients !== undefined) {
    return patientSource({ client, references, patients, searches: options.searches ?? profile.searches, pageSize, lookbackMs: options.lookbackMs, count })
  }
  return systemSource({
    client, references, types: options.types, filters: options.filters, pageSize, overlapMs: options.overlapMs,
    from: options.from === undefined ? { beforeNowMs: options.lookbackMs } : { at: options.from },
    paging: options.paging ?? profile.paging, sorted: options.sorted ?? profile.sorted, deletions: options.deletions ?? profile.deletions,
  })
}

const LINE_BYTES_MAX = 8 * 1024 * 1024

function bulk (context: ConnectorContext, options: FhirOptions, { client, references }: FhirServer): Source {
  return bulkSource({
    client, references, table: context.table<ExportState>('export'), path: options.group === undefined ? '$export' : `Group/${options.group}/$export`, types: exported(options.types), from: options.from,
    everyMs: options.exportEveryMs, lineBytesMax: LINE_BYTES_MAX, fileOrigins: options.fileOrigins, count: (what, n) => { context.feed.count(what, n) }, say: line => { context.say(`${context.feed.name}: ${line}`) },
  })
}

/** What the exported resources refer to is exported with them. */
function exported (types: readonly string[]): readonly string[] { return [...new Set(['Patient', 'Location', 'Medication', ...types])] }
