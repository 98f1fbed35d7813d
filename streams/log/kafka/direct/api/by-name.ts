/** Groups by topic, for calls that name topics rather than ids. */
export function byName<T extends { readonly topic: string }> (items: readonly T[]): readonly (readonly [string, readonly T[]])[] {
  const topics = new Map<string, T[]>()
  for (const item of items) {
    const same = topics.get(item.topic)
    if (same === undefined) topics.set(item.topic, [item])
    else same.push(item)
  }
  return [...topics]
}
