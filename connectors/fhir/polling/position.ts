/** Where a polling source stands: for each thing that is read, the server's time up to which it was read. */
export type Marks = Readonly<Record<string, string>>

export function readMarks (position: string | undefined): Record<string, string> {
  if (position === undefined) return {}
  try {
    const said: unknown = JSON.parse(position)
    if (typeof said !== 'object' || said === null) return {}
    return Object.fromEntries(Object.entries(said).filter((pair): pair is [string, string] => typeof pair[1] === 'string' && !Number.isNaN(Date.parse(pair[1]))))
  } catch {
    return {} // of another version or damaged: from the beginning, what is known is a duplicate
  }
}

export function writeMarks (marks: Marks): string { return JSON.stringify(marks) }

/** Remembers what was read lately, so that the overlap of one poll with the next does not go through the mapper each time. The intake knows duplicates anyway. */
export class Recent {
  readonly #max: number
  readonly #keys = new Set<string>()
  constructor (max: number) { this.#max = max }

  has (key: string): boolean { return this.#keys.has(key) }

  /** False: it was there. */
  add (key: string): boolean {
    if (this.#keys.has(key)) return false
    this.#keys.add(key)
    if (this.#keys.size > this.#max) this.#keys.delete(this.#keys.values().next().value!)
    return true
  }
}
