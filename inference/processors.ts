import { viewKey } from '../features/define/index.ts'
import type { BatchEffects, Emitted, Input, OutputRecord, Processor, RefusedRecord } from '../streams/engine/index.ts'
import { decodeEvent, patientKeyOf, readOrRefuse, TOPICS, unlessPending, type EventCodecs } from '../streams/events/index.ts'
import { addWhole, type RecordCursor, type RecordSink } from '../streams/log/index.ts'
import type { ArrivalTimeMs, DurationMs } from '../streams/time/index.ts'
import { versionOf } from '../features/processor.ts'
import type { OnlineRow, OnlineStore } from '../features/online/index.ts'
import type { VectorCodec } from '../features/vector-codec.ts'
import { ALERT_VIEWS, alertsMachine, type AlertInput, type AlertOptions, type AlertOutput, type AlertsState, type DriftResult, type NamesOf, type ScoredVector } from './alerts/index.ts'
import type { InferenceCodecs } from './codecs.ts'
import { driftCountsMachine, driftMachine, type DriftCounts, type DriftCountState, type DriftReference, type DriftState, type WatchedVector } from './monitors/index.ts'
import { scoreBatch, type ServingModel } from './scoring/score-batch.ts'

export interface InferenceParts {
  readonly codecs: EventCodecs
  readonly vectors: VectorCodec
  readonly inference: InferenceCodecs
  readonly online: OnlineStore
  readonly deadLetter: (refused: RefusedRecord) => OutputRecord
}

/** Tables of the online store that this folder writes; values are JSON. */
export const ONLINE_TABLES = { scores: 'scores', alerts: 'alerts', drift: 'drift' } as const

/** `latido.features` to `latido.scores`, `latido.alerts` and their online tables: scores every vector of a model's view, then alerts. */
export async function inferenceProcessor (parts: InferenceParts, options: { readonly models: readonly ServingModel[], readonly alerts: AlertOptions, readonly namesOf: NamesOf }): Promise<Processor<AlertsState, AlertInput, AlertOutput>> {
  const { inference, online } = parts
  const tick = (await parts.codecs.on(TOPICS.features)).encode({ type: 'tick' })
  const read = new Set([...ALERT_VIEWS, ...options.models.map(m => m.view)])
  return {
    name: 'latido-inference',
    input: TOPICS.features,
    machine: alertsMachine(options.alerts, options.namesOf),
    decode: record => decodeFeatures(parts, record, read),
    prepare: async batch => { await scoreBatch(options.models, batch.filter((i): i is ScoredVector => i.type === 'scored')) },
    write: ({ key, out, at }, to) => {
      if (out.type === 'score') addRecord(to(TOPICS.scores), at, key, inference.encodeScore(out.score))
      if (out.type === 'change') addRecord(to(TOPICS.alerts), at, key, inference.encodeAlert(out.change))
    },
    effects: () => new InferenceEffects(online),
    deadLetter: parts.deadLetter,
    tickTopics: [],
    tick,
    ownsTicks: false,
  }
}

/** `latido.features` to `latido.drift-counts`: each partition's counts, a window at a time. */
export async function driftCountsProcessor (parts: InferenceParts, references: readonly DriftReference[], windowMs: DurationMs): Promise<Processor<DriftCountState, WatchedVector, DriftCounts>> {
  const watched = new Set(references.map(viewKey))
  const read = new Set(references.map(r => r.view))
  const tick = (await parts.codecs.on(TOPICS.driftCounts)).encode({ type: 'tick' })
  return {
    name: 'latido-drift-counts',
    input: TOPICS.features,
    machine: driftCountsMachine(references, windowMs),
    decode: record => {
      const input = decodeFeatures(parts, record, read)
      if (input.kind !== 'record') return input.kind === 'refused' ? { kind: 'tick' } : input // the inference processor reports it
      if (input.value.type !== 'scored') return { kind: 'tick' }
      const key = viewKey(input.value.vector)
      return watched.has(key) ? { kind: 'record', key, value: { patient: input.key, vector: input.value.vector } } : { kind: 'tick' }
    },
    write: ({ key, out, at }, to) => { addRecord(to(TOPICS.driftCounts), at, key, parts.inference.encodeDriftCounts(out)) },
    deadLetter: parts.deadLetter,
    tickTopics: [TOPICS.driftCounts],
    tick,
    ownsTicks: false,
  }
}

