import type { ConnectorContext, Feed, MessageMapper } from '../../kit/index.ts'

/** One record of a file, as a message that can be read alone. */
export interface FileRecord {
  readonly raw: Buffer
  /** False where the end of the file ended it, and not its own end: of a file that is still being written it may be half a record. */
  readonly whole: boolean
}

/** What takes a file's records: the feed itself, or what stands before it and keeps what is newer. */
export type TakesRecords = Pick<Feed, 'name' | 'take' | 'fail' | 'count'>
export type InOrder = (context: Pick<ConnectorContext, 'feed' | 'table'>) => TakesRecords

/** A file that is being taken. */
export interface TakenFile {
  readonly path: string
  /** What messages may call it; a file in a drop folder may be named after a patient. */
  readonly name: string
  /** Of its first bytes when it was first seen: stays when it grows. Part of the identity of its records. */
  readonly identity: string
  /** Its content, unpacked where it is gzip. */
  content (): AsyncIterable<Buffer>
  /** Something to say to an operator, without values or identifiers. */
  remark (what: string): void
  count (what: string): void
}

/** How files of one kind are cut into records, and how a record becomes events. */
export interface FileFormat {
  readonly name: string
  /** Names of the files that a folder is searched for. */
  readonly endings: RegExp
  /**
   * The files that belong to `path`, itself among them, in a fixed order: they are one. undefined: not all are there yet. Without this member it stands
   * alone. Throws FILE_UNREADABLE or FILE_INVALID.
   */
  parts? (path: string): Promise<readonly string[] | undefined>
  /** Its records depend on all of the file: one that has grown is another. */
  readonly atOnce?: boolean
  /** The same file gives the same records in the same order. Throws FILE_INVALID where it cannot go on. */
  records (file: TakenFile): AsyncIterable<FileRecord>
  readonly map: MessageMapper
  /** Where records have versions. Without this member the feed takes them as they come. */
  readonly inOrder?: InOrder
}
