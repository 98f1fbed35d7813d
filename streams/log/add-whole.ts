import type { ArrivalTimeMs } from '../time/index.ts'
import type { RecordSink } from './port.ts'

/** Adds a record whose key and value fill their buffers. */
export function addWhole (sink: RecordSink, timestamp: ArrivalTimeMs, key: Buffer | null, value: Buffer): void {
  sink.add(timestamp, key ?? value, key === null ? -1 : 0, key?.length ?? -1, value, 0, value.length)
}