/** `latido.drift-counts` to `latido.drift` and its online table. */
export async function driftProcessor (parts: InferenceParts, references: readonly DriftReference[], graceMs: DurationMs): Promise<Processor<DriftState, DriftCounts, DriftResult>> {
  return {
    name: 'latido-drift',
    input: TOPICS.driftCounts,
    machine: driftMachine(references, graceMs),
    decode: record => {
      if (isTick(parts, record)) return { kind: 'tick' }
      return readOrRefuse(parts.codecs.book, record, () => {
        const counts = parts.inference.decode(record) as DriftCounts
        return { kind: 'record', key: viewKey(counts), value: counts }
      })
    },
    write: ({ key, out, at }, to) => { addRecord(to(TOPICS.drift), at, key, parts.inference.encodeDrift(out)) },
    effects: () => {
      const rows: OnlineRow[] = []
      return {
        add: e => { rows.push({ table: ONLINE_TABLES.drift, entity: `${e.key}/${e.out.feature}`, version: versionOf(e), value: json(e.out) }) },
        carryOut: async () => { await parts.online.put(rows) },
      }
    },
    deadLetter: parts.deadLetter,
    tickTopics: [],
    tick: (await parts.codecs.on(TOPICS.driftCounts)).encode({ type: 'tick' }),
    ownsTicks: false,
  }
}

/** A vector of a view that nobody here reads only moves the clock. */
function decodeFeatures (parts: InferenceParts, record: RecordCursor, views: ReadonlySet<string>): Input<AlertInput> {
  const { valueBuffer, valueStart, valueEnd } = record
  if (parts.codecs.book.nameOf(valueBuffer, valueStart, valueEnd) === 'latido.FeatureVector') {
    if (!views.has(parts.vectors.viewOf(valueBuffer, valueStart))) return { kind: 'tick' }
    return readOrRefuse(parts.codecs.book, record, () => ({ kind: 'record', key: patientKeyOf(record), value: { type: 'scored', vector: parts.vectors.lay(valueBuffer, valueStart, valueEnd), score: undefined } }))
  }
  const decoded = decodeEvent(parts.codecs.book, record)
  if (decoded.kind === 'refused') return unlessPending(parts.codecs.book, record, decoded)
  return decoded.value.type === 'encounter' || decoded.value.type === 'acknowledgement' || decoded.value.type === 'merge' ? { kind: 'record', key: patientKeyOf(record), value: decoded.value } : { kind: 'tick' }
}

function isTick (parts: InferenceParts, { valueBuffer, valueStart, valueEnd }: RecordCursor): boolean { return parts.codecs.book.nameOf(valueBuffer, valueStart, valueEnd) === 'latido.Tick' }

function addRecord (sink: RecordSink, at: ArrivalTimeMs, key: string, value: Buffer): void {
  addWhole(sink, at, Buffer.from(key), value)
}

/** The newest score and the newest open alerts of each patient in a batch. */
class InferenceEffects implements BatchEffects<AlertOutput> {
  readonly #online: OnlineStore
  readonly #scores = new Map<string, OnlineRow>()
  readonly #alerts = new Map<string, OnlineRow>()

  constructor (online: OnlineStore) { this.#online = online }

  add (e: Emitted<AlertOutput>): void {
    if (e.out.type === 'score') this.#scores.set(e.key, { table: ONLINE_TABLES.scores, entity: e.key, version: versionOf(e), value: json(e.out.score) })
    if (e.out.type === 'open') this.#alerts.set(e.key, { table: ONLINE_TABLES.alerts, entity: e.key, version: versionOf(e), value: json(e.out.alerts) })
  }

  async carryOut (): Promise<void> {
    await this.#online.put([...this.#scores.values(), ...this.#alerts.values()])
  }
}

function json (value: unknown): Buffer { return Buffer.from(JSON.stringify(value)) }
