import { TOPICS, type EventCodecs, type ObservationSet } from '../../streams/events/index.ts'
import type { Log, RecordCursor } from '../../streams/log/index.ts'

type Readable = Pick<Log, 'partitionsOf' | 'reader'>

/** Every record of a topic, or of one of its partitions, in order. The cursor is the same object each time. */
export async function * recordsOf (log: Readable, topic: string, only?: number): AsyncGenerator<RecordCursor, void, undefined> {
  const partitions = only === undefined ? Array.from({ length: log.partitionsOf(topic) }, (_, i) => i) : [only]
  for (const partition of partitions) {
    const reader = log.reader({ topic, partition }, 0)
    for (let run = await reader.next(); run !== undefined; run = await reader.next()) while (run.records.next()) yield run.records
  }
}

/** The observation sets of `latido.events`, or of one of its partitions. */
export async function * observationsOf (log: Readable, codecs: EventCodecs, only?: number): AsyncGenerator<ObservationSet, void, undefined> {
  for await (const record of recordsOf(log, TOPICS.events, only)) {
    const event = codecs.decode(record)
    if (event.kind === 'ok' && event.value.type === 'observations') yield event.value
  }
}
