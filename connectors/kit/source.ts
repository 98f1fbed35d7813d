import type { Clock } from '../../streams/time/index.ts'

/** One message of a source that is read (polled, followed, listed), rather than one that calls. */
export interface SourceMessage {
  readonly raw: Buffer
  /** Where to go on after this message; kept when the log has it. Absent: as before. */
  readonly position?: string
  /** Tells the counterparty that the message is ours now. */
  readonly acknowledge?: () => Promise<void>
}

export interface SourceSession {
  /** What the last message that was taken said; undefined at the very first. */
  readonly position: string | undefined
  readonly clock: Clock
  /** Aborted when the connector is to stop. */
  readonly signal: AbortSignal
}

/** A source that is read. The whole of what a pulling connector has to write, beside its mapper. */
export interface Source {
  /** Where it reads, for people; without credentials. */
  readonly endpoint: string
  /**
   * One connection: yields messages until it has no more (it is asked again after `pollEveryMs`), throws when the counterparty is away (it is asked
   * again after a pause that grows), or ends at the signal. It is not asked for the next message before the last one is in the log.
   */
  read (session: SourceSession): AsyncIterable<SourceMessage>
}
