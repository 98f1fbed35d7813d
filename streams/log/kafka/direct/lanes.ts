/** Names of connections, used again when they have become free: a consumer that joins anew needs no new connection. */
export class Lanes {
  readonly #free = new Map<string, number[]>()
  readonly #count = new Map<string, number>()

  take (kind: string): Lane {
    const free = this.#free.get(kind)?.pop()
    const number = free ?? this.#count.get(kind) ?? 0
    if (free === undefined) this.#count.set(kind, number + 1)
    let held = true
    return {
      name: `${kind}-${number}`,
      free: () => {
        if (!held) return
        held = false
        this.#free.set(kind, [...this.#free.get(kind) ?? [], number])
      },
    }
  }
}

export interface Lane { readonly name: string, free (): void }
