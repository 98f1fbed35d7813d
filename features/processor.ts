import type { BatchEffects, Emitted, Input, OutputRecord, Processor, RefusedRecord } from '../streams/engine/index.ts'
import { EventReader, TOPICS, unlessPending, type BedsideEvent, type EventCodecs, type MergeEvent, type PatientKey, type TransferEvent } from '../streams/events/index.ts'
import { addWhole, type RecordCursor } from '../streams/log/index.ts'
import { featuresMachine, type FeatureOutput, type PatientState } from './compute/index.ts'
import type { ArrivalTimeMs } from '../streams/time/index.ts'
import type { FeatureView } from './define/index.ts'
import { LatestRows } from './latest-rows.ts'
import type { OnlineStore } from './online/index.ts'
import { tableOf } from './serving/index.ts'
import { VectorPacker, type VectorCodec, type Written } from './vector-codec.ts'
import type { FeatureVector } from './vector.ts'

export interface FeaturesProcessorParts {
  readonly views: readonly FeatureView[]
  readonly codecs: EventCodecs
  readonly vectors: VectorCodec
  readonly online: OnlineStore
  readonly deadLetter: (refused: RefusedRecord) => OutputRecord
  readonly ownsTicks: boolean
  /** Told what became of each reading: added, replaced, withdrawn, duplicate, late. */
  readonly onApplied?: (applied: string) => void
  /** Views that stand beside the first ones, with a state of their own; see docs/feature-versions.md. */
  readonly generation?: FeaturesGeneration
}

/**
 * A features processor beside the first one (number 0): it has a consumer group and snapshots of its own, and says nothing but vectors. The first one
 * tells encounters on, owns the ticks, forwards the records of merged patients, and reports what cannot be read.
 */
export interface FeaturesGeneration {
  readonly number: number
  /** Those that speak, as `view@version`; the others are planned alone. */
  readonly running: ReadonlySet<string>
  /** What follows from records that arrived before stands in the online store alone, so that whoever is silent now is served too; the log hears of it from here on. */
  readonly since: ArrivalTimeMs
}

/** Transfers of several processors lie on one topic: each knows its own by this part of the version. */
const GENERATION_SHIFT = 1 << 16

/** The name of a generation's processor; also its consumer group. */
export function featuresProcessorName (generation: number): string { return generation === 0 ? 'latido-features' : `latido-features-${generation}` }

/** Outputs of one record that are told apart. Offsets up to 2^53 / 4,096 fit: 2 million million records of a partition. */
const OUTPUTS_PER_RECORD_MAX = 1 << 12

/**
 * The version of an online row: rises with (offset, index). A record that makes very many due (the first after an outage) has more outputs than are
 * told apart: its last ones share a version, and of one entity's rows a batch writes the newest alone (`LatestRows`).
 */
export function versionOf ({ offset, index }: { readonly offset: number, readonly index: number }): number { return offset * OUTPUTS_PER_RECORD_MAX + Math.min(index, OUTPUTS_PER_RECORD_MAX - 1) }

/** `latido.events` to `latido.features` and the online store. Encounters and acknowledgements go on in the same order. */
export async function featuresProcessor (parts: FeaturesProcessorParts): Promise<Processor<PatientState, BedsideEvent, FeatureOutput>> {
  const { codecs, vectors, online, views } = parts
  const forward = await codecs.on(TOPICS.features)
  const packer = new SharedPacker()
  const key = new KeyBytes()
  const idle: LatestRows[] = []
  const tables = tablesOf(views)
  const { number, running, since } = parts.generation ?? { number: 0, running: new Set(views.map(tableOf)), since: 0 }
  const machine = featuresMachine(views, parts.onApplied, 'shared')
  const isOurs = ({ out }: Emitted<FeatureOutput>): boolean => out.type === 'vector' ? running.has(tables.get(out.view)![out.version]!) : number === 0
  return {
    name: featuresProcessorName(number),
    input: TOPICS.events,
    // A generation's plan never changes, so a short name will do; the names of a hundred views would be too long a key.
    machine: number === 0 ? machine : { ...machine, name: `features generation ${number}` },
    decode: eventInput(codecs.book, number),
    forwards: number === 0,
    write: (emitted, out) => {
      if (emitted.at < since || !isOurs(emitted)) return
      const { out: told, at } = emitted
      const keyEnd = key.set(emitted.key)
      if (told.type === 'vector') {
        const { buffer, start, end } = vectors.write(told, packer.of(emitted, told), emitted.through)
        out(TOPICS.features).add(at, key.buffer, 0, keyEnd, buffer, start, end)
      } else if (told.type === 'arrival') {
        const to = Buffer.from(told.to)
        addWhole(out(TOPICS.events, to), at, to, codecs.encode(told.event))
      } else {
        const value = forward.encode(told)
        out(TOPICS.features).add(at, key.buffer, 0, keyEnd, value, 0, value.length)
      }
    },
    effects: () => new OnlineEffects(online, tables, packer, idle, isOurs),
    encodeTransfer: ({ from, via, version, state }) => codecs.encode({ type: 'transfer', from: from as PatientKey, via, version: version + number * GENERATION_SHIFT, state }),
    deadLetter: parts.deadLetter,
    tickTopics: number === 0 ? [TOPICS.features] : [],
    tick: forward.encode({ type: 'tick' }),
    ownsTicks: parts.ownsTicks && number === 0,
  }
}

