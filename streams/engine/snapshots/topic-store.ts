import type { Log, OutRecord, RecordCursor, TopicPartition, TopicSpec, TransactionalProducer } from '../../log/index.ts'
import { openLmdb } from '../../lmdb/index.ts'
import type { Clock, DurationMs } from '../../time/index.ts'
import { LmdbSnapshotStore, type Position } from './lmdb-store.ts'
import type { FoundRow, PartitionSnapshot, SnapshotsOf, SnapshotStore } from './port.ts'
import { decodeRow, encodeRow, ROW_FORMAT, type Marker, type SnapshotRound, type SnapshotRow } from './row.ts'

/**
 * The local copy may trail the topic by this much. Compaction drops a deletion a day after it was written (Kafka: delete.retention.ms); a copy
 * that is older could miss one and bring a key back.
 */
const COPY_AGE_MAX_MS: DurationMs = 12 * 3_600_000
/** How often the end of the topic is asked for, so that the next start reads only what is behind it. */
const POSITION_EVERY_MS: DurationMs = 30_000

/** The topic of a processor's snapshots: as many partitions as its input, and only the newest row of a key needs to stay. */
export function snapshotTopic (processor: string, partitions: number): TopicSpec {
  return { name: snapshotTopicName(processor), partitions, timestamps: 'create', retentionMs: 0, cleanup: 'compact' }
}

export function snapshotTopicName (processor: string): string { return `${processor}.snapshots` }

export interface TopicSnapshotsOptions { readonly log: Log, readonly clock: Clock, readonly directory: string }

/**
 * Snapshots in a compacted topic, with a copy on local disk for a fast restart. A round is written inside the transaction of the next commit:
 * an instance that has lost its partition cannot commit, so none of its rows can win the compaction over its heir's (KIP-447 fencing).
 * The copy is the fold of a prefix of the topic, never more: it gets a round after its commit, and a load folds in what stands behind it.
 */
export function openTopicSnapshots (options: TopicSnapshotsOptions): SnapshotStore { return new TopicSnapshots(options) }

/** The newest row of one key in the topic, read from its beginning: for a look from outside, without a copy. */
export async function findInTopic (log: Log, of: SnapshotsOf, key: string): Promise<FoundRow | undefined> {
  let row: SnapshotRow | null | undefined
  let marker: Marker | undefined
  const reader = log.reader(topicOf(of), 0)
  for (let run = await reader.next(); run !== undefined; run = await reader.next()) {
    const told = read(of, run.records)
    if (told.rows.has(key)) row = told.rows.get(key)
    marker = told.marker ?? marker
  }
  return row === undefined || row === null || marker === undefined ? undefined : { row, marker }
}

class TopicSnapshots implements SnapshotStore {
  readonly #log: Log
  readonly #clock: Clock
  readonly #copy: LmdbSnapshotStore
  /** Poison that no commit has passed over yet. */
  readonly #poison = new Map<string, string[]>()
  /** End of the topic, read after a save: the copy has all below it if the next commit proves that nobody else wrote meanwhile. */
  readonly #ends = new Map<string, Position>()

  constructor ({ log, clock, directory }: TopicSnapshotsOptions) {
    this.#log = log
    this.#clock = clock
    this.#copy = new LmdbSnapshotStore(openLmdb(directory, 'the local copy of the snapshots'))
  }

