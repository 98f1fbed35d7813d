import type { OutputRecord, Processor, RefusedRecord } from '../streams/engine/index.ts'
import { patientKeyOf, TOPICS, unlessPending, type BedsideEvent, type EventCodecs } from '../streams/events/index.ts'
import { featuresMachine, type FeatureOutput, type PatientState } from './compute/index.ts'
import type { FeatureView } from './define/index.ts'
import type { OnlineRow, OnlineStore } from './online/index.ts'
import { onlineValue, tableOf } from './serving/index.ts'
import type { VectorCodec } from './vector-codec.ts'

export interface FeaturesProcessorParts {
  readonly views: readonly FeatureView[]
  readonly codecs: EventCodecs
  readonly vectors: VectorCodec
  readonly online: OnlineStore
  readonly deadLetter: (refused: RefusedRecord) => OutputRecord
  readonly ownsTicks: boolean
  /** Told what became of each reading: added, replaced, withdrawn, duplicate, late. */
  readonly onApplied?: (applied: string) => void
}

/** Outputs of one record that may share an online row version; more would be a fault. */
const OUTPUTS_PER_RECORD_MAX = 1 << 16

/** The version of an online row: rises with (offset, index). */
export function versionOf ({ offset, index }: { readonly offset: number, readonly index: number }): number { return offset * OUTPUTS_PER_RECORD_MAX + index }

/** `latido.events` to `latido.features` and the online store. Encounters and acknowledgements go on in the same order. */
export async function featuresProcessor (parts: FeaturesProcessorParts): Promise<Processor<PatientState, BedsideEvent, FeatureOutput>> {
  const { codecs, vectors, online, views } = parts
  const forward = await codecs.on(TOPICS.features)
  const tables = new Map(views.map(v => [v.name, tableOf(v)]))
  return {
    name: 'latido-features',
    input: TOPICS.events,
    machine: featuresMachine(views, parts.onApplied),
    decode: record => {
      const decoded = codecs.decode(record)
      if (decoded.kind === 'refused') return unlessPending(codecs.book, record, decoded)
      return decoded.value.type === 'tick' ? { kind: 'tick' } : { kind: 'record', key: patientKeyOf(record), value: decoded.value }
    },
    records: ({ key, out }) => [{ topic: TOPICS.features, key: Buffer.from(key), value: out.type === 'vector' ? vectors.encode(out) : forward.encode(out) }],
    effects: async emitted => {
      const byTable = new Map<string, OnlineRow[]>()
      for (const e of emitted) {
        const [table, value] = e.out.type === 'vector' ? [tables.get(e.out.view)!, onlineValue(e.out)] : e.out.type === 'encounter' ? ['encounters', Buffer.from(JSON.stringify(e.out))] : []
        if (table === undefined || value === undefined) continue
        const rows = byTable.get(table)
        if (rows === undefined) byTable.set(table, [{ entity: e.key, version: versionOf(e), value }])
        else rows.push({ entity: e.key, version: versionOf(e), value })
      }
      await Promise.all([...byTable].map(([table, rows]) => online.put(table, rows)))
    },
    deadLetter: parts.deadLetter,
    tickTopics: [TOPICS.features],
    tick: forward.encode({ type: 'tick' }),
    ownsTicks: parts.ownsTicks,
  }
}
