import { z } from 'zod'
import { readShape, unknownName } from '../../../streams/shapes/index.ts'
import { Feed, lateResultsOf, type Connector, type ConnectorContext, type ConnectorKind, type Fault, type Intake, type ListensAt, type MappingTable } from '../../../connectors/kit/index.ts'

/** What is wrong with the options of a feed's file. */
export interface OptionFault {
  /** Where: `['tls', 'certificate']`; empty: the options as a whole. */
  readonly path: readonly string[]
  readonly why: string
}

/** A feed of some kind, and its start. */
export interface PreparedFeed {
  readonly feed: Feed
  /** Before anything is taken, by who starts another connector over the feed than its own. */
  guard (context: Pick<ConnectorContext, 'table'>): void
  start (context: Omit<ConnectorContext, 'feed'>): Promise<Connector>
}

/** Options that were checked, ready for a feed. */
export interface ConfiguredKind { prepare (parts: { readonly name: string, readonly intake: Intake, readonly mapping: MappingTable }): PreparedFeed }

/** `listens`: where it will, with these options. */
export type Configured = { readonly kind: 'ok', readonly configured: ConfiguredKind, readonly listens: ListensAt | undefined } | { readonly kind: 'invalid', readonly faults: readonly OptionFault[] }

/** A kind of connector whose options nobody outside it knows: what a list of all kinds holds. */
export interface AnyKind {
  readonly kind: string
  readonly summary: string
  /** Names of the options; empty where the kind does not say. */
  readonly optionNames: readonly string[]
  configure (options: unknown): Configured
}

export function anyKind<Options, F extends Fault> (kind: ConnectorKind<Options, F>): AnyKind {
  const optionNames = kind.options instanceof z.ZodObject ? Object.keys(kind.options.shape) : []
  return {
    kind: kind.kind,
    summary: kind.summary,
    optionNames,
    configure: raw => {
      const read = readShape(kind.options, raw, 'shown')
      const wrong = read.kind === 'ok' ? [] : read.faults.map(({ path, why }) => ({ path: path.map(String), why }))
      const faults = [...unknownOptions(raw, optionNames).filter(({ path: [name] }) => !wrong.some(({ path }) => path.length === 1 && path[0] === name)), ...wrong]
      if (read.kind === 'invalid' || faults.length > 0) return { kind: 'invalid', faults }
      return { kind: 'ok', listens: kind.listens?.(read.value), configured: { prepare: parts => prepared(kind, read.value, parts) } }
    },
  }
}

function prepared<Options, F extends Fault> (kind: ConnectorKind<Options, F>, options: Options, { name, intake, mapping }: Parameters<ConfiguredKind['prepare']>[0]): PreparedFeed {
  const late = lateResultsOf(kind, options, { intake, mapping })
  const feed = new Feed<F>({ name, kind: kind.kind, intake: late ?? intake, mapping, map: kind.mapper(options) })
  const guard: PreparedFeed['guard'] = ({ table }) => { late?.guard(feed, table('late-results')) }
  return { feed, guard, start: context => { guard(context); return kind.start({ ...context, feed }, options) } }
}

/** An option that is spelt wrong would be without effect, in silence. */
function unknownOptions (raw: unknown, names: readonly string[]): readonly OptionFault[] {
  if (names.length === 0 || typeof raw !== 'object' || raw === null) return []
  return Object.keys(raw).filter(name => !names.includes(name)).map(name => ({ path: [name], why: unknownName(name, names) }))
}