  async load (of: SnapshotsOf, how: 'eager' | 'lazy' = 'lazy'): Promise<PartitionSnapshot> {
    this.#ends.delete(nameOf(of))
    await this.#catchUp(of, () => {})
    const { rows, marker, poison } = await this.#copy.load(of, how)
    return { rows, marker, poison: new Set([...poison, ...this.#poison.get(nameOf(of)) ?? []]) }
  }

  async follow (of: SnapshotsOf, stored: (row: SnapshotRow) => void): Promise<void> { await this.#catchUp(of, stored) }

  carry (of: SnapshotsOf, round: SnapshotRound | undefined, transaction: TransactionalProducer): void {
    const records: OutRecord[] = (this.#poison.get(nameOf(of)) ?? []).map(poison => ({ key: poisonKey(of, poison), value: Buffer.alloc(0), timestamp: 0 }))
    if (round !== undefined) {
      const timestamp = round.marker.clock
      for (const row of round.rows) records.push({ key: rowKey(of, row.key), value: encodeRow(row), timestamp })
      for (const key of round.removed ?? []) records.push({ key: rowKey(of, key), value: null, timestamp })
      records.push({ key: markerKey(of), value: encodeMarker(round.marker), timestamp })
    }
    if (records.length > 0) transaction.append(topicOf(of), records)
  }

  async carried (of: SnapshotsOf, round: SnapshotRound | undefined): Promise<void> {
    const name = nameOf(of)
    for (const poison of this.#poison.get(name) ?? []) await this.#copy.addPoison(of, poison)
    this.#poison.delete(name)
    if (round !== undefined) await this.save(of, round)
  }

  release (of: SnapshotsOf): void {
    this.#poison.delete(nameOf(of))
    this.#ends.delete(nameOf(of))
  }

  async save (of: SnapshotsOf, round: SnapshotRound): Promise<void> {
    const name = nameOf(of)
    const end = this.#ends.get(name)
    await this.#copy.save(of, round, end)
    const atMs = this.#clock.now()
    const known = end ?? this.#copy.position(of)
    this.#ends.delete(name)
    if (known !== undefined && atMs - known.atMs < POSITION_EVERY_MS) return
    this.#ends.set(name, { offset: (await this.#log.range(topicOf(of))).end, atMs })
  }

  addPoison (of: SnapshotsOf, poison: string): Promise<void> {
    const waiting = this.#poison.get(nameOf(of))
    if (waiting === undefined) this.#poison.set(nameOf(of), [poison])
    else waiting.push(poison)
    return Promise.resolve()
  }

  async [Symbol.asyncDispose] (): Promise<void> { await this.#copy[Symbol.asyncDispose]() }

  /** Folds into the copy what the topic has behind it; a copy that is too old, or of another topic, begins anew. */
  async #catchUp (of: SnapshotsOf, stored: (row: SnapshotRow) => void): Promise<void> {
    const atMs = this.#clock.now()
    const position = this.#copy.position(of)
    const { end } = await this.#log.range(topicOf(of))
    const usable = position !== undefined && position.offset <= end && atMs - position.atMs < COPY_AGE_MAX_MS
    if (!usable) await this.#copy.clear(of)
    let marker: Marker | undefined
    let offset = usable ? position.offset : 0
    const reader = this.#log.reader(topicOf(of), offset)
    for (let run = await reader.next(); run !== undefined; run = await reader.next()) {
      const { rows, poison, marker: newer } = read(of, run.records)
      await this.#copy.fold(of, rows) // a crash between here and `mark` is harmless: the same records are folded in again
      for (const name of poison) await this.#copy.addPoison(of, name)
      for (const row of rows.values()) if (row !== null) stored(row)
      marker = newer ?? marker
      offset = run.nextOffset
    }
    await this.#copy.mark(of, marker, { offset, atMs })
  }
}

interface Told { readonly rows: ReadonlyMap<string, SnapshotRow | null>, readonly poison: readonly string[], readonly marker: Marker | undefined }

/** What a run of the topic says of one machine; the last word on a key counts. */
function read (of: SnapshotsOf, records: RecordCursor): Told {
  const rows = new Map<string, SnapshotRow | null>()
  const poison: string[] = []
  let marker: Marker | undefined
  const rowHead = rowKey(of, '').toString()
  const poisonHead = poisonKey(of, '').toString()
  const mark = markerKey(of).toString()
  while (records.next()) {
    const key = records.keyBuffer.toString('utf8', Math.max(records.keyStart, 0), Math.max(records.keyEnd, 0))
    if (key.startsWith(rowHead)) {
      const name = key.slice(rowHead.length)
      rows.set(name, records.valueStart < 0 ? null : decodeRow(name, Buffer.from(records.valueBuffer.subarray(records.valueStart, records.valueEnd))))
    } else if (key === mark && records.valueStart >= 0) marker = decodeMarker(records.valueBuffer, records.valueStart)
    else if (key.startsWith(poisonHead)) poison.push(key.slice(poisonHead.length))
  }
  return { rows, poison, marker }
}

// Keys of the topic. The version stands in the key: an upgraded instance and one that is rolled back keep rows of their own.
function rowKey ({ machine, version }: SnapshotsOf, key: string): Buffer { return Buffer.from(`row|${machine}|${version}.${ROW_FORMAT}|${key}`) }
function markerKey ({ machine, version }: SnapshotsOf): Buffer { return Buffer.from(`marker|${machine}|${version}.${ROW_FORMAT}`) }
function poisonKey ({ machine }: SnapshotsOf, poison: string): Buffer { return Buffer.from(`poison|${machine}|${poison}`) }

function encodeMarker ({ offset, clock }: Marker): Buffer {
  const value = Buffer.allocUnsafe(16)
  value.writeDoubleLE(offset, 0)
  value.writeDoubleLE(clock, 8)
  return value
}

function decodeMarker (buffer: Buffer, at: number): Marker { return { offset: buffer.readDoubleLE(at), clock: buffer.readDoubleLE(at + 8) } }

function topicOf ({ processor, partition }: SnapshotsOf): TopicPartition { return { topic: snapshotTopicName(processor), partition } }
function nameOf ({ machine, partition }: SnapshotsOf): string { return `${machine}/${partition}` }
