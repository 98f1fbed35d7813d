/** The names that look most like `name`, nearest first: what somebody who mistyped may have meant. */
export function nearNames (name: string, known: Iterable<string>, most: number = 3): readonly string[] {
  const wanted = name.toLowerCase()
  const near: { readonly name: string, readonly distance: number }[] = []
  for (const candidate of known) {
    const lower = candidate.toLowerCase()
    const contained = lower.length > 2 && wanted.length > 2 && (lower.includes(wanted) || wanted.includes(lower))
    const distance = contained ? 1 : editDistance(wanted, lower)
    if (distance <= Math.max(2, Math.ceil(wanted.length / 3))) near.push({ name: candidate, distance })
  }
  return near.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1)).slice(0, most).map(n => n.name)
}

/** Levenshtein's distance, one row at a time. */
function editDistance (a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
