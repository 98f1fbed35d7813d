import { randomUUID } from 'node:crypto'
import type { Intake, OutboundBatch, OutboundItem, OutboundLane, OutboundPlace, OutboundSource, SourceIdentity } from '../../../connectors/kit/index.ts'
import type { FeatureView } from '../../../features/define/index.ts'
import type { OnlineStore } from '../../../features/online/index.ts'
import type { VectorCodec } from '../../../features/vector-codec.ts'
import type { AlertChange, Score } from '../../../inference/alerts/index.ts'
import type { InferenceCodecs } from '../../../inference/codecs.ts'
import { type EncounterEvent, type EventCodecs, type PatientKey, patientKeyOf, TOPICS } from '../../../streams/events/index.ts'
import type { Consumer, Log, OffsetCommit, RecordCursor, Run, TopicPartition } from '../../../streams/log/index.ts'
import { isLatidoError } from '../../../streams/errors/index.ts'
import type { Clock, DurationMs } from '../../../streams/time/index.ts'
import type { IdentityVault } from '../../security/index.ts'
import { ScoreChanges, type FoundScore, type HeldScore, type ScoreChangesOptions } from './score-changes.ts'
import type { Stores } from '../stores.ts'

export interface OutboundSourceOptions {
  readonly log: Log
  readonly lane: OutboundLane
  /** Clinical scores, which are read from the vectors; absent: none. Only in the lane of scores. */
  readonly clinical?: Omit<ScoreChangesOptions, 'clock'> | undefined
  readonly vectors: Pick<VectorCodec, 'viewOf' | 'lay'>
  readonly clock: Clock
  /** Its offsets are the position: one group a counterparty and lane. */
  readonly group: string
  /** Names this member for its life. */
  readonly instance: string
  readonly codecs: EventCodecs
  readonly inference: InferenceCodecs
  readonly online: Pick<OnlineStore, 'get'>
  readonly identityOf: (patient: PatientKey) => SourceIdentity | undefined | Promise<SourceIdentity | undefined>
  /** Items handed over together: all of them come again when the process ends among them. */
  readonly itemsMax: number
  readonly onCount: (what: string) => void
}

/** What whoever sends out is built from. */
export interface OutboundParts {
  readonly stores: Stores
  readonly vault: Pick<IdentityVault, 'find'>
  readonly intake: Pick<Intake, 'refuse' | 'count'>
  readonly clock: Clock
  /** Of patients, as they are served now. */
  readonly views: () => readonly FeatureView[]
  readonly say?: (line: string) => void
}

/** How many items a counterparty takes at a time, and which clinical scores it wants. */
export interface OutboundWants extends Pick<ScoreChangesOptions, 'scores' | 'everyMs'> { readonly itemsMax: number }

/** A lane of the counterparty `name`: its group is named after it. */
export function openOutboundSource (name: string, lane: OutboundLane, { stores: { log, codecs, inference, online, vectors }, vault, intake, clock, views }: OutboundParts, { itemsMax, scores, everyMs }: OutboundWants): OutboundSource {
  return logOutboundSource({
    log, lane, codecs, inference, online, vectors, clock, itemsMax, group: lane === 'alerts' ? `latido-${name}` : `latido-${name}-scores`, instance: randomUUID(),
    identityOf: patient => vault.find(patient), onCount: what => { intake.count(name, what) }, clinical: lane === 'scores' && scores.length > 0 ? { scores, everyMs, views } : undefined,
  })
}

/** What was found on the log; who it is about is looked up when it is handed over, so that a store that is away loses nothing. */
type Found = { readonly kind: 'change', readonly patient: PatientKey, readonly value: AlertChange | Score } | { readonly kind: 'clinical', readonly found: FoundScore, readonly held?: HeldScore }
interface Waiting { readonly what: Found | undefined, readonly done?: OffsetCommit }
interface Taken extends Waiting { readonly item: OutboundItem | undefined }

/** Progress over records that nobody is sent is kept so often: features come without a pause. */
const IDLE_COMMIT_MS = 5_000

/**
 * Alerts, or scores, of the log with who they are about, for a counterparty outside. A group begins at the end of the log: what was raised before it was
 * configured is nobody's news. From then on its offsets say how far it is.
 */
export function logOutboundSource (options: OutboundSourceOptions): OutboundSource { return new LogOutboundSource(options) }

class LogOutboundSource implements OutboundSource {
  readonly #options: OutboundSourceOptions
  #consumer: Consumer
  #changes: ScoreChanges | undefined
  #waiting: Waiting[] = []
  /** Ends of partitions that the group sees for the first time: to be committed, so that a restart before the first item finds them. */
  #begun: OffsetCommit[] = []
  /** The offset that comes next, by partition, where a gap means that something was not told. */
  readonly #expected = new Map<string, number>()
  /** Seen while reading, and to be looked into: offsets have gaps where transactions end, and only before the log's start did something go. */
  readonly #gaps: { readonly of: TopicPartition, readonly expected: number, readonly first: number }[] = []
  #lost = 0
  /** Passed over, and not yet committed. */
  readonly #passed = new Map<string, OffsetCommit>()
  #committedMs: number

