import type { ConnectorKind, FeedMapping } from '../kit/index.ts'

/**
 * The other side: a real counterparty or a fake of it, which behaves as the real one does. It keeps what was not acknowledged and offers it again, as
 * soon as a connector is there.
 */
export interface Counterparty<Options> extends AsyncDisposable {
  /** What the connector is started with; asked at each start. */
  options (): Options
  /** The connector listens here now; a counterparty that calls may call. Not called for a connector that reads. */
  connected? (endpoint: string): void
  /** The connector is gone. */
  disconnected? (): void
  /** Takes over messages; each is offered to the connector until it is acknowledged. */
  offer (messages: readonly Buffer[]): void
  /**
   * How many of the messages that were offered are delivered: acknowledged, or, where the connector reads, before the position that it kept
   * (`kept('position')` has the rows of its table of that name).
   */
  delivered (kept: (table: string) => ReadonlyMap<string, unknown>): number
  /** How many of them the connector has got hold of; for a counterparty that is read and counts what it hands out. */
  handedOut? (): number
}

/** What a connector brings to be tried: its kind, a counterparty, and messages. */
export interface ConformanceHarness<Options> {
  readonly kind: ConnectorKind<Options>
  readonly mapping?: FeedMapping
  open (): Promise<Counterparty<Options>>
  /** Message `n` of patient `patient`: one event on the log, later than the one before. */
  message (patient: string, n: number): Buffer
  /** A message that can never be taken: it becomes a dead letter, and is regarded as delivered. */
  readonly poison: Buffer
  /** True where the counterparty keeps the order of one patient's messages. Default true. */
  readonly ordered?: boolean
  /** The most messages that may be on their way to the log at once. Default 64. */
  readonly inFlightMax?: number
}
