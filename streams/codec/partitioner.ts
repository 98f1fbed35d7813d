/** Kafka's murmur2 (org.apache.kafka.common.utils.Utils): a Java producer puts the same key into the same partition. */
export function murmur2 (key: Uint8Array): number {
  const m = 0x5bd1e995
  let h = 0x9747b28c ^ key.length
  const words = key.length >> 2
  for (let i = 0; i < words; i++) {
    const at = i << 2
    let k = key[at]! | key[at + 1]! << 8 | key[at + 2]! << 16 | key[at + 3]! << 24
    k = Math.imul(k, m)
    k ^= k >>> 24
    h = Math.imul(h, m) ^ Math.imul(k, m)
  }
  const tail = words << 2
  const rest = key.length & 3
  if (rest === 3) h ^= key[tail + 2]! << 16
  if (rest >= 2) h ^= key[tail + 1]! << 8
  if (rest >= 1) h = Math.imul(h ^ key[tail]!, m)
  h ^= h >>> 13
  h = Math.imul(h, m)
  return h ^ h >>> 15
}

export function partitionFor (key: Uint8Array, partitions: number): number { return (murmur2(key) & 0x7fffffff) % partitions }
