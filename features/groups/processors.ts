import type { Input, OutputRecord, Processor, RefusedRecord } from '../../streams/engine/index.ts'
import { isLatidoError } from '../../streams/errors/index.ts'
import { decodeEvent, patientKeyOf, TOPICS, unlessPending, type EventCodecs } from '../../streams/events/index.ts'
import { addWhole, type RecordCursor } from '../../streams/log/index.ts'
import type { FeatureView } from '../define/index.ts'
import { LatestRows } from '../latest-rows.ts'
import type { OnlineStore } from '../online/index.ts'
import { onlineValue, tableOf } from '../serving/index.ts'
import type { VectorCodec } from '../vector-codec.ts'
import { versionOf } from '../processor.ts'
import type { FeatureVector } from '../vector.ts'
import type { MemberCodec } from './codec.ts'
import { groupMachine, type GroupState } from './group-machine.ts'
import { membersMachine, type MemberInput, type MemberNews, type MemberState, type MemberUpdate } from './members.ts'
import { sourceFeatures } from './source-features.ts'

export interface GroupsParts {
  /** Those of wards and beds. */
  readonly views: readonly FeatureView[]
  /** Those that they may aggregate. */
  readonly patientViews: readonly FeatureView[]
  readonly codecs: EventCodecs
  readonly vectors: VectorCodec
  readonly members: MemberCodec
  readonly online: OnlineStore
  readonly deadLetter: (refused: RefusedRecord) => OutputRecord
}

/** `latido.features` to `latido.entities`: what each ward and bed is told of its patients, keyed by ward and bed. */
export async function membersProcessor ({ views, patientViews, codecs, vectors, members, deadLetter }: GroupsParts): Promise<Processor<MemberState, MemberInput, MemberNews>> {
  const sources = sourceFeatures(views)
  const read = new Set(sources.map(s => s.view))
  const tick = (await codecs.on(TOPICS.entities)).encode({ type: 'tick' })
  return {
    name: 'latido-members',
    input: TOPICS.features,
    machine: membersMachine(patientViews, sources, new Set(views.map(v => v.entity))),
    decode: record => guarded<MemberInput>(codecs, record, () => {
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
    deadLetter,
    tickTopics: [TOPICS.entities],
    tick,
    ownsTicks: false,
  }
}

/** `latido.entities` to `latido.entity-features` and the online store: the views of wards and beds. */
export async function groupsProcessor ({ views, codecs, vectors, members, online, deadLetter }: GroupsParts): Promise<Processor<GroupState, MemberUpdate, FeatureVector>> {
  const tables = new Map(views.map(v => [`${v.name}@${v.version}`, tableOf(v)]))
  return {
    name: 'latido-groups',
    input: TOPICS.entities,
    machine: groupMachine(views),
    decode: record => guarded<MemberUpdate>(codecs, record, () => {
      const name = codecs.book.nameOf(record.valueBuffer, record.valueStart, record.valueEnd)
      if (name !== undefined && name !== 'latido.Member') return { kind: 'tick' }
      return { kind: 'record', key: record.keyBuffer.toString('utf8', record.keyStart, record.keyEnd), value: members.decode(record) }
    }),
    write: ({ key, out: vector, at }, out) => { addWhole(out(TOPICS.entityFeatures), at, Buffer.from(key), vectors.encode(vector)) },
    effects: () => {
      const rows = new LatestRows()
      return {
        add: emitted => {
          const value = onlineValue(emitted.out)
          const { buffer, start } = rows.reserve(value.length)
          value.copy(buffer, start)
          rows.add(tables.get(`${emitted.out.view}@${emitted.out.version}`)!, entityOf(emitted.key)[1], versionOf(emitted), value.length)
        },
        carryOut: () => rows.put(online),
      }
    },
    deadLetter,
    tickTopics: [TOPICS.entityFeatures],
    tick: (await codecs.on(TOPICS.entityFeatures)).encode({ type: 'tick' }),
    ownsTicks: false,
  }
}

/** `ward:W1` to its kind and `W1`, the name under which it is served. */
export function entityOf (key: string): readonly [kind: string, name: string] { return [key.slice(0, key.indexOf(':')), key.slice(key.indexOf(':') + 1)] }

function guarded<In> (codecs: EventCodecs, record: RecordCursor, read: () => Input<In>): Input<In> {
  try {
    return read()
  } catch (e) {
    if (!isLatidoError(e)) throw e
    return unlessPending(codecs.book, record, { kind: 'refused' as const, cause: e.code === 'SCHEMA_UNKNOWN' ? 'schema-unknown' : 'payload-invalid', detail: e.message })
  }
}
