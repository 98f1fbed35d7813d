import { randomUUID } from 'node:crypto'
import type { Intake, OutboundBatch, OutboundItem, OutboundPlace, OutboundSource, SourceIdentity } from '../../connectors/kit/index.ts'
import type { OnlineStore } from '../../features/online/index.ts'
import type { AlertChange, Score } from '../../inference/alerts/index.ts'
import type { InferenceCodecs } from '../../inference/codecs.ts'
import { patientKeyOf, TOPICS, type EncounterEvent, type EventCodecs, type PatientKey } from '../../streams/events/index.ts'
import type { Consumer, Log, OffsetCommit, RecordCursor, Run, TopicPartition } from '../../streams/log/index.ts'
import type { Clock, DurationMs } from '../../streams/time/index.ts'
import type { IdentityVault } from '../security/index.ts'
import type { Stores } from './stores.ts'

export interface OutboundSourceOptions {
  readonly log: Log
  /** Its offsets are the position: one group a counterparty. */
  readonly group: string
  /** Names this member for its life. */
  readonly instance: string
  readonly codecs: EventCodecs
  readonly inference: InferenceCodecs
  readonly online: Pick<OnlineStore, 'get'>
  readonly identityOf: (patient: PatientKey) => SourceIdentity | undefined
  /** Items handed over together: all of them come again when the process ends among them. */
  readonly itemsMax: number
  readonly onCount: (what: string) => void
}

/** What whoever sends out is built from. */
export interface OutboundParts {
  readonly stores: Stores
  readonly vault: Pick<IdentityVault, 'identityOf'>
  readonly intake: Pick<Intake, 'refuse' | 'count'>
  readonly clock: Clock
  readonly say?: (line: string) => void
}

/** The source of the counterparty `name`: its group is named after it. */
export function openOutboundSource (name: string, { stores: { log, codecs, inference, online }, vault, intake }: OutboundParts, itemsMax: number): OutboundSource {
  return logOutboundSource({ log, codecs, inference, online, itemsMax, group: `latido-${name}`, instance: randomUUID(), identityOf: patient => vault.identityOf(patient), onCount: what => { intake.count(name, what) } })
}

interface Waiting { readonly item: OutboundItem | undefined, readonly done: OffsetCommit }

/**
 * Alerts and scores of the log with who they are about, for a counterparty outside. A group begins at the end of the log: what was raised before it was
 * configured is nobody's news. From then on its offsets say how far it is.
 */
export function logOutboundSource (options: OutboundSourceOptions): OutboundSource { return new LogOutboundSource(options) }

class LogOutboundSource implements OutboundSource {
  readonly #options: OutboundSourceOptions
  readonly #consumer: Consumer
  #waiting: Waiting[] = []
  /** Ends of partitions that the group sees for the first time: to be committed, so that a restart before the first item finds them. */
  #begun: OffsetCommit[] = []

  constructor (options: OutboundSourceOptions) {
    this.#options = options
    const { log, group, instance } = options
    this.#consumer = log.consumer({
      group, instance, topics: [TOPICS.alerts, TOPICS.scores], from: 'latest',
      onAssigned: async partitions => { for (const partition of partitions) await this.#begin(partition) },
      onRevoked: partitions => { this.#forget(partitions); return Promise.resolve() },
    })
  }

  async next (maxWaitMs: DurationMs): Promise<OutboundBatch> {
    if (this.#waiting.length === 0) for (const run of await this.#consumer.poll(maxWaitMs)) await this.#read(run)
    if (this.#begun.length > 0) await this.#consumer.commit(this.#begun.splice(0))
    const taken: Waiting[] = []
    let items = 0
    while (this.#waiting.length > 0 && items < this.#options.itemsMax) {
      const one = this.#waiting.shift()!
      taken.push(one)
      if (one.item !== undefined) items++
    }
    const offsets = latest(taken)
    if (items === 0 && offsets.length > 0) await this.#consumer.commit(offsets)
    return { items: taken.flatMap(({ item }) => item ?? []), done: () => this.#consumer.commit(offsets) }
  }

  async [Symbol.asyncDispose] (): Promise<void> { await this.#consumer[Symbol.asyncDispose]() }

  async #begin (partition: TopicPartition): Promise<void> {
    const { log, group } = this.#options
    if (await log.committedOffset(group, partition) !== undefined) return
    const { end } = await log.range(partition)
    this.#consumer.seek(partition, end)
    this.#begun.push({ ...partition, offset: end })
  }

  #forget (partitions: readonly TopicPartition[]): void {
    const gone = new Set(partitions.map(nameOf))
    this.#waiting = this.#waiting.filter(({ done }) => !gone.has(nameOf(done)))
    this.#begun = this.#begun.filter(one => !gone.has(nameOf(one)))
  }

  async #read ({ topic, partition, records, nextOffset }: Run): Promise<void> {
    const found: { readonly patient: PatientKey, readonly value: AlertChange | Score, readonly offset: number }[] = []
    while (records.next()) {
      const value = this.#valueOf(topic, records)
      if (value !== undefined) found.push({ patient: patientKeyOf(records), value, offset: records.offset })
    }
    for (const { patient, value, offset } of found) this.#waiting.push({ item: await this.#itemOf(patient, value), done: { topic, partition, offset: offset + 1 } })
    this.#waiting.push({ item: undefined, done: { topic, partition, offset: nextOffset } })
  }

  /** What is neither an alert nor a score is a tick. */
  #valueOf (topic: string, record: RecordCursor): AlertChange | Score | undefined {
    const { codecs, inference, onCount } = this.#options
    const name = codecs.book.nameOf(record.valueBuffer, record.valueStart, record.valueEnd)
    if (name !== (topic === TOPICS.alerts ? 'latido.AlertChange' : 'latido.Score')) return undefined
    try {
      return inference.decode(record) as AlertChange | Score
    } catch {
      onCount('undecodable') // it stays in the log
      return undefined
    }
  }

  async #itemOf (key: PatientKey, value: AlertChange | Score): Promise<OutboundItem | undefined> {
    const patient = this.#options.identityOf(key)
    if (patient === undefined) { this.#options.onCount('patient-unknown'); return undefined } // erased, or known where the messages arrive
    const place = await this.#placeOf(key)
    const who = { patient, ...place === undefined ? {} : { place } }
    if ('alertId' in value) {
      const { alertId: id, onsetEventTime: onset, acknowledgedBy: _, ...alert } = value
      return { kind: 'alert', ...who, ...alert, id, onset }
    }
    const { model, modelVersion: version, asOf, probability, reasons } = value
    return { kind: 'score', ...who, model, version, asOf, probability, reasons }
  }

  async #placeOf (patient: PatientKey): Promise<OutboundPlace | undefined> {
    const [[row] = []] = await this.#options.online.get(['encounters'], [patient])
    if (row === undefined) return undefined
    const { ward, bed } = JSON.parse(row.value.toString()) as EncounterEvent
    return ward === '' && bed === '' ? undefined : { ward, bed }
  }
}

function latest (taken: readonly Waiting[]): readonly OffsetCommit[] { return [...new Map(taken.map(({ done }) => [nameOf(done), done])).values()] }

function nameOf ({ topic, partition }: TopicPartition): string { return `${topic}/${partition}` }
