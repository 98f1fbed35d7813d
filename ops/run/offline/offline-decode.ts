import { entityOf } from '../../../features/entities/index.ts'
import type { OfflineDecode } from '../../../features/offline/index.ts'
import type { VectorCodec } from '../../../features/vector-codec.ts'
import type { InferenceCodecs } from '../../../inference/codecs.ts'
import { type EventCodecs, MOVED_AWAY, type PatientKey, patientKeyOf, TOPICS } from '../../../streams/events/index.ts'

/** What the offline store takes from each topic. */
export const OFFLINE_TOPICS: readonly string[] = [TOPICS.events, TOPICS.features, TOPICS.entityFeatures, TOPICS.scores, TOPICS.alerts, TOPICS.drift, TOPICS.deadLetters]

export function offlineDecode (codecs: EventCodecs, vectors: VectorCodec, inference: InferenceCodecs): OfflineDecode {
  return (topic, partition, record, batch) => {
    const { offset, timestamp: arrival, valueBuffer, valueStart, valueEnd } = record
    const at = { partition, offset, arrival, patient: patientKeyOf(record) }
    switch (topic) {
      case TOPICS.events: {
        const decoded = codecs.decode(record)
        if (decoded.kind === 'refused') return // the features processor makes the dead letter
        const event = decoded.value
        if (event.type === 'observations') batch.observations.push({ ...at, kind: event.kind, source: event.source, observations: event.observations })
        if (event.type === 'encounter') batch.encounters.push({ ...at, event })
        if (event.type === 'statement') batch.statements.push({ ...at, event })
        if (event.type === 'merge') batch.merges.push({ ...at, event })
        return
      }
      case TOPICS.features: {
        const name = codecs.book.nameOf(valueBuffer, valueStart, valueEnd)
        if (name === 'latido.FeatureVector') batch.vectors.push({ ...at, vector: vectors.decode(valueBuffer, valueStart, valueEnd) })
        if (name !== 'latido.Encounter') return
        const decoded = codecs.decode(record) // what follows from a visit that has gone: nobody said it on the events' topic
        if (decoded.kind === 'ok' && decoded.value.type === 'encounter' && decoded.value.source === MOVED_AWAY) batch.encounters.push({ ...at, event: decoded.value })
        return
      }
      case TOPICS.entityFeatures: {
        if (codecs.book.nameOf(valueBuffer, valueStart, valueEnd) !== 'latido.FeatureVector') return
        const [entity, name] = entityOf(at.patient)
        batch.vectors.push({ ...at, patient: name as PatientKey, vector: { ...vectors.decode(valueBuffer, valueStart, valueEnd), entity } })
        return
      }
      case TOPICS.scores: batch.scores.push({ ...at, value: inference.decode(record) as Record<string, unknown> }); return
      case TOPICS.alerts: batch.alerts.push({ ...at, value: inference.decode(record) as Record<string, unknown> }); return
      case TOPICS.drift: batch.drift.push({ ...at, patient: '', value: inference.decode(record) as Record<string, unknown> }); return
      case TOPICS.deadLetters: {
        const read = codecs.decodeDeadLetterRecord(record)
        if (read.kind === 'letter') batch.deadLetters.push({ partition, offset, letter: read.letter }) // what was done with one stays on the log
      }
    }
  }
}
