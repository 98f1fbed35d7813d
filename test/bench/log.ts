import { openEmbeddedLog, type Log } from '../../streams/log/index.ts'
import { systemClock } from '../../streams/time/index.ts'
import { tempDir } from '../kit/temp-dir.ts'
import type { Benchmark } from './measure.ts'

const OF = { topic: 'bench', partition: 0 }
const RECORD = { key: Buffer.alloc(22, 'k'), value: Buffer.alloc(120, 'v') }
const BATCH = 1_000

/** The embedded log: appends one by one (each waits for its fsync), appends in batches, and a walk over all records. Records of 142 bytes. */
export const log: Benchmark = {
  summary: 'embedded log: appends and walks a second',
  run: async ({ seconds = 5, runs = 3 }) => {
    const single: number[] = []
    const batched: number[] = []
    const walked: number[] = []
    for (let run = 0; run < runs; run++) {
      const dir = tempDir()
      const embedded = await openEmbeddedLog({ directory: dir.path, clock: systemClock })
      await embedded.ensureTopics([{ name: OF.topic, partitions: 1, timestamps: 'append', retentionMs: 0 }])
      single.push(await appends(embedded, 1, seconds / 3))
      batched.push(await appends(embedded, BATCH, seconds / 3))
      walked.push(await walk(embedded))
      await embedded[Symbol.asyncDispose]()
      dir.remove()
    }
    return [
      { name: 'log append, one by one, durable', unit: 'records/s', values: single },
      { name: `log append, batches of ${BATCH}, durable`, unit: 'records/s', values: batched },
      { name: 'log walk', unit: 'records/s', values: walked },
    ]
  },
}

async function appends (embedded: Log, size: number, seconds: number): Promise<number> {
  const producer = embedded.producer()
  const records = Array.from({ length: size }, () => RECORD)
  const startedMs = systemClock.monotonicMs()
  let count = 0
  let nowMs = startedMs
  while (nowMs - startedMs < seconds * 1_000) {
    await producer.append(OF, records)
    count += size
    nowMs = systemClock.monotonicMs()
  }
  return count / (nowMs - startedMs) * 1_000
}

async function walk (embedded: Log): Promise<number> {
  const startedMs = systemClock.monotonicMs()
  const reader = embedded.reader(OF, 0)
  let count = 0
  let bytes = 0
  for (let run = await reader.next(); run !== undefined; run = await reader.next()) {
    while (run.records.next()) { count++; bytes += run.records.valueEnd - run.records.valueStart }
  }
  if (bytes !== count * RECORD.value.length) throw new Error('records were lost')
  return count / (systemClock.monotonicMs() - startedMs) * 1_000
}
