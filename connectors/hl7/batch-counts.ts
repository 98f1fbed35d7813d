/** Segments around messages (HL7 v2.5.1, 2.10.3). */
export type BatchSegment = 'FHS' | 'BHS' | 'BTS' | 'FTS'

/**
 * Counts messages and batches as they pass: BTS-1 and FTS-1 say how many there were. A trailer that counts otherwise says that something was lost on the
 * way, or that its sender counts wrongly; what came is taken all the same, since nobody here can tell which.
 */
export class BatchCounts {
  #messages = 0
  #batches = 0

  message (): void { this.#messages++ }

  /** What does not agree, for an operator; undefined: nothing does not. An empty count says nothing. */
  see (name: BatchSegment, line: string): string | undefined {
    const count = line.split(line.charAt(3), 2)[1]?.trim() ?? ''
    switch (name) {
      case 'FHS': this.#batches = 0; this.#messages = 0; return undefined
      case 'BHS': this.#batches++; this.#messages = 0; return undefined
      case 'BTS': return this.#compare('BTS-1', count, this.#messages, 'messages')
      case 'FTS': return this.#batches === 0 ? undefined : this.#compare('FTS-1', count, this.#batches, 'batches')
    }
  }

  #compare (field: string, said: string, n: number, what: string): string | undefined {
    return /^\d+$/.test(said) && Number(said) !== n ? `${field} counts ${Number(said)} ${what}, ${n} stand before it` : undefined
  }
}
