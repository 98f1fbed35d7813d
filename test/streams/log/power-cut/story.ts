/** What the recorded process appends, so that whoever reads it back knows each record without having seen it. */
export const TOPICS = [
  { name: 'in', partitions: 2, timestamps: 'append', retentionMs: 60_000 },
  { name: 'out', partitions: 1, timestamps: 'create', retentionMs: 0 },
] as const
export const GROUP = 'g'

/** The value of a record: its place, and bytes that no other place has. Sizes from some bytes to past what goes through the journal. */
export function valueAt (topic: string, partition: number, offset: number): Buffer {
  let state = topic.length * 7_919 + partition * 104_729 + offset * 15_485_863 + 1
  const next = (): number => (state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9 | 0) >>> 0
  const size = next() % 10
  const bytes = Buffer.alloc(size < 5 ? 20 + next() % 400 : size < 9 ? 1_000 + next() % 6_000 : next() % 6 === 0 ? 150_000 : 20_000)
  for (let at = 0; at + 4 <= bytes.length; at += 4) bytes.writeUInt32BE(next(), at)
  bytes.write(`${topic}/${partition}/${offset};`, 0, 'latin1')
  return bytes
}

/** What had been promised, and what had been asked for, at one moment: `in` by partition, `out` and the committed offset together. */
export interface Standing { readonly acknowledged: readonly number[], readonly asked: readonly number[], readonly open: boolean }
