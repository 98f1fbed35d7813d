import type { Input, OutputRecord, Processor, RefusedRecord } from '../../streams/engine/index.ts'
import { decodeEvent, EventReader, patientKeyOf, readOrRefuse, TOPICS, unlessPending, type BedsideEvent, type EventCodecs } from '../../streams/events/index.ts'
import { addWhole, type RecordCursor } from '../../streams/log/index.ts'
import { featuresMachine, type FeatureOutput, type PatientState } from '../compute/index.ts'
import type { FeatureView } from '../define/index.ts'
import type { OnlineStore } from '../online/index.ts'
import type { VectorCodec } from '../vector-codec.ts'
import type { FeatureVector } from '../vector.ts'
import type { MemberCodec } from './codec.ts'
import { groupMachine, type GroupState } from './group-machine.ts'
import { membersMachine, type MemberInput, type MemberNews, type MemberState, type MemberUpdate } from './members.ts'
import { rekeyMachine, type Rekeyed, type RekeyState } from './rekey.ts'
import { sourceFeatures } from './source-features.ts'
import { isVector, vectorRows } from './vector-rows.ts'

export interface EntitiesParts {
  /** Those that the processor computes or feeds. */
  readonly views: readonly FeatureView[]
  readonly codecs: EventCodecs
  readonly deadLetter: (refused: RefusedRecord) => OutputRecord
}
export interface MembersParts extends EntitiesParts {
  /** The views of patients that those of wards and beds may aggregate. */
  readonly patientViews: readonly FeatureView[]
  /** Of `latido.features`. */
  readonly vectors: VectorCodec
  readonly members: MemberCodec
}
export interface EntityVectorsParts extends EntitiesParts {
  /** Of `latido.entity-features`. */
  readonly entityVectors: VectorCodec
  readonly members: MemberCodec
  readonly online: OnlineStore
}

/** `latido.features` to `latido.entities`: what each ward and bed is told of its patients. */
export async function membersProcessor ({ views, patientViews, codecs, vectors, members, deadLetter }: MembersParts): Promise<Processor<MemberState, MemberInput, MemberNews>> {
  const sources = sourceFeatures(views)
  const read = new Set(sources.map(s => s.view))
  return {
    ...await behind(TOPICS.entities, codecs, deadLetter),
    name: 'latido-members',
    input: TOPICS.features,
    machine: membersMachine(patientViews, sources, new Set(views.map(v => v.entity))),
    decode: record => readOrRefuse(codecs.book, record, (): Input<MemberInput> => {
      const { valueBuffer, valueStart, valueEnd } = record
      if (codecs.book.nameOf(valueBuffer, valueStart, valueEnd) === 'latido.FeatureVector') {
        return read.has(vectors.viewOf(valueBuffer, valueStart)) ? { kind: 'record', key: patientKeyOf(record), value: vectors.lay(valueBuffer, valueStart, valueEnd) } : { kind: 'tick' }
      }
      const decoded = decodeEvent(codecs.book, record)
      if (decoded.kind === 'refused') return unlessPending(codecs.book, record, decoded)
      const { value } = decoded
      return value.type === 'encounter' || value.type === 'merge' ? { kind: 'record', key: patientKeyOf(record), value } : { kind: 'tick' }
    }),
    write: ({ key, out: { group, present, names, values, times }, at }, out) => {
      const to = Buffer.from(group)
      addWhole(out(TOPICS.entities, to), at, to, members.encode({ patient: key, present, names, values, times }))
    },
  }
}

/** `latido.events` to `latido.entities`: what each device and encounter is told. */
export async function rekeyProcessor ({ views, codecs, deadLetter }: EntitiesParts): Promise<Processor<RekeyState, BedsideEvent, Rekeyed>> {
  const reader = new EventReader(codecs.book)
  const entities = await codecs.on(TOPICS.entities)
  return {
    ...await behind(TOPICS.entities, codecs, deadLetter),
    name: 'latido-rekey',
    input: TOPICS.events,
    machine: rekeyMachine(new Set(views.map(v => v.entity))),
    decode: record => {
      const decoded = reader.read(record)
      if (decoded.kind === 'refused') { // the features processor reports it
        const met = unlessPending(codecs.book, record, decoded)
        return met.kind === 'wait' ? met : { kind: 'tick' }
      }
      const { value } = decoded
      return value.type === 'observations' || value.type === 'encounter' ? { kind: 'record', key: reader.keyOf(record), value } : { kind: 'tick' }
    },
    write: ({ out: { to, event }, at }, out) => {
      const key = Buffer.from(to)
      addWhole(out(TOPICS.entities, key), at, key, entities.encode(event))
    },
  }
}

/** `latido.entities` to `latido.entity-features` and the online store: the views of wards and beds. */
export async function groupsProcessor ({ views, codecs, entityVectors, members, online, deadLetter }: EntityVectorsParts): Promise<Processor<GroupState, MemberUpdate, FeatureVector>> {
  return {
    ...await behind(TOPICS.entityFeatures, codecs, deadLetter),
    name: 'latido-groups',
    input: TOPICS.entities,
    machine: groupMachine(views),
    decode: record => readOrRefuse(codecs.book, record, (): Input<MemberUpdate> => {
      const name = codecs.book.nameOf(record.valueBuffer, record.valueStart, record.valueEnd)
      return name === undefined || name === 'latido.Member' ? { kind: 'record', key: keyOf(record), value: members.decode(record) } : { kind: 'tick' }
    }),
    write: ({ key, out: vector, at }, out) => { addWhole(out(TOPICS.entityFeatures), at, Buffer.from(key), entityVectors.encode(vector)) },
    effects: vectorRows(online),
  }
}

/** `latido.entities` to `latido.entity-features` and the online store: the views of devices and encounters, each kind by a processor of its own. */
export async function entityFeaturesProcessor (kind: 'device' | 'encounter', { views, codecs, entityVectors, online, deadLetter }: EntityVectorsParts): Promise<Processor<PatientState, BedsideEvent, FeatureOutput>> {
  const reader = new EventReader(codecs.book)
  const machine = featuresMachine(views)
  return {
    ...await behind(TOPICS.entityFeatures, codecs, deadLetter),
    name: `latido-${kind}-features`,
    input: TOPICS.entities,
    machine: { ...machine, name: `${kind} ${machine.name}` },
    decode: record => {
      const key = keyOf(record)
      if (!key.startsWith(`${kind}:`)) return { kind: 'tick' }
      const decoded = reader.read(record)
      if (decoded.kind === 'refused') return unlessPending(codecs.book, record, decoded)
      const { value } = decoded
      return value.type === 'observations' || value.type === 'encounter' ? { kind: 'record', key, value } : { kind: 'tick' }
    },
    write: ({ key, out: told, at }, out) => { if (isVector(told)) addWhole(out(TOPICS.entityFeatures), at, Buffer.from(key), entityVectors.encode(told)) },
    effects: vectorRows(online),
  }
}

function keyOf (record: RecordCursor): string { return record.keyBuffer.toString('utf8', record.keyStart, record.keyEnd) }

interface Behind { readonly deadLetter: EntitiesParts['deadLetter'], readonly tickTopics: readonly string[], readonly tick: Buffer, readonly ownsTicks: false }

/** What all of them have: time goes on to the topic that they write. */
async function behind (topic: string, codecs: EventCodecs, deadLetter: EntitiesParts['deadLetter']): Promise<Behind> {
  return { deadLetter, tickTopics: [topic], tick: (await codecs.on(topic)).encode({ type: 'tick' }), ownsTicks: false }
}
