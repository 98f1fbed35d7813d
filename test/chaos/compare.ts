import { createHash, randomUUID } from 'node:crypto'
import type { Log, Run, TopicPartition } from '../../streams/log/index.ts'
import type { JavaClient, ReadRecord } from '../kit/servers/index.ts'

/** A record in one line; of long bytes the sum. */
export function lineOf ({ offset, timestamp, key, value, headers }: ReadRecord): string {
  const bytes = (b: Buffer | null): string => b === null ? 'null' : b.length <= 24 ? JSON.stringify(b.toString('latin1')) : `${b.length}:${createHash('sha1').update(b).digest('hex').slice(0, 12)}`
  return `${offset} ${timestamp} ${bytes(key)} ${bytes(value)} [${headers.map(h => `${h.key}=${bytes(h.value)}`).join(',')}]`
}

function linesOf ({ records: r }: Run): readonly string[] {
  const lines: string[] = []
  const range = (buffer: Buffer, start: number, end: number): Buffer | null => start < 0 ? null : buffer.subarray(start, end)
  while (r.next()) lines.push(lineOf({ offset: r.offset, timestamp: r.timestamp, key: range(r.keyBuffer, r.keyStart, r.keyEnd), value: range(r.valueBuffer, r.valueStart, r.valueEnd), headers: r.headers() }))
  return lines
}

export async function readByReader (log: Log, of: TopicPartition): Promise<readonly string[]> {
  const lines: string[] = []
  const reader = log.reader(of, (await log.range(of)).start)
  for (let run = await reader.next(); run !== undefined; run = await reader.next()) lines.push(...linesOf(run))
  return lines
}

/** By a consumer of a fresh group, until it has come to the end of each partition. */
export async function readByConsumer (log: Log, topic: string, partitions: number, withinMs: number): Promise<readonly (readonly string[])[]> {
  const lines = Array.from({ length: partitions }, (): string[] => [])
  const ends = await Promise.all(lines.map((_, partition) => log.range({ topic, partition })))
  const at = ends.map(({ start }) => start)
  await using consumer = log.consumer({ group: `${topic}-${randomUUID()}`, instance: randomUUID(), topics: [topic], from: 'earliest' })
  const deadline = performance.now() + withinMs
  while (ends.some(({ end }, p) => (at[p] ?? 0) < end)) {
    if (performance.now() > deadline) throw new Error(`the consumer came to ${at.join(', ')} of ${ends.map(e => e.end).join(', ')}`)
    for (const run of await consumer.poll(200)) {
      lines[run.partition]?.push(...linesOf(run))
      at[run.partition] = run.nextOffset
    }
  }
  return lines
}

export async function readByJava (java: JavaClient, of: TopicPartition): Promise<readonly string[]> { return (await java.read(of)).map(lineOf) }

/** What the Java client sees, once it sees the same twice with `read` between: compaction goes on behind. */
export async function steady<T> (java: JavaClient, of: TopicPartition, read: () => Promise<T>): Promise<{ readonly expected: readonly string[], readonly found: T }> {
  for (let attempt = 0; ; attempt++) {
    const before = await readByJava(java, of)
    const found = await read()
    const after = await readByJava(java, of)
    if (before.join('\n') === after.join('\n')) return { expected: before, found }
    if (attempt > 50) throw new Error('the log does not come to rest')
  }
}

/** The first place where they part, in words. */
export function parting (expected: readonly string[], found: readonly string[]): string | undefined {
  const length = Math.max(expected.length, found.length)
  for (let i = 0; i < length; i++) if (expected[i] !== found[i]) return `record ${i} of ${expected.length} (found ${found.length}): expected ${expected[i] ?? 'the end'}, found ${found[i] ?? 'the end'}`
  return undefined
}
