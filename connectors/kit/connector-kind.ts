import type { z } from 'zod'
import type { Clock, EventTimeMs } from '../../streams/time/index.ts'
import type { Feed, MapContext, MessageMapper } from './feed.ts'
import type { Fault } from './outcome.ts'
import type { Connector } from './port.ts'

/** A result as a message names it. `patient`: as far as it can be told whose it is. */
export interface ResultName {
  readonly patient: string | undefined
  readonly resultId: string
  /**
   * Of a row of a table, whose number names a result within its patient and its concept alone. Without a number it is known by its moment: what a row of another
   * file says of the same concept at that moment is newer. `file`: how the identities of results out of its own file begin.
   */
  readonly row?: { readonly file: string, readonly at?: EventTimeMs }
}

/** A secret as configuration names it: where it stands, never what it is. */
export type SecretRef = { readonly file: string } | { readonly env: string }

/** A table of a connector's that outlives the process: values are JSON, sealed on disk (they may name patients). */
export interface KeptTable<T> {
  load (): Iterable<readonly [key: string, value: T]>
  /** Resolves when it is on disk. `undefined` takes the row away. */
  save (key: string, value: T | undefined): Promise<void>
}

/** What a connector is started with. */
export interface ConnectorContext<F extends Fault = Fault> {
  readonly feed: Feed<F>
  readonly clock: Clock
  /** Opens the feed's table `name`; once each. */
  table<T> (name: string): KeptTable<T>
  /** The secret's text without the white space around it. Throws FILE_UNREADABLE, FILE_INVALID or CONFIG_INVALID. */
  secret (ref: SecretRef): string
  /** For operators: changes of state, never one a message, never a value or an identifier. A line begins with the feed's name. */
  say (line: string): void
}

/** An address that a connector listens at. Port 0: any that is free. */
export interface ListensAt {
  readonly host: string
  readonly port: number
  /** Where the options say the port. Default: `port`. */
  readonly option?: readonly string[]
}

/** A kind of connector: what a feed's configuration may say for it, how it maps, how it starts. To write a connector is to write one of these. */
export interface ConnectorKind<Options, F extends Fault = Fault> {
  /** `hl7`: stands in configuration, counters and sources. */
  readonly kind: string
  readonly summary: string
  /** The feed file's `options`; each with its default. */
  readonly options: z.ZodType<Options>
  /** Built once a feed; also reads dead letters again. */
  mapper (options: Options): MessageMapper<F>
  /** Where it listens with these options: two feeds on one port, or one on the dashboards', are told before any starts. Absent, or undefined: nowhere. */
  listens? (options: Options): ListensAt | undefined
  /**
   * The results that a refused message speaks of, as those would be named that replace or withdraw them. With it a dead letter that is retried leaves out
   * what a newer message has said of the same result. Absent: its results have no identity, or it guards its retries itself.
   */
  resultsIn? (raw: Buffer, context: MapContext, options: Options): readonly ResultName[]
  /** Throws PORT_IN_USE, UNSAFE_EXPOSURE, CONFIG_INVALID: what a person must mend before it can run. A counterparty that is away is no reason. */
  start (context: ConnectorContext<F>, options: Options): Promise<Connector>
}