/** The online table by name and version. */
function tablesOf (views: readonly FeatureView[]): ReadonlyMap<string, readonly string[]> {
  const tables = new Map<string, string[]>()
  for (const view of views) {
    const versions = tables.get(view.name) ?? []
    versions[view.version] = tableOf(view)
    tables.set(view.name, versions)
  }
  return tables
}

/** The record of one event as the machine's input: one object for all of them. */
function eventInput (book: EventCodecs['book'], generation: number): (record: RecordCursor) => Input<BedsideEvent> {
  const reader = new EventReader(book)
  const input: { readonly kind: 'record', key: string, value: BedsideEvent } = { kind: 'record', key: '', value: { type: 'tick' } }
  const tick: Input<BedsideEvent> = { kind: 'tick' }
  return record => {
    const decoded = reader.read(record)
    if (decoded.kind === 'refused') {
      const refused = unlessPending(book, record, decoded)
      return generation > 0 && refused.kind === 'refused' ? tick : refused
    }
    if (decoded.value.type === 'tick') return tick
    if (decoded.value.type === 'transfer' && Math.floor(decoded.value.version / GENERATION_SHIFT) !== generation) return tick
    if (decoded.value.type === 'encounter' && decoded.value.movedTo === reader.keyOf(record)) return tick // both records are one patient by now
    if (decoded.value.type === 'merge' || decoded.value.type === 'transfer') return merging(reader.keyOf(record), decoded.value)
    input.key = reader.keyOf(record)
    input.value = decoded.value
    return input
  }
}

/** What says that two patients are one, and what one of them brings. */
function merging (key: string, event: MergeEvent | TransferEvent): Input<BedsideEvent> {
  if (event.type === 'transfer') return { kind: 'transfer', transfer: { from: event.from, to: key, via: event.via, version: event.version % GENERATION_SHIFT, state: event.state } }
  return event.survivor === key ? { kind: 'refused', cause: 'payload-invalid', detail: 'a merge of a patient into itself' } : { kind: 'merge', key, survivor: event.survivor }
}

/** A vector goes to the log and to the online store: it is packed once for both. */
class SharedPacker {
  readonly #packer = new VectorPacker()
  #packed: { readonly of: object, readonly written: Written } | undefined

  of (emitted: object, vector: FeatureVector): Written {
    if (this.#packed?.of !== emitted) this.#packed = { of: emitted, written: { start: 0, end: this.#packer.pack(vector), buffer: this.#packer.buffer } }
    return this.#packed.written
  }
}

/** A key's bytes in one buffer. */
class KeyBytes {
  buffer: Buffer = Buffer.allocUnsafeSlow(64)

  /** Answers their end. Latin1, as keys are read. */
  set (key: string): number {
    if (key.length > this.buffer.length) this.buffer = Buffer.allocUnsafeSlow(key.length * 2)
    return this.buffer.write(key, 'latin1')
  }
}

const AS_OF_BYTES = 8

/** The newest vector of each patient in a batch, and encounters, to the online store. */
class OnlineEffects implements BatchEffects<FeatureOutput> {
  readonly #online: OnlineStore
  readonly #tables: ReadonlyMap<string, readonly string[]>
  readonly #packer: SharedPacker
  readonly #idle: LatestRows[]
  readonly #rows: LatestRows
  readonly #isOurs: (emitted: Emitted<FeatureOutput>) => boolean

  constructor (online: OnlineStore, tables: ReadonlyMap<string, readonly string[]>, packer: SharedPacker, idle: LatestRows[], isOurs: (emitted: Emitted<FeatureOutput>) => boolean) {
    this.#isOurs = isOurs
    this.#online = online
    this.#tables = tables
    this.#packer = packer
    this.#idle = idle
    this.#rows = idle.pop() ?? new LatestRows()
  }

  add (emitted: Emitted<FeatureOutput>): void {
    if (!this.#isOurs(emitted)) return
    const { key, out } = emitted
    if (out.type === 'vector') this.#vector(this.#tables.get(out.view)![out.version]!, key, versionOf(emitted), out, this.#packer.of(emitted, out))
    if (out.type === 'encounter') {
      const value = Buffer.from(JSON.stringify(out))
      const { buffer, start } = this.#rows.reserve(value.length)
      value.copy(buffer, start)
      this.#rows.add('encounters', key, versionOf(emitted), value.length)
    }
  }

  /** As `onlineValue` has it: asOf, then the packed vector. */
  #vector (table: string, key: string, version: number, { asOf }: FeatureVector, packed: Written): void {
    const bytes = AS_OF_BYTES + packed.end - packed.start
    const { buffer, start } = this.#rows.reserve(bytes)
    buffer.writeDoubleLE(asOf, start)
    packed.buffer.copy(buffer, start + AS_OF_BYTES, packed.start, packed.end)
    this.#rows.add(table, key, version, bytes)
  }

  async carryOut (): Promise<void> {
    await this.#rows.put(this.#online)
    this.#idle.push(this.#rows)
  }
}