  constructor (options: OutboundSourceOptions) {
    this.#options = options
    const { instance, clinical, clock } = options
    this.#changes = clinical === undefined ? undefined : new ScoreChanges({ ...clinical, clock })
    this.#committedMs = clock.monotonicMs()
    this.#consumer = this.#join(instance)
  }

  #join (instance: string): Consumer {
    const { log, group, lane, clinical } = this.#options
    return log.consumer({
      group, instance, topics: lane === 'alerts' ? [TOPICS.alerts] : clinical === undefined ? [TOPICS.scores] : [TOPICS.scores, TOPICS.features], from: 'latest',
      onAssigned: async partitions => { for (const partition of partitions) await this.#begin(partition) },
      onRevoked: partitions => { this.#forget(partitions); return Promise.resolve() },
    })
  }

  async next (maxWaitMs: DurationMs): Promise<OutboundBatch> {
    try {
      return await this.#next(maxWaitMs)
    } catch (e) {
      if (!isFenced(e)) throw e
      await this.#joinAnew()
      return { items: [], done: () => Promise.resolve() }
    }
  }

  /** A member that did not poll for long, since its receiver was away, is fenced for good: a new one goes on from what is committed. */
  async #joinAnew (): Promise<void> {
    this.#options.onCount('joined-anew')
    try {
      await this.#consumer[Symbol.asyncDispose]()
    } finally {
      this.#waiting = []
      this.#begun = []
      this.#gaps.length = 0
      this.#passed.clear()
      this.#expected.clear()
      const { clinical, clock } = this.#options
      this.#changes = clinical === undefined ? undefined : new ScoreChanges({ ...clinical, clock })
      this.#consumer = this.#join(randomUUID())
    }
  }

