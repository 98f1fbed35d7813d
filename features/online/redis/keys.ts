/**
 * Entities lie in 64 buckets, each with a hash tag of its own: the keys of a bucket are in one slot of a cluster, so its entities and its index are
 * written by one script. The tags are chosen so that their slots lie evenly: each 256 slots have one, and masters that share the slots share the buckets.
 */
export const BUCKETS = 64
const SLOTS = 16_384
const SLOTS_PER_BUCKET = SLOTS / BUCKETS

const TAGS: readonly string[] = evenTags()

export function bucketOf (entity: string): number {
  let hash = 0x811c9dc5 // FNV-1a, 32 bits
  for (let i = 0; i < entity.length; i++) hash = Math.imul(hash ^ entity.charCodeAt(i), 0x01000193)
  return ((hash ^ (hash >>> 15)) >>> 0) % BUCKETS
}

/** The value of an entity: all its rows. The scripts know this form. */
export function entityKey (prefix: string, entity: string): string { return `${prefix}{${TAGS[bucketOf(entity)]!}}e:${entity}` }

/** Says which log writes here. */
export function ownerKey (prefix: string): string { return `${prefix}{0}owner` }

/** The set of a bucket's entities that have a row in this table. */
export function indexKey (prefix: string, bucket: number, table: string): string { return `${prefix}{${TAGS[bucket]!}}t:${table}` }

function evenTags (): readonly string[] {
  const tags = new Map<number, string>()
  for (let n = 0; tags.size < BUCKETS; n++) {
    const tag = n.toString(36)
    const bucket = Math.floor(crc16(tag) % SLOTS / SLOTS_PER_BUCKET)
    if (!tags.has(bucket)) tags.set(bucket, tag)
  }
  return Array.from({ length: BUCKETS }, (_, bucket) => tags.get(bucket)!)
}

/** CRC16/XMODEM, as the Redis Cluster specification gives it for slots. */
function crc16 (text: string): number {
  let crc = 0
  for (const byte of Buffer.from(text)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021
    crc &= 0xffff
  }
  return crc
}
