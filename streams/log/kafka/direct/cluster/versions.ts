/** What a broker speaks: versions by key of the call. */
export type Versions = ReadonlyMap<number, { readonly min: number, readonly max: number }>

/** Of several brokers: what all of them speak. */
export function common (all: readonly Versions[]): Versions {
  const [first, ...rest] = all
  if (first === undefined) return new Map()
  return new Map([...first].flatMap(([key, range]) => {
    let { min, max } = range
    for (const other of rest) {
      const theirs = other.get(key)
      if (theirs === undefined) return []
      min = Math.max(min, theirs.min)
      max = Math.min(max, theirs.max)
    }
    return max >= min ? [[key, { min, max }] as const] : []
  }))
}