  async #next (maxWaitMs: DurationMs): Promise<OutboundBatch> {
    if (this.#waiting.length === 0) for (const run of await this.#consumer.poll(maxWaitMs)) this.#read(run)
    if (this.#begun.length > 0) await this.#consumer.commit(this.#begun.splice(0))
    await this.#lookInto()
    for (const held of this.#changes?.due() ?? []) this.#waiting.push({ what: { kind: 'clinical', found: held.found, held } })
    const taken: Taken[] = []
    for (let items = 0; taken.length < this.#waiting.length && items < this.#options.itemsMax;) {
      const one = this.#waiting[taken.length]!
      const item = one.what === undefined ? undefined : await this.#itemOf(one.what)
      if (item !== undefined) items++
      taken.push({ ...one, item })
    }
    this.#waiting.splice(0, taken.length)
    const items = taken.flatMap(({ item }) => item ?? [])
    if (items.length === 0) await this.#passOver(taken)
    const records = this.#lost
    this.#lost = 0
    return { items, ...records === 0 ? {} : { lost: { lane: this.#options.lane, records } }, done: () => this.#done(taken) }
  }

  async [Symbol.asyncDispose] (): Promise<void> { await this.#consumer[Symbol.asyncDispose]() }

  async #begin (partition: TopicPartition): Promise<void> {
    const { log, group } = this.#options
    const [committed, { start, end }] = await Promise.all([log.committedOffset(group, partition), log.range(partition)])
    const offset = committed === undefined ? end : Math.max(committed, start)
    if (committed !== undefined && partition.topic !== TOPICS.features && !this.#expected.has(nameOf(partition))) this.#lost += offset - committed
    this.#expect(partition, offset)
    if (offset === committed) return
    this.#consumer.seek(partition, offset) // behind the log's start a consumer would begin at its end
    this.#begun.push({ ...partition, offset })
  }

  /** A vector that went is no loss: a newer one of the patient overtook it. */
  #expect (partition: TopicPartition, offset: number): void { if (partition.topic !== TOPICS.features) this.#expected.set(nameOf(partition), offset) }

  #notice (of: TopicPartition, first: number): void {
    const expected = this.#expected.get(nameOf(of))
    if (expected !== undefined && first > expected) this.#gaps.push({ of, expected, first })
  }

  async #lookInto (): Promise<void> {
    for (let gap = this.#gaps[0]; gap !== undefined; gap = this.#gaps[0]) {
      if ((await this.#options.log.range(gap.of)).start > gap.expected) this.#lost += gap.first - gap.expected
      this.#gaps.shift()
    }
  }

  #forget (partitions: readonly TopicPartition[]): void {
    const gone = new Set(partitions.map(nameOf))
    for (const { topic, partition } of partitions) {
      this.#passed.delete(nameOf({ topic, partition }))
      this.#expected.delete(nameOf({ topic, partition }))
      if (topic === TOPICS.features) this.#changes?.forget(partition)
    }
    this.#waiting = this.#waiting.filter(({ what, done }) => !gone.has(done !== undefined ? nameOf(done) : what?.kind === 'clinical' ? nameOf({ topic: TOPICS.features, partition: what.held?.partition ?? -1 }) : ''))
    this.#begun = this.#begun.filter(one => !gone.has(nameOf(one)))
  }

  #read ({ topic, partition, records, nextOffset }: Run): void {
    for (let isFirst = true; records.next(); isFirst = false) {
      if (isFirst) this.#notice({ topic, partition }, records.offset)
      const done = { topic, partition, offset: records.offset + 1 }
      for (const what of topic === TOPICS.features ? this.#scoresOf(records, partition) : this.#changeOf(topic, records)) this.#waiting.push({ what, done })
    }
    this.#expect({ topic, partition }, nextOffset)
    this.#waiting.push({ what: undefined, done: { topic, partition, offset: nextOffset } })
  }

  /** What is neither an alert nor a score is a tick. */
  #changeOf (topic: string, record: RecordCursor): readonly Found[] {
    const { codecs, inference } = this.#options
    const name = codecs.book.nameOf(record.valueBuffer, record.valueStart, record.valueEnd)
    if (name !== (topic === TOPICS.alerts ? 'latido.AlertChange' : 'latido.Score')) return []
    return this.#decoded(() => [{ kind: 'change', patient: patientKeyOf(record), value: inference.decode(record) as AlertChange | Score }])
  }

  #scoresOf (record: RecordCursor, partition: number): readonly Found[] {
    const { codecs, vectors } = this.#options
    const { valueBuffer, valueStart, valueEnd } = record
    if (codecs.book.nameOf(valueBuffer, valueStart, valueEnd) !== 'latido.FeatureVector' || !this.#changes!.wants(vectors.viewOf(valueBuffer, valueStart))) return []
    return this.#decoded(() => this.#changes!.offer(patientKeyOf(record), vectors.lay(valueBuffer, valueStart, valueEnd), partition, record.offset).map(found => ({ kind: 'clinical', found })))
  }

  #decoded (decode: () => readonly Found[]): readonly Found[] {
    try {
      return decode()
    } catch {
      this.#options.onCount('undecodable') // it stays in the log
      return []
    }
  }

  /** Rejects where the online store or the log is away: what was read waits. */
  async #itemOf (what: Found): Promise<OutboundItem | undefined> {
    const { identityOf, onCount } = this.#options
    const key = what.kind === 'change' ? what.patient : what.found.patient
    const patient = await identityOf(key)
    if (patient === undefined) { onCount('patient-unknown'); return undefined } // erased
    const stay = await this.#stayOf(key)
    if (stay.isOver && !(what.kind === 'change' && 'alertId' in what.value)) { onCount('patient-discharged'); return undefined } // an alert's end is told, a score of somebody who has gone is not
    const who = { patient, ...stay.place === undefined ? {} : { place: stay.place } }
    if (what.kind === 'clinical') return { kind: 'clinical-score', ...what.found, ...who }
    const { value } = what
    if ('alertId' in value) {
      const { alertId: id, onsetEventTime: onset, acknowledgedBy: _, ...alert } = value
      return { kind: 'alert', ...who, ...alert, id, onset }
    }
    const { model, modelVersion: version, asOf, probability, reasons } = value
    return { kind: 'score', ...who, model, version, asOf, probability, reasons }
  }

  async #stayOf (patient: PatientKey): Promise<{ readonly place: OutboundPlace | undefined, readonly isOver: boolean }> {
    const [[row] = []] = await this.#options.online.get(['encounters'], [patient])
    if (row === undefined) return { place: undefined, isOver: false }
    const { ward, bed, action } = JSON.parse(row.value.toString()) as EncounterEvent
    return { place: ward === '' && bed === '' ? undefined : { ward, bed }, isOver: action === 'discharge' }
  }

  async #passOver (taken: readonly Taken[]): Promise<void> {
    this.#settle(taken)
    if (this.#passed.size > 0 && this.#options.clock.monotonicMs() - this.#committedMs >= IDLE_COMMIT_MS) await this.#commit()
  }

  async #done (taken: readonly Taken[]): Promise<void> {
    this.#settle(taken)
    try {
      await this.#commit()
    } catch (e) {
      if (isFenced(e)) await this.#joinAnew() // what was read with it is another's by now
      throw e
    }
  }

  #settle (taken: readonly Taken[]): void {
    for (const { what, done } of taken) {
      if (done !== undefined) this.#passed.set(nameOf(done), done)
      if (what?.kind === 'clinical' && what.held !== undefined) this.#changes?.settled(what.held)
    }
  }

  /** Never behind a score that is held: it would be lost with the process. */
  async #commit (): Promise<void> {
    const offsets = [...this.#passed.values()].map(one => one.topic === TOPICS.features ? { ...one, offset: Math.min(one.offset, this.#changes?.firstOpen(one.partition) ?? Infinity) } : one)
    await this.#consumer.commit(offsets)
    for (const { topic, partition, offset } of offsets) {
      const name = nameOf({ topic, partition })
      if (this.#passed.get(name)?.offset === offset) this.#passed.delete(name) // else what is held keeps it back
    }
    this.#committedMs = this.#options.clock.monotonicMs()
  }
}

/** See Consumer.commit. */
function isFenced (e: unknown): boolean { return isLatidoError(e) && e.code === 'MEMBER_FENCED' }

function nameOf ({ topic, partition }: TopicPartition): string { return `${topic}/${partition}` }
